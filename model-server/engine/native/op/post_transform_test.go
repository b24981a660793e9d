package op

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// half is half a unit in the last place of float32: what rounding once costs.
const half = 1.0 / (1 << 24)

// Every column of every transform has all digits that float32 has, in both
// tails. The right values are computed by the standard library in the form
// that does not cancel, or are known.
func TestTransformsHaveTheirTails(t *testing.T) {
	t.Parallel()
	logistic := func(x float64) float64 { return math.Exp(x) / (1 + math.Exp(x)) }
	for name, c := range map[string]struct {
		transform string
		scores    []float64
		want      []float64
	}{
		"logistic":                {transformLogistic, []float64{-17.310535, -10, -40, -87, 2, 17.310535, 0}, []float64{3.03480057e-8, logistic(-10), logistic(-40), logistic(-87), logistic(2), 1 - 3.03480057e-8, 0.5}},
		"softmax":                 {transformSoftmax, []float64{0, -50, -80, 1}, []float64{1 / (1 + math.E), math.Exp(-51) / (1 + math.Exp(-1)), math.Exp(-81) / (1 + math.Exp(-1)), math.E / (1 + math.E)}},
		"softmax of large scores": {transformSoftmax, []float64{1e4, 1e4 - 60}, []float64{1, math.Exp(-60)}},
		"softmax zero":            {transformSoftmaxZero, []float64{3, 0, -40}, []float64{1, 0, math.Exp(-43)}},
		"softmax zero of zeros":   {transformSoftmaxZero, []float64{0, 0}, []float64{0, 0}},
		// scipy.stats.norm.ppf
		"probit": {transformProbit, []float64{1e-10, 0.5, 0.975, 0.3}, []float64{-6.361340902404056, 0, 1.959963984540054, -0.5244005127080409}},
		"none":   {transformNone, []float64{1e-20, 0.1}, []float64{1e-20, 0.1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := make([]float32, len(c.scores))
			transformRow(c.transform, c.scores, out)
			for i, want := range c.want {
				assert.InDelta(t, want, float64(out[i]), 4*half*math.Abs(want), "of %v", c.scores[i])
			}
		})
	}
}

func TestBothClassesHaveTheirTails(t *testing.T) {
	t.Parallel()
	for _, s := range []float64{-60, -17.310535, -3, 0, 3, 17.310535, 60} {
		var out [2]float32
		secondClass(transformLogistic, s, out[:])
		for i, x := range []float64{-s, s} {
			want := math.Exp(-math.Log1p(math.Exp(-x)))
			assert.InDelta(t, want, float64(out[i]), 4*half*want, "class %d at %v", i, s)
		}
	}
	var out [2]float32
	secondClass(transformProbit, 0.975, out[:])
	assert.InDelta(t, 1.959963984540054, float64(out[1]), 1e-6)
	assert.InDelta(t, 1-1.959963984540054, float64(out[0]), 1e-6)
	secondClass(transformNone, 1e-9, out[:])
	assert.Equal(t, [2]float32{1, 1e-9}, out)
}

// The right values are those of scipy.stats.norm.ppf.
func TestQuantile(t *testing.T) {
	t.Parallel()
	for p, want := range map[float64]float64{
		1e-300:       -37.0470962993612,
		1e-30:        -11.464024688443613,
		1e-10:        -6.361340902404056,
		0.001:        -3.090232306167813,
		0.07:         -1.4757910281791706,
		0.08:         -1.4050715603096329,
		0.25:         -0.6744897501960817,
		0.3:          -0.5244005127080409,
		0.5:          0.0,
		0.975:        1.959963984540054,
		0.999:        3.090232306167813,
		0.9999999999: 6.361340889697422,
	} {
		assert.InDelta(t, want, quantile(p), 1e-13*math.Abs(want), "of %v", p)
	}
	assert.Equal(t, math.Inf(-1), quantile(0))
	assert.Equal(t, math.Inf(1), quantile(1))
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		assert.True(t, math.IsNaN(quantile(p)), "of %v", p)
	}
}

func TestSmallDifferences(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{0, 1e-300, -1e-20, 1e-10, -1e-5, 0.1, -0.5, 1, 10, 100, -0.999999, math.Inf(1), math.NaN()} {
		for name, c := range map[string][2]float64{"log1p": {log1p(x), math.Log1p(x)}, "expm1": {expm1(x), math.Expm1(x)}} {
			assert.LessOrEqual(t, ulps(c[0], c[1]), 4.0, "%s of %v: got %v, want %v", name, x, c[0], c[1])
		}
	}
	assert.Equal(t, -1.0, expm1(math.Inf(-1)))
	assert.Equal(t, math.Inf(-1), log1p(-1))
}
