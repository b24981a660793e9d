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
//
// The width varies too: with df degrees of freedom a standard error varies by a
// share of sqrt(1/2df), and half of the time is too small by 1/3df and more.
func (e estimate) mde(times float64) float64 {
	half, se := e.spreadAt(times)
	return half + normalQuantile(power)*se
}

// spreadAt returns half the interval's width and the standard deviation of
// estimate and width together.
func (e estimate) spreadAt(times float64) (half, sd float64) {
	half, sd = e.half(times), e.se/math.Sqrt(times)
	if e.df > 0 && !math.IsInf(e.df, 1) {
		df := math.Max(e.df*times, 1)
		wider := 1 + 1/(3*df)
		sd = wider * math.Sqrt(sd*sd+half*half/(2*df))
		half *= wider
	}
	return half, sd
}

// passes returns how often an unchanged model passes at a margin with times as
// many rows.
func (e estimate) passes(margin, times float64) float64 {
	half, sd := e.spreadAt(times)
	if sd <= 0 {
		if margin > half {
			return 1
		}
		return 0
	}
	return normalCDF((margin - half) / sd)
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
