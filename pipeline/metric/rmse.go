package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func init() {
	influence := func(d *Data, psi []float64) Value {
		squaredErrors(d, psi)
		mse := d.Mean(psi)
		v := defined(math.Sqrt(mse))
		// d sqrt(m) = dm/(2 sqrt(m)); at 0 all errors are 0 and so is psi.
		scale := 0.0
		if v.V > 0 {
			scale = 1 / (2 * v.V)
		}
		for i := range psi {
			psi[i] = (psi[i] - mse) * scale
		}
		return v
	}
	register(Metric{
		Name:      "rmse",
		Doc:       "Root of the mean squared error.",
		Tasks:     regression,
		Direction: exam.Lower,
		Needs:     NeedValue,
		Family:    Smooth,
		Compute:   func(d *Data) Value { return influence(d, make([]float64, d.N)) },
		Influence: influence,
	})
}
