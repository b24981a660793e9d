package compare

import (
	"math"
	"math/rand/v2"
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
	c := delong(psi, nil, func(i int) bool { return d.Label[i] == 1 })
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
	v := delong(pa, pb, positive)
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
	low, high, ok := fieller(-1, 3, v, 1.7)
	require.True(t, ok)
	for _, r := range []float64{low, high} {
		assert.InDelta(t, 1.7, math.Abs(-1-3*r)/math.Sqrt(v.contrast(r)), 1e-9)
	}
	_, _, ok = fieller(-1, 0.1, v, 1.7)
	assert.False(t, ok, "a baseline that may be 0 has no ratio")
}
