package compare

import (
	"math"
	"math/rand/v2"
	"sort"
)

// heavy is Cochran's rule of when a mean is not yet normal: n < 25·skew²
// (Cochran, "Sampling Techniques", 3rd ed. 1977, section 2.15).
func heavy(n int, skew float64) bool { return float64(n) < 25*skew*skew }

const (
	// extremes are drawn one by one where there are more units than
	// hybridUnits; of the rest, sums are drawn from their normal limit.
	extremes    = 2000
	hybridUnits = 10_000
)

// studentT returns the bootstrap distribution's quantiles of the studentised
// mean of d (mean 0): the bootstrap-t of Efron; second-order correct, which
// matters where the data are skewed (Hall, Annals of Statistics 16, 1988,
// 927-953):
//
//	t* = mean(d*)/(sd(d*)/sqrt(n))
//
// near is the studentised distance of the estimate to the limit, at which more
// resamples are drawn. The bounds of the estimate are estimate - high·se and
// estimate - low·se.
func studentT(d []float64, confidence, near float64, seed uint64) resampled {
	one := resampleRows(d)
	if len(d) > hybridUnits {
		one = resampleHybrid(d)
	}
	return grow(studentBudget, seed, near, one, func(sorted []float64) (low, high float64) {
		return quantileOf(sorted, 1-confidence), quantileOf(sorted, confidence)
	})
}

// studentised returns t of sums over n draws.
func studentised(s1, s2, n float64) float64 {
	mean := s1 / n
	variance := (s2 - s1*mean) / (n - 1)
	if variance <= 1e-12*s2/n {
		// Draws of one value only: the interval of this resample is a point
		// that misses, or holds, the mean.
		if s1 == 0 {
			return 0
		}
		return math.Copysign(math.MaxFloat64, s1)
	}
	return mean / math.Sqrt(variance/n)
}

func resampleRows(d []float64) func(*rand.Rand, []float64) {
	n := uint64(len(d))
	return func(r *rand.Rand, out []float64) {
		for b := range out {
			var s1, s2 float64
			i := 0
			for ; i+2 <= len(d); i += 2 {
				u := r.Uint64()
				x, y := d[(u&0xffffffff)*n>>32], d[(u>>32)*n>>32]
				s1 += x + y
				s2 += x*x + y*y
			}
			if i < len(d) {
				x := d[(r.Uint64()>>32)*n>>32]
				s1 += x
				s2 += x * x
			}
			out[b] = studentised(s1, s2, float64(n))
		}
	}
}

// resampleHybrid draws the extremes one by one, as many as a resample holds of
// them, and the sums of the rest, which are light-tailed and many, from the
// normal distribution of (sum x, sum x²). An approximation, and said so.
func resampleHybrid(d []float64) func(*rand.Rand, []float64) {
	order := make([]float64, len(d))
	copy(order, d)
	sort.Slice(order, func(i, j int) bool { return math.Abs(order[i]) > math.Abs(order[j]) })
	top, body := order[:extremes], order[extremes:]
	var m1, m2, m3, m4 float64
	for _, x := range body {
		m1 += x
		m2 += x * x
		m3 += x * x * x
		m4 += x * x * x * x
	}
	k := float64(len(body))
	m1, m2, m3, m4 = m1/k, m2/k, m3/k, m4/k
	sd1 := math.Sqrt(math.Max(m2-m1*m1, 0))
	slope, rest := 0.0, math.Max(m4-m2*m2, 0)
	if sd1 > 0 {
		slope = (m3 - m1*m2) / sd1
		rest = math.Max(rest-slope*slope, 0)
	}
	rest = math.Sqrt(rest)
	n := float64(len(d))
	share := float64(extremes) / n
	f := newFactorials(len(d))
	return func(r *rand.Rand, out []float64) {
		for b := range out {
			e := binomial(r, f, len(d), share)
			var s1, s2 float64
			for range e {
				x := top[r.IntN(extremes)]
				s1 += x
				s2 += x * x
			}
			left := n - float64(e)
			root := math.Sqrt(left)
			z := r.NormFloat64()
			s1 += left*m1 + root*sd1*z
			s2 += left*m2 + root*(slope*z+rest*r.NormFloat64())
			out[b] = studentised(s1, s2, n)
		}
	}
}
