package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// ulps is the distance in units in the last place.
func ulps(a, b float64) float64 {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return 0
	}
	return math.Abs(a-b) / (math.Nextafter(math.Abs(b), math.Inf(1)) - math.Abs(b))
}

func TestMathAgainstTheStandardLibrary(t *testing.T) {
	t.Parallel()
	special := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, math.Inf(1), math.Inf(-1), math.NaN(), -746, -708, 1e-300, 709, 710, math.Sqrt2 / 2, 2}
	for name, c := range map[string]struct {
		got, want func(float64) float64
		spread    float64
		limit     float64
	}{
		"exp":       {exp, math.Exp, 700, 2},
		"exp small": {exp, math.Exp, 1, 2},
		"log":       {func(x float64) float64 { return log(math.Abs(x)) }, func(x float64) float64 { return math.Log(math.Abs(x)) }, 1e6, 2},
		"log small": {func(x float64) float64 { return log(math.Abs(x)) }, func(x float64) float64 { return math.Log(math.Abs(x)) }, 1, 2},
		"tanh":      {tanh, math.Tanh, 5, 200}, // far below float32, which it is rounded to
		"tanh tiny": {tanh, math.Tanh, 0.02, 1e5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 1))
			for _, x := range special {
				assert.LessOrEqual(t, ulps(c.got(x), c.want(x)), c.limit, "of %v: got %v, want %v", x, c.got(x), c.want(x))
			}
			for range 20_000 {
				x := rng.Float64()*2*c.spread - c.spread
				if u := ulps(c.got(x), c.want(x)); u > c.limit {
					assert.LessOrEqual(t, u, c.limit, "of %v: got %v, want %v", x, c.got(x), c.want(x))
				}
			}
		})
	}
}

// Where the standard library's assembly for amd64 answers +Inf and -709.09.
func TestMathNearTheEnds(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 1.6549840276802644e+308, exp(709.7))
	assert.Equal(t, math.SmallestNonzeroFloat64, exp(-745.1))
	assert.Equal(t, -744.4400719213812, log(math.SmallestNonzeroFloat64))
	assert.Equal(t, 709.782712893384, log(math.MaxFloat64))
}

func TestPow(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -1, 2, -2, 0.5, 3.7, -3.7, math.Inf(1), math.Inf(-1), math.NaN()} {
		for _, y := range []float64{0, 1, -1, 2, 3, 0.5, -0.5, 1.7, 70, 71, -70, 1e9, math.Inf(1), math.Inf(-1), math.NaN()} {
			got, want := pow(x, y), math.Pow(x, y)
			if math.IsNaN(want) || math.IsInf(want, 0) || want == 0 {
				assert.True(t, got == want || math.IsNaN(got) && math.IsNaN(want), "%v^%v: got %v, want %v", x, y, got, want)
				continue
			}
			assert.InEpsilon(t, want, got, 1e-12, "%v^%v", x, y)
		}
	}
}

func TestFloatText(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		1: "1", -1.5: "-1.5", 0.1: "0.1", 1e10: "1e+10", 12345678: "12345678", 123456789: "1.2345679e+08", 1e-4: "0.0001", 1e-5: "1e-05",
		1.0 / 3: "0.33333333", math.Inf(1): "INF", math.Inf(-1): "-INF", 1e100: "1e+100", 99999999.9: "1e+08",
	} {
		assert.Equal(t, want, floatText(v, 8))
	}
	assert.Equal(t, "NaN", floatText(math.NaN(), 8))
}

func TestToInt(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]int64{1.9: 1, -1.9: -1, 9.3e18: math.MinInt64, -9.3e18: math.MinInt64, -9223372036854775808: math.MinInt64, math.Inf(1): math.MinInt64} {
		assert.Equal(t, want, toInt(v), "%v", v)
	}
	assert.Equal(t, int64(math.MinInt64), toInt(math.NaN()))
}

func TestSliceRange(t *testing.T) {
	t.Parallel()
	for _, c := range [][6]int64{ // start, end, step, size -> first, count
		{0, 5, 1, 5, 0, 5}, {1, math.MaxInt64, 2, 6, 1, 3}, {-1, math.MinInt64, -1, 4, 3, 4}, {-1, -100, -2, 5, 4, 3},
		{4, 2, 1, 5, 0, 0}, {0, 0, -1, 5, 0, 0}, {3, math.MinInt64, math.MinInt64, 5, 3, 1}, {0, 1, 1, 0, 0, 0}, {0, 5, math.MaxInt64, 5, 0, 1},
	} {
		first, count := sliceRange(c[0], c[1], c[2], c[3])
		assert.Equal(t, c[4:], []int64{first, count}, "%v", c[:4])
	}
}
