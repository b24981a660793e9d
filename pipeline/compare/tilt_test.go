package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Of a share of hits the bound is Wilson's.
func TestLowestIsWilson(t *testing.T) {
	t.Parallel()
	z := normalQuantile(0.95)
	for _, c := range []struct{ x, n float64 }{{1, 40}, {7, 50}, {25, 50}, {300, 1000}} {
		p := c.x / c.n
		s := spreadOf([]float64{0, 1}, []float64{1 - p, p}, c.n)
		low, high := wilson(c.x, c.n, z)
		assert.InDelta(t, low, p+s.lowest(z, unseen{}), 1e-8)
		assert.InDelta(t, high, p-s.turned().lowest(z, unseen{}), 1e-8)
	}
}

// Where no row fails, the bound is the exact one.
func TestLowestOfNone(t *testing.T) {
	t.Parallel()
	z := normalQuantile(0.95)
	for _, n := range []float64{6, 20, 200, 1e5} {
		s := spreadOf([]float64{0}, []float64{1}, n)
		low := s.lowest(z, unseen{value: -1, of: n})
		assert.InDelta(t, math.Pow(0.05, 1/n)-1, low, 0.06*-low, "n %v", n)
	}
	assert.Zero(t, spreadOf([]float64{0}, []float64{1}, 50).lowest(z, unseen{}), "nothing can be lost")
}

// Many rows, of which most are held by their power sums, give what all of them
// one by one give.
func TestLowestOfMany(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{600, 5000} {
		for _, sigma := range []float64{0, 1.2} {
			x, q := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = r.NormFloat64()
				if sigma > 0 {
					x[i] = -math.Exp(sigma * x[i])
				}
				q[i] = 1 / float64(n)
			}
			z := normalQuantile(0.95)
			few, all := newSpread(x, nil, float64(n), z), spreadOf(x, q, float64(n))
			assert.Less(t, len(few.v), n/2)
			for _, u := range []unseen{{}, {value: -4, of: float64(n)}, {value: -100, of: float64(n)}} {
				assert.InEpsilon(t, all.lowest(z, u), few.lowest(z, u), 1e-5, "n %d sigma %v %v", n, sigma, u)
				assert.InEpsilon(t, all.turned().lowest(z, u), few.turned().lowest(z, u), 1e-5)
			}
		}
	}
}
