package compare

import "math"

// power is how often an unchanged model passes at the mde.
const power = 0.8

// mde returns the margin at which an unchanged model passes 4 times in 5, with
// times as many rows:
//
//	half the interval's width + z_0.8·se
//
// since low = estimate - half has to exceed -margin while the estimate varies
// about 0 with standard deviation se. The interval is the one that is used, with
// what it allows for rows that were not seen, at no difference: half of its width
// to both sides.
func (e estimate) mde(times float64) float64 {
	return e.half(times) + normalQuantile(power)*e.se/math.Sqrt(times)
}

// passes returns how often an unchanged model passes at a margin with times as
// many rows.
func (e estimate) passes(margin, times float64) float64 {
	room := margin - e.half(times)
	if e.se <= 0 {
		if room > 0 {
			return 1
		}
		return 0
	}
	return normalCDF(room / (e.se / math.Sqrt(times)))
}

// rowsNeeded returns the number of units (rows or groups) at which the mde is
// the margin. It does not use the observed difference, which would make power a
// function of the result. ok is false where no number does.
func (e estimate) rowsNeeded(units int, margin float64) (n int64, ok bool) {
	const most = 1 << 40
	if margin <= 0 {
		return 0, false
	}
	low, high := 1.0, 1.0
	if e.mde(1) > margin {
		for e.mde(high) > margin {
			if low = high; high > most {
				return 0, false
			}
			high *= 4
		}
	} else {
		for e.mde(low) <= margin && low > 1.0/64 {
			high, low = low, low/2
		}
		if e.mde(low) <= margin {
			high = low
		}
	}
	for range 30 {
		if high/low < 1.001 {
			break
		}
		mid := math.Sqrt(low * high)
		if e.mde(mid) > margin {
			low = mid
		} else {
			high = mid
		}
	}
	need := math.Ceil(high * float64(units))
	if need > 1<<53 {
		return 0, false
	}
	return int64(need), true
}
