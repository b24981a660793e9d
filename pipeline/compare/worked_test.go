package compare

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// Bronchial reactivity before and after a transplantation (Bentur et al. 2009)
// as worked in Fagerland, Lydersen and Laake, "Recommended tests and
// confidence intervals for paired binomial proportions", Statistics in
// Medicine 33, 2014: 21 pairs, cells 1, 1, 7, 12. Their table has the 95 %
// score intervals -0.517 to -0.026 (Tango) and 0.065 to 0.907 (ratio, Tang).
func TestTangoPublished(t *testing.T) {
	t.Parallel()
	z := normalQuantile(0.975)
	low, high := tangoBounds(1, 7, 21, z)
	assert.InDelta(t, -0.517, low, 5e-4)
	assert.InDelta(t, -0.026, high, 5e-4)
	low, high, ok := ratioBounds(pairs{1, 1, 7, 12}, z)
	require.True(t, ok)
	assert.InDelta(t, 0.065, low, 5e-4)
	assert.InDelta(t, 0.907, high, 5e-4)
}

func TestTangoWithoutDiscordance(t *testing.T) {
	t.Parallel()
	z := normalQuantile(0.95)
	for _, n := range []float64{10, 200, 1e6} {
		low, high := tangoBounds(0, 0, n, z)
		assert.InDelta(t, -z*z/(n+z*z), low, 1e-12)
		assert.InDelta(t, z*z/(n+z*z), high, 1e-12)
	}
}

// The score statistic at r = 1 and at d = 0 is McNemar's.
func TestScoreStatisticsAgreeWithMcNemar(t *testing.T) {
	t.Parallel()
	mcnemar := (12.0 - 5.0) / math.Sqrt(12+5)
	assert.InDelta(t, mcnemar, tangoZ(12, 5, 100, 0), 1e-12)
	assert.InDelta(t, mcnemar, ratioZ(pairs{60, 12, 5, 23}, 1), 1e-12)
}

// The null's estimates are those of largest likelihood: no other admissible
// cells give more.
func TestRestrictedEstimatesMaximiseLikelihood(t *testing.T) {
	t.Parallel()
	p, r := pairs{60, 12, 5, 23}, 0.9
	n := p.n()
	likelihood := func(q float64) float64 { // q = P(baseline only)
		s := (n - p.none) / n
		both := (s - (1+r)*q) / r
		cand := ((r-1)*s + q) / r
		if both <= 0 || cand <= 0 || q <= 0 {
			return math.Inf(-1)
		}
		return p.both*math.Log(both) + p.cand*math.Log(cand) + p.base*math.Log(q)
	}
	best := math.Inf(-1)
	at := 0.0
	for q := 0.0; q < 0.5; q += 1e-6 {
		if l := likelihood(q); l > best {
			best, at = l, q
		}
	}
	s := (n - p.none) / n
	want := (p.both + p.cand - r*(p.both+p.base)) / math.Sqrt(n*r*(((r-1)*s+at)/r+at))
	assert.InDelta(t, want, ratioZ(p, r), 1e-4)
}

// Ratings of 109 CT images (Hanley and McNeil, Radiology 143, 1982, table I);
// Stata's manual (roctab, "hanley") gives the area 0.8932 with DeLong's
// standard error 0.0307.
func TestDeLongPublished(t *testing.T) {
	t.Parallel()
	d := &metric.Data{Task: exam.Binary, Classes: []string{"0", "1"}, Positive: 1}
	for label, counts := range [][]int{{33, 6, 6, 11, 2}, {3, 2, 2, 11, 33}} {
		for rating, c := range counts {
			for range c {
				d.Label = append(d.Label, int32(label))
				d.Score = append(d.Score, float64(rating)/5)
			}
		}
	}
	d.N = len(d.Label)
	m, err := metric.Lookup("roc_auc")
	require.NoError(t, err)
	psi := make([]float64, d.N)
	v := m.Influence(d, psi)
	assert.InDelta(t, 0.8932, v.V, 5e-5)
	c, _ := delong(psi, nil, func(i int) bool { return d.Label[i] == 1 }, 0)
	assert.InDelta(t, 0.0307, math.Sqrt(c.cc), 5e-5)
}

