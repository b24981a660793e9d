package compare

import "math"

// power is how often an unchanged model passes at the mde.
const power = 0.8

// mde returns the margin at which an unchanged model passes 4 times in 5:
//
//	(z_confidence + z_0.8)·se
//
// since low = estimate - z·se has to exceed -margin while the estimate varies
// about 0 with standard deviation se.
func mde(se, confidence float64) float64 {
	return (normalQuantile(confidence) + normalQuantile(power)) * se
}

// rowsNeeded returns the number of units at which mde is the margin; se falls
// with the root of it. It does not use the observed difference, which would
// make power a function of the result. ok is false where no number does.
func rowsNeeded(units int, mde, margin float64) (n int64, ok bool) {
	if margin <= 0 || mde <= 0 {
		return 0, false
	}
	need := math.Ceil(float64(units) * (mde / margin) * (mde / margin))
	if need > 1<<53 {
		return 0, false
	}
	return int64(need), true
}
