package compare

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestTailIndex(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, index := range []float64{1.5, 2.5, 4} {
		u := units{cand: make([]float64, 100_000)}
		for i := range u.cand {
			u.cand[i] = math.Pow(r.Float64(), -1/index) // Pareto
			if i%2 == 0 {
				u.cand[i] = -u.cand[i]
			}
		}
		k := math.Sqrt(float64(len(u.cand)))
		assert.InDelta(t, index, u.tailIndex(0), 4*index/math.Sqrt(k))
		// The heap finds what sorting finds.
		x := make([]float64, len(u.cand))
		for i, v := range u.cand {
			x[i] = math.Abs(v)
		}
		sort.Float64s(x)
		var sum float64
		at := x[len(x)-1-int(k)]
		for _, v := range x[len(x)-int(k):] {
			sum += math.Log(v / at)
		}
		assert.InDelta(t, float64(int(k))/sum, u.tailIndex(0), 1e-9)
	}
	assert.True(t, math.IsInf((units{cand: make([]float64, 500)}).tailIndex(0), 1), "no differences, no tail")
	assert.True(t, math.IsInf((units{cand: []float64{1, 2, 3}}).tailIndex(0), 1), "too few")
}

// Drawing only the extremes one by one gives the quantiles of drawing all.
func TestHybridIsAsGoodAsRows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	d := make([]float64, 6000)
	var m moments
	for i := range d {
		d[i] = math.Exp(1.5*r.NormFloat64()) - math.Exp(1.125)
		m.add(d[i])
	}
	for i := range d {
		d[i] -= m.mean
	}
	quantiles := func(one func(*rand.Rand, []float64)) (low, high float64) {
		var all []float64
		for _, b := range blocks(0, 40, 200, 1, one) {
			all = append(all, b...)
		}
		sort.Float64s(all)
		return quantileOf(all, 0.05), quantileOf(all, 0.95)
	}
	lowRows, highRows := quantiles(resampleRows(d))
	lowHybrid, highHybrid := quantiles(resampleHybrid(d))
	// Two Monte Carlo errors of a quantile of 8,000 are about 0.07.
	assert.InDelta(t, lowRows, lowHybrid, 0.15)
	assert.InDelta(t, highRows, highHybrid, 0.15)
	assert.Less(t, lowRows, -1.7, "a tail to the right makes t skewed to the left")
}

// Where a mean has no variance nothing passes, but a clear FAIL stands.
func TestNoVarianceNoPass(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	const n = 2000
	target, base, cand, bad := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		e := math.Pow(r.Float64(), -1/1.5)
		base[i] = e
		cand[i] = math.Pow(r.Float64(), -1/1.5)
		bad[i] = e + 100 + r.Float64()
	}
	ex := exam.Exam{Task: exam.Regression, Confidence: 0.95, Metrics: []exam.Metric{{Name: "mae", Margin: margin(t, "20")}}}
	res, err := Compare(Input{Exam: ex, Candidate: regressionSet(target, cand), Baseline: regressionSet(target, base), Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, res.Verdict)
	assert.Contains(t, res.Metrics[0].Reason, "the variance of their mean cannot be told")
	assert.False(t, res.Metrics[0].Improved)
	res, err = Compare(Input{Exam: ex, Candidate: regressionSet(target, bad), Baseline: regressionSet(target, base), Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, verdict.Fail, res.Verdict)
}

// With groups of one size the corrected variance is the plain one.
func TestEqualGroupsNeedNoCorrection(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	const groups, size = 12, 5
	psi, group, leverage := make([]float64, groups*size), make([]int32, groups*size), make([]float64, groups)
	var m moments
	for i := range psi {
		psi[i], group[i] = r.NormFloat64(), int32(i%groups)
		m.add(psi[i])
	}
	for g := range leverage {
		leverage[g] = 1.0 / groups
	}
	sums := make([]float64, groups)
	for i := range psi {
		psi[i] -= m.mean
		sums[group[i]] += psi[i] / (groups * size)
	}
	var want float64
	for _, s := range sums {
		want += s * s * groups / (groups - 1)
	}
	u := newUnits(psi, nil, nil, group, leverage)
	assert.InDelta(t, want, u.covariance().cc, 1e-15)
	assert.InDelta(t, groups-1, u.df, 1e-9)
}
