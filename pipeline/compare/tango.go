package compare

import "math"

// tangoZ is Tango's score statistic for a difference of paired proportions
// (Tango, Statistics in Medicine 17, 1998, 891-908). Of n pairs, b are hit by
// the candidate only and c by the baseline only; the null hypothesis is that
// the difference of the hit rates is d:
//
//	z   = (b - c - n d)/sqrt(n (2 q + d (1 - d)))
//	q   = (sqrt(B² - 4 A C) - B)/(2 A)       the null's estimate of P(baseline only)
//	A   = 2 n,  B = -b - c + (2 n - b + c) d,  C = -c d (1 - d)
//
// Counts need not be whole: weighted rows pass their effective counts.
func tangoZ(b, c, n, d float64) float64 {
	num := b - c - n*d
	bb := -b - c + (2*n-b+c)*d
	cc := -c * d * (1 - d)
	disc := math.Sqrt(math.Max(bb*bb-8*n*cc, 0))
	// The root without cancellation: (-B + disc)/(2A) = -2C/(B + disc).
	var q float64
	if bb <= 0 {
		q = (disc - bb) / (4 * n)
	} else {
		q = -2 * cc / (bb + disc)
	}
	variance := n * (2*math.Max(q, 0) + d*(1-d))
	if variance <= 0 {
		if num == 0 {
			return 0
		}
		return math.Copysign(math.Inf(1), num)
	}
	return num / math.Sqrt(variance)
}

// tangoBounds returns the d at which tangoZ is z and -z. It exists for zero
// discordance too, where it is z²/(n+z²) to both sides.
func tangoBounds(b, c, n, z float64) (low, high float64) {
	at := (b - c) / n
	low = bisect(-1, at, func(d float64) bool { return tangoZ(b, c, n, d) > z })
	high = bisect(at, 1, func(d float64) bool { return tangoZ(b, c, n, d) >= -z })
	return low, high
}

// times returns the pairs of k times as many rows.
func (p pairs) times(k float64) pairs { return pairs{p.both * k, p.cand * k, p.base * k, p.none * k} }

// bounds are the score interval of the difference or of the ratio less 1, for
// the lower bound with the extra rows lost that make the rule for none of them
// exact (extraRows): of few discordant pairs the score's own error is on the side
// of too many passes, up to 7 in 100.
func (p pairs) bounds(relative bool, z float64) (low, high float64) {
	lost := p
	lost.base += extraRows(z, p.n())
	if !relative {
		low, _ = tangoBounds(lost.cand, lost.base, lost.n(), z)
		_, high = tangoBounds(p.cand, p.base, p.n(), z)
		return low, high
	}
	low, _, _ = ratioBounds(lost, z)
	_, high, _ = ratioBounds(p, z)
	return low - 1, high - 1
}

// bisect returns the x in [lo, hi] where holds turns from true to false.
func bisect(lo, hi float64, holds func(float64) bool) float64 {
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		if holds(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + (hi-lo)/2
}
