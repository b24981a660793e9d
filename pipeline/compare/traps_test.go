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

// exactPass returns, by adding up all outcomes, how often an interval's lower
// bound is above the truth -loss, when the baseline alone hits a share loss of
// n rows and the candidate alone none.
func exactPass(n int, loss float64, low func(b, c, n float64) float64) float64 {
	var rate float64
	lnFactorial := func(k int) float64 { v, _ := math.Lgamma(float64(k) + 1); return v }
	for c := range n + 1 {
		p := math.Exp(lnFactorial(n) - lnFactorial(c) - lnFactorial(n-c) + float64(c)*math.Log(loss) + float64(n-c)*math.Log1p(-loss))
		if low(0, float64(c), float64(n)) > -loss {
			rate += p
		}
	}
	return rate
}

// Where discordance is rare, Wald's interval and Bonett and Price's adjusted
// one pass a model that is worse by the margin 9 times in 100 instead of 5.
func TestRareDiscordance(t *testing.T) {
	t.Parallel()
	z := normalQuantile(0.95)
	wald := func(b, c, n float64) float64 {
		d := (b - c) / n
		return d - z*math.Sqrt(((b+c)/n-d*d)/n)
	}
	bonettPrice := func(b, c, n float64) float64 { return wald(b+1, c+1, n+2) }
	tango := func(b, c, n float64) float64 {
		low, _ := pairs{cand: b, base: c, none: n - b - c}.bounds(false, z)
		return low
	}
	assert.InDelta(t, 0.09, exactPass(200, 0.02, wald), 0.005)
	assert.InDelta(t, 0.09, exactPass(200, 0.02, bonettPrice), 0.005)
	assert.Less(t, exactPass(200, 0.02, tango), 0.05)
	for _, n := range []int{30, 50, 70, 100, 200, 500, 1000} {
		for _, loss := range []float64{0.004, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.2} {
			assert.Less(t, exactPass(n, loss, tango), 0.052, "n %d, loss %v", n, loss)
		}
	}
}

// With ten unequal groups, a percentile bootstrap of groups passes a
// model at the margin over 8 times in 100; t on groups - 1 does not.
func TestFewUnequalGroups(t *testing.T) {
	t.Parallel()
	if slow {
		t.Skip("a simulation in one goroutine: there is no race to find")
	}
	const groups, reps, resamples = 10, 4000, 300
	sizes := []float64{60, 40, 25, 20, 15, 12, 10, 8, 6, 4}
	var total float64
	for _, s := range sizes {
		total += s
	}
	var percentile, ours int
	for rep := range reps {
		r := rand.New(rand.NewPCG(7, uint64(rep)))
		sums := make([]float64, groups)
		var cand, target, base []float64
		var group []int32
		for g, size := range sizes {
			effect := r.NormFloat64()
			for range int(size) {
				x := effect + r.NormFloat64()
				sums[g] += x
				target = append(target, 0)
				base = append(base, 10)
				cand = append(cand, 10+x) // the loss |value| differs by x: truth 0
				group = append(group, int32(g))
			}
		}
		stat := func(pick func(k int) int) float64 {
			var s, n float64
			for k := range groups {
				s += sums[pick(k)]
				n += sizes[pick(k)]
			}
			return -s / n
		}
		values := make([]float64, resamples)
		for b := range values {
			values[b] = stat(func(int) int { return r.IntN(groups) })
		}
		sort.Float64s(values)
		sort.Float64s(values)
		if values[resamples/20] > 0 {
			percentile++
		}
		m, err := metric.Lookup("mae")
		require.NoError(t, err)
		d := func(v []float64) *metric.Data {
			return &metric.Data{Task: exam.Regression, N: len(v), Target: target, Value: v}
		}
		p := &pair{cand: d(cand), base: d(base), group: group, groups: groups}
		e := p.ask(question{metric: m, direction: exam.Lower, confidence: 0.95, margin: &exam.Margin{}})
		require.True(t, e.bounded, e.reason)
		if e.low > 0 {
			ours++
		}
	}
	assert.Greater(t, float64(percentile)/reps, 0.075)
	assert.Less(t, float64(ours)/reps, 0.05+3*math.Sqrt(0.05*0.95/reps))
	t.Logf("false PASS: percentile %.3f, ours %.3f", float64(percentile)/reps, float64(ours)/reps)
}
