package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// differPair is two models of some hundred rows that answer a share of step
// apart.
func differPair(task exam.Task, step float64, weighted bool) (c, b *Data) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 400
	c = &Data{Task: task, N: n, Classes: []string{"0", "1"}, Positive: 1}
	b = &Data{Task: task, N: n, Classes: []string{"0", "1"}, Positive: 1}
	for range n {
		z := r.NormFloat64()
		if weighted {
			c.Weight = append(c.Weight, math.Exp(r.NormFloat64()))
		}
		move := step * r.NormFloat64()
		if task == exam.Regression {
			c.Target = append(c.Target, 5+z)
			v := 5 + z + r.NormFloat64()
			b.Value, c.Value = append(b.Value, v), append(c.Value, v+move)
			continue
		}
		c.Label = append(c.Label, int32(r.IntN(2)))
		p := 1 / (1 + math.Exp(-z))
		b.Score, c.Score = append(b.Score, p), append(c.Score, p*(1+0.1*move))
		b.Pred, c.Pred = append(b.Pred, int32(r.IntN(2))), append(c.Pred, int32(r.IntN(2)))
	}
	b.Target, b.Label, b.Weight = c.Target, c.Label, c.Weight
	return c, b
}

// Differ is the difference of what Influence says of both; where they are far
// apart both ways agree.
func TestDiffer(t *testing.T) {
	t.Parallel()
	for _, task := range []exam.Task{exam.Binary, exam.Regression} {
		for _, weighted := range []bool{false, true} {
			c, b := differPair(task, 0.3, weighted)
			for _, m := range ForTask(task) {
				if m.Influence == nil || !m.Of(c).Defined() {
					continue
				}
				psiC, psiB, got := make([]float64, c.N), make([]float64, c.N), make([]float64, c.N)
				vc, vb := m.Influence(c, psiC), m.Influence(b, psiB)
				gotB := make([]float64, c.N)
				valueC, valueB, d := m.Differ(c, b, got, gotB)
				assert.InDelta(t, vc.V, valueC.V, 1e-13, m.Name)
				assert.InDelta(t, vb.V, valueB.V, 1e-13, m.Name)
				assert.InDelta(t, vc.V-vb.V, d, 1e-12, m.Name)
				for i := range got {
					require.InDelta(t, psiB[i], gotB[i], 1e-12, "%s row %d", m.Name, i)
					require.InDelta(t, psiC[i]-psiB[i], got[i], 1e-11, "%s row %d", m.Name, i)
				}
			}
		}
	}
}

// Of models that answer 1e-10 apart the influence of the difference is a small
// multiple of that, to six digits: a tenth of the step makes a tenth of it.
func TestDifferOfNearlyEqual(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mae", "mse", "rmse", "r2", "explained_variance"} {
		m, err := Lookup(name)
		require.NoError(t, err)
		// Differences of 2^-34 and 2^-10 times the same whole numbers, which
		// add to the answers without rounding.
		at := func(step float64) (float64, []float64) {
			r := rand.New(rand.NewPCG(5, 6))
			c, b := &Data{Task: exam.Regression, N: 300}, &Data{Task: exam.Regression, N: 300}
			for range c.N {
				y := float64(r.IntN(50))
				v := y + float64(2*r.IntN(9)-9)
				c.Target, b.Value = append(c.Target, y), append(b.Value, v)
				c.Value = append(c.Value, v+step*float64(r.IntN(7)-3))
			}
			b.Target = c.Target
			psi := make([]float64, c.N)
			_, _, d := m.Differ(c, b, psi, make([]float64, c.N))
			return d / step, psi
		}
		small, psi := at(math.Ldexp(1, -34))
		large, other := at(math.Ldexp(1, -24))
		assert.InDelta(t, large, small, 1e-5*(1+math.Abs(large)), name)
		for i := range psi {
			require.InDelta(t, other[i]*math.Ldexp(1, 24), psi[i]*math.Ldexp(1, 34), 1e-4, "%s row %d", name, i)
		}
	}
}