// bruteAUC computes AUC covariances from the kernel, pair by pair, as the
// papers write them; groups nil for DeLong.
func bruteAUC(label []int32, a, b []float64, group []int32, groups int) float64 {
	kernel := func(x, y float64) float64 {
		switch {
		case x > y:
			return 1
		case x == y:
			return 0.5
		}
		return 0
	}
	place := func(s []float64) (auc float64, v []float64, m, n float64) {
		v = make([]float64, len(s))
		for i := range s {
			for j := range s {
				if label[i] == 1 && label[j] == 0 {
					k := kernel(s[i], s[j])
					auc += k
					v[i] += k
					v[j] += k
				}
			}
		}
		for _, l := range label {
			if l == 1 {
				m++
			} else {
				n++
			}
		}
		for i := range v {
			if label[i] == 1 {
				v[i] /= n
			} else {
				v[i] /= m
			}
		}
		return auc / (m * n), v, m, n
	}
	aucA, va, m, n := place(a)
	aucB, vb, _, _ := place(b)
	if group == nil {
		var s10, s01 float64
		for i := range va {
			p := (va[i] - aucA) * (vb[i] - aucB)
			if label[i] == 1 {
				s10 += p / (m - 1)
			} else {
				s01 += p / (n - 1)
			}
		}
		return s10/m + s01/n
	}
	var s10, s01, s11, i10, i01, all float64
	for g := range int32(groups) {
		var a10, a01, b10, b01 float64
		var pos, neg bool
		for i := range va {
			if group[i] != g {
				continue
			}
			if label[i] == 1 {
				pos = true
				a10 += va[i] - aucA
				b10 += vb[i] - aucB
			} else {
				neg = true
				a01 += va[i] - aucA
				b01 += vb[i] - aucB
			}
		}
		if pos {
			i10++
		}
		if neg {
			i01++
		}
		all++
		s10 += a10 * b10
		s01 += a01 * b01
		s11 += a10*b01 + b10*a01
	}
	return s10*i10/((i10-1)*m)/m + s01*i01/((i01-1)*n)/n + s11*all/(all-1)/(m*n)
}

func TestDeLongAndObuchowskiAgainstTheirDefinitions(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	const n, groups = 120, 17
	label, group := make([]int32, n), make([]int32, n)
	a, b := make([]float64, n), make([]float64, n)
	single := make([]int32, n)
	for i := range n {
		label[i], group[i], single[i] = int32(r.IntN(2)), int32(i%groups), int32(i)
		a[i] = math.Round(10*(r.Float64()+0.5*float64(label[i]))) / 15
		b[i] = math.Round(10*(r.Float64()+0.3*float64(label[i]))) / 15
	}
	m, err := metric.Lookup("roc_auc")
	require.NoError(t, err)
	psi := func(s []float64) []float64 {
		out := make([]float64, n)
		m.Influence(&metric.Data{Task: exam.Binary, N: n, Classes: []string{"0", "1"}, Positive: 1, Label: label, Score: s}, out)
		return out
	}
	pa, pb := psi(a), psi(b)
	positive := func(i int) bool { return label[i] == 1 }
	v, _ := delong(pa, pb, positive, 1)
	assert.InDelta(t, bruteAUC(label, a, a, nil, 0), v.cc, 1e-14)
	assert.InDelta(t, bruteAUC(label, b, b, nil, 0), v.bb, 1e-14)
	assert.InDelta(t, bruteAUC(label, a, b, nil, 0), v.cb, 1e-14)
	o := obuchowski(pa, pb, positive, group, groups, false)
	assert.InDelta(t, bruteAUC(label, a, a, group, groups), o.cc, 1e-14)
	assert.InDelta(t, bruteAUC(label, a, b, group, groups), o.cb, 1e-14)
	alone := obuchowski(pa, pb, positive, single, n, false)
	assert.InDelta(t, v.cc, alone.cc, 1e-14, "groups of one row are DeLong's")
	assert.InDelta(t, v.cb, alone.cb, 1e-14)
	equal := obuchowski(pa, pb, positive, single, n, true)
	assert.InDelta(t, v.cb, equal.cb, 1e-14, "and nothing to correct")
}

