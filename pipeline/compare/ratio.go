package compare

import "math"

// pairs are the cells of paired hits: both, candidate only, baseline only,
// neither.
type pairs struct{ both, cand, base, none float64 }

func (p pairs) n() float64 { return p.both + p.cand + p.base + p.none }

// ratioZ is the score statistic for a ratio r of paired proportions (Nam and
// Blackwelder, Statistics in Medicine 21, 2002, 689-699):
//
//	z = (x_cand - r x_base)/sqrt(n r (p10 + p01))
//
// with x the hits of each and p10, p01 the maximum-likelihood estimates under
// p_cand = r p_base. They follow from p01's quadratic: with N = n - none and
// s = N/n,
//
//	(1+r) N q² - s [both (1-r²) + cand + base (2-r²)] q + base (1-r) s² = 0
//	p01 = q (the larger root),  p10 = ((r-1) s + q)/r
func ratioZ(p pairs, r float64) float64 {
	n := p.n()
	hit := n - p.none
	num := p.both + p.cand - r*(p.both+p.base)
	s := hit / n
	a := (1 + r) * hit
	b := -s * (p.both*(1-r*r) + p.cand + p.base*(2-r*r))
	c := p.base * (1 - r) * s * s
	q := 0.0
	if a > 0 {
		q = (math.Sqrt(math.Max(b*b-4*a*c, 0)) - b) / (2 * a)
	}
	p10 := math.Max(((r-1)*s+q)/r, 0)
	variance := n * r * (p10 + math.Max(q, 0))
	if variance <= 0 {
		if num == 0 {
			return 0
		}
		return math.Copysign(math.Inf(1), num)
	}
	return num / math.Sqrt(variance)
}

// ratioBounds returns the ratios at which ratioZ is z and -z.
func ratioBounds(p pairs, z float64) (low, high float64, ok bool) {
	base := p.both + p.base
	if base <= 0 || p.both+p.cand <= 0 {
		return 0, 0, false
	}
	at := (p.both + p.cand) / base
	low = bisect(0, at, func(r float64) bool { return r <= 0 || ratioZ(p, r) > z })
	top := 2*at + 1
	for range 60 {
		if ratioZ(p, top) < -z {
			break
		}
		top *= 2
	}
	high = bisect(at, top, func(r float64) bool { return ratioZ(p, r) >= -z })
	return low, high, true
}
