package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// heavy is Cochran's rule of when a mean is not yet normal: n < 25·skew²
// (Cochran, "Sampling Techniques", 3rd ed. 1977, section 2.15).
func heavy(n int, skew float64) bool { return float64(n) < 25*skew*skew }

const (
	// extremes are drawn one by one where there are more units than
	// hybridUnits; of the rest, sums are drawn from their normal limit.
	extremes    = 2000
	hybridUnits = 4_000
)

// fewForBootstrap is the number of (effective) units under which a studentised
// bootstrap has too little to draw from, and t is wider.
const fewForBootstrap = 30

// Tail indices of a power law: under slowTail the central limit comes too
// late for t, whatever the sample's skewness says, since samples tend to miss
// the very rows that would show it; under leastTail the variance of the mean
// is not to be told (under 2 it does not exist), and nothing passes.
const (
	slowTail  = 3
	leastTail = 2.2
)

// tailIndex is Hill's estimate of the tail index of |C - r B|'s units (Annals
// of Statistics 3, 1975, 1163-1174) from the k = sqrt(n), at least 10, largest:
// k/sum ln(x_i/x_k+1). Infinite where there are too few units or too few that
// differ from 0.
func (u units) tailIndex(r float64) float64 {
	n := len(u.cand)
	k := max(int(math.Sqrt(float64(n))), 10)
	if k >= n {
		return math.Inf(1)
	}
	// The k+1 largest, the smallest of them first: a heap, O(n) in practice.
	top := make([]float64, 0, k+1)
	for i, c := range u.cand {
		if u.base != nil {
			c -= r * u.base[i]
		}
		c = math.Abs(c)
		switch {
		case len(top) <= k:
			top = append(top, c)
			if len(top) > k {
				sort.Float64s(top) // a sorted slice is a heap
			}
		case c > top[0]:
			top[0] = c
			sink(top)
		}
	}
	at := top[0]
	if at <= 0 {
		return math.Inf(1)
	}
	var sum float64
	for _, v := range top {
		sum += math.Log(v / at)
	}
	if sum <= 0 {
		return math.Inf(1)
	}
	return float64(k) / sum
}

// sink restores the heap after its first element has grown.
func sink(h []float64) {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

// heavyBounds are the bounds of a mean with heavy tails.
type heavyBounds struct {
	low, high  float64
	resampling Resampling
	near       bool   // a bound is nearer to the limit than its Monte Carlo error
	noPass     string // why a PASS is not to be trusted
}

// boundHeavy bounds point, an estimate that is the mean of units up to a
// constant, whose deviations are d. Samples of skewed populations tend to miss
// the very rows that make the tail, so that both mean and variance look too
// good. Each bound is therefore that of the sample completed by one more unit
// as extreme as its most extreme one on that bound's side, by the studentised
// bootstrap.
func boundHeavy(d []float64, point, confidence, limit, index float64, seed uint64) heavyBounds {
	lowest, highest := slices.Min(d), slices.Max(d)
	var out heavyBounds
	bound := func(extreme float64) (res resampled, shift, se float64) {
		all := append(append(make([]float64, 0, len(d)+1), d...), extreme)
		var m moments
		for _, v := range all {
			m.add(v)
		}
		for i := range all {
			all[i] -= m.mean
		}
		se = m.sd() / math.Sqrt(float64(len(all)))
		return studentT(all, confidence, (point+m.mean-limit)/se, seed), m.mean, se
	}
	res, shift, se := bound(lowest)
	out.low = point + shift - res.high*se
	out.high = point - res.low*se
	if highest > -lowest {
		up, shift, se := bound(highest)
		out.high = max(out.high, point+shift-up.low*se)
	}
	mc := res.mcError * se
	out.resampling = Resampling{Seed: seed, Resamples: res.resamples, MCError: mc, Exact: len(d) < hybridUnits}
	out.near = math.Abs(out.low-limit) <= mc || math.Abs(out.high-limit) <= mc
	if index < leastTail {
		out.noPass = fmt.Sprintf("the largest differences fall off so slowly (tail index %.1f, under %.1f) that the variance of their mean cannot be told: "+
			"take a metric with a bounded loss, or more rows", index, leastTail)
	}
	return out
}

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
