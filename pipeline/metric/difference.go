package metric

import "math"

// Where two models answer nearly alike, the difference of their values is
// small beside each of them, and subtracting two sums leaves little but their
// rounding. So differences are taken row by row first, and then summed with
// the rounding of every addition kept (Neumaier, ZAMM 54, 1974, 39-51).

// noise is how many units in the last place the losses of one row may be apart
// and still be the same: what a logarithm or a root of equal inputs loses.
const noise = 4 * epsilon

// Noise is the part of the values c and b that is no more than rounding.
func Noise(c, b float64) float64 { return 2 * noise * (math.Abs(c) + math.Abs(b)) }

// subtract sets d to c - b; where they are within their rounding, to 0.
func subtract(d, c, b []float64) {
	for i, x := range c {
		d[i] = x - b[i]
		if math.Abs(d[i]) <= noise*(math.Abs(x)+math.Abs(b[i])) {
			d[i] = 0
		}
	}
}

// exactMean returns the weighted mean of x, summed without loss.
func (d *Data) exactMean(x []float64) float64 {
	var sum, lost float64
	for i, v := range x {
		if d.Weight != nil {
			v *= d.Weight[i]
		}
		next := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += sum - next + v
		} else {
			lost += v - next + sum
		}
		sum = next
	}
	return (sum + lost) / d.TotalWeight()
}

// Differ fills psi (length c.N) with the influence function of value(c) -
// value(b), psiB with that of value(b), and returns both values and their
// difference, which is the better one of the two ways to it. The rows of both
// are the same. Where a value is undefined the rest means nothing.
func (m Metric) Differ(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
	if m.difference != nil {
		return m.difference(c, b, psi, psiB)
	}
	vc, vb = m.Influence(c, psi), m.Influence(b, psiB)
	if !vc.Defined() || !vb.Defined() {
		return vc, vb, 0
	}
	subtract(psi, psi, psiB)
	if d = vc.V - vb.V; math.Abs(d) <= Noise(vc.V, vb.V) {
		d = 0
	}
	return vc, vb, d
}

// differMean is Differ for a mean of losses.
func differMean(loss func(d *Data, dst []float64) string) func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
	return func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
		whyC, whyB := loss(c, psi), loss(b, psiB)
		if whyC != "" || whyB != "" {
			return Value{Reason: whyC}, Value{Reason: whyB}, 0
		}
		vc, vb = defined(c.Mean(psi)), defined(b.Mean(psiB))
		subtract(psi, psi, psiB)
		d = c.exactMean(psi)
		for i := range psi {
			psi[i] -= d
			psiB[i] -= vb.V
		}
		return vc, vb, d
	}
}

// differSquares fills psi with the rows' differences of squared errors about
// their mean, (v_c - v_b)(v_c + v_b - 2y), and returns that mean.
func differSquares(c, b *Data, psi []float64) float64 {
	for i, y := range c.Target {
		vc, vb := c.Value[i], b.Value[i]
		psi[i] = (vc - vb) * ((vc - y) + (vb - y))
	}
	mean := c.exactMean(psi)
	for i := range psi {
		psi[i] -= mean
	}
	return mean
}