// The example of Holm's method on the page "Holm-Bonferroni method" of
// Wikipedia: of 0.01, 0.04, 0.03, 0.005 at 5 % the first and last are
// rejected.
func TestHolm(t *testing.T) {
	t.Parallel()
	got := holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		assert.InDelta(t, want, got[i], 1e-15)
	}
	assert.Empty(t, holm(nil))
	assert.Equal(t, []float64{1, 1}, holm([]float64{0.7, 0.8}))
}

// The spatial test data of Efron and Tibshirani, "An Introduction to the
// Bootstrap", 1993, table 14.1: variance of A, theta = 171.5, a = 0.061, and
// from 2,000 resamples z0 = 0.146 and the 90 % BCa interval 115.8 to 259.6.
// Ours is of 200,000, so that the book's own Monte Carlo error is what the
// tolerance allows for.
func TestBCaPublished(t *testing.T) {
	t.Parallel()
	a := []float64{48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41}
	variance := func(x []float64) float64 {
		var m moments
		for _, v := range x {
			m.add(v)
		}
		return m.m2 / m.n
	}
	theta := variance(a)
	assert.InDelta(t, 171.5, theta, 0.05)
	var jack []float64
	var mean float64
	for i := range a {
		v := variance(append(append([]float64{}, a[:i]...), a[i+1:]...))
		jack = append(jack, v)
		mean += v / float64(len(a))
	}
	var s2, s3 float64
	for _, v := range jack {
		s2 += sq(mean - v)
		s3 += sq(mean-v) * (mean - v)
	}
	acceleration := s3 / (6 * math.Pow(s2, 1.5))
	assert.InDelta(t, 0.061, acceleration, 5e-4)
	r := rand.New(rand.NewPCG(1, 2))
	values, x := make([]float64, 200_000), make([]float64, len(a))
	for b := range values {
		for i := range x {
			x[i] = a[r.IntN(len(a))]
		}
		values[b] = variance(x)
	}
	sort.Float64s(values)
	low, high := bcaBounds(values, theta, acceleration, 0.95)
	assert.InDelta(t, 115.8, low, 3)
	assert.InDelta(t, 259.6, high, 6)
}

// Drawing joint counts is drawing rows: the same distribution of the metric.
func TestJointCountsAreRows(t *testing.T) {
	t.Parallel()
	w := world{task: exam.Binary, sharp: 1, bias: -1, worse: 0.9}
	r := rand.New(rand.NewPCG(9, 9))
	p := w.draw(r, 150, 0)
	m, err := metric.Lookup("f1")
	require.NoError(t, err)
	j := newJoint(m, p.cand, p.base, func(c, b float64) float64 { return c - b })
	f, x, tl := newFactorials(j.n), make([]int, len(j.cells)), j.newTally()
	var counts, rows moments
	pick := make([]int32, p.cand.N)
	for range 20_000 {
		j.draw(r, f, x)
		total := 0
		for _, k := range x {
			total += k
		}
		require.Equal(t, j.n, total)
		counts.add(j.statistic(tl, func(k int) int { return x[k] }, j.n))
		for i := range pick {
			pick[i] = int32(r.IntN(p.cand.N))
		}
		s := p.rows(pick)
		rows.add(m.Compute(s.cand).V - m.Compute(s.base).V)
	}
	assert.InDelta(t, rows.mean, counts.mean, 4*rows.sd()/math.Sqrt(20_000)*math.Sqrt2)
	assert.InDelta(t, 1, counts.sd()/rows.sd(), 0.02)
	// The jackknife over cells is the jackknife over rows.
	var s2, s3, mean float64
	jack := make([]float64, p.cand.N)
	for i := range jack {
		rest := make([]int32, 0, p.cand.N)
		for k := range p.cand.N {
			if k != i {
				rest = append(rest, int32(k))
			}
		}
		s := p.rows(rest)
		jack[i] = m.Compute(s.cand).V - m.Compute(s.base).V
		mean += jack[i] / float64(p.cand.N)
	}
	for _, v := range jack {
		s2 += sq(mean - v)
		s3 += sq(mean-v) * (mean - v)
	}
	assert.InDelta(t, s3/(6*math.Pow(s2, 1.5)), j.acceleration(), 1e-12)
}

func TestBinomial(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	f := newFactorials(2000)
	for _, c := range []struct {
		n int
		p float64
	}{{1, 0.3}, {30, 0.1}, {50, 0.9}, {100, 0.4}, {2000, 0.02}, {2000, 0.5}} {
		const draws = 40_000
		var m moments
		observed := map[int]int{}
		for range draws {
			k := binomial(r, f, c.n, c.p)
			require.True(t, k >= 0 && k <= c.n)
			m.add(float64(k))
			observed[k]++
		}
		mean, variance := float64(c.n)*c.p, float64(c.n)*c.p*(1-c.p)
		assert.InDelta(t, mean, m.mean, 4.5*math.Sqrt(variance/draws), "n %d, p %v", c.n, c.p)
		assert.InDelta(t, 1, sq(m.sd())/variance, 0.05, "n %d, p %v", c.n, c.p)
		// Chi-square over the likely counts.
		var chi, cells float64
		for k := range c.n + 1 {
			expected := draws * math.Exp(f[c.n]-f[k]-f[c.n-k]+float64(k)*math.Log(c.p)+float64(c.n-k)*math.Log1p(-c.p))
			if expected > 20 {
				chi += sq(float64(observed[k])-expected) / expected
				cells++
			}
		}
		assert.Less(t, chi, cells+5*math.Sqrt(2*cells)+5, "n %d, p %v", c.n, c.p)
	}
}

// Quantiles of t from standard tables.
func TestDistributions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ p, df, want float64 }{
		{0.95, 1, 6.3138}, {0.95, 4, 2.1318}, {0.95, 9, 1.8331}, {0.975, 3, 3.1824}, {0.95, 30, 1.6973}, {0.95, 1e7, 1.6449}, {0.05, 9, -1.8331},
	} {
		q := tQuantile(c.p, c.df)
		assert.InDelta(t, c.want, q, 5e-5)
		assert.InDelta(t, c.p, tCDF(q, c.df), 1e-9)
	}
	assert.InDelta(t, 1.959964, normalQuantile(0.975), 1e-6)
	assert.InDelta(t, 0.975, normalCDF(normalQuantile(0.975)), 1e-12)
}

// Wilson's interval for 15 hits of 148 (Newcombe, Statistics in Medicine 17,
// 1998, 857-872, table I): 0.0624 to 0.1605.
func TestWilsonPublished(t *testing.T) {
	t.Parallel()
	low, high := wilson(15, 148, normalQuantile(0.975))
	assert.InDelta(t, 0.0624, low, 5e-5)
	assert.InDelta(t, 0.1605, high, 5e-5)
}

// Fieller's set is where the contrast is not rejected.
func TestFieller(t *testing.T) {
	t.Parallel()
	v := covariance{cc: 0.01, bb: 0.02, cb: 0.005}
	low, high, ok := fieller(2, 3, v, 1.7)
	require.True(t, ok)
	for _, r := range []float64{low, high} {
		assert.InDelta(t, 1.7, math.Abs(2-3*r)/math.Sqrt(v.contrast(r)), 1e-9)
	}
	_, _, ok = fieller(2, 0.1, v, 1.7)
	assert.False(t, ok, "a baseline that may be 0 has no ratio")
}
