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
		difference: func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
			squaredErrors(b, psiB)
			mb := b.Mean(psiB)
			mean := differSquares(c, b, psi)
			rb, rc := math.Sqrt(mb), math.Sqrt(math.Max(mb+mean, 0))
			if !(rc+rb > 0) || math.IsInf(rc+rb, 0) {
				clear(psi)
				clear(psiB)
				return defined(rc), defined(rb), 0
			}
			// sqrt(C) - sqrt(B) = (C - B)/(sqrt(C) + sqrt(B)), and of the
			// influences (C_i - C)/2sqrt(C) - (B_i - B)/2sqrt(B) likewise.
			d = mean / (rc + rb)
			var scaleC, scaleB float64
			rest := 0.0
			if rc > 0 {
				scaleC = 1 / (2 * rc)
			}
			if rb > 0 {
				scaleB = 1 / (2 * rb)
				rest = -scaleB
				if rc > 0 {
					rest = -d / (2 * rb * rc)
				}
			}
			for i, square := range psiB {
				psiB[i] = (square - mb) * scaleB
				psi[i] = psi[i]*scaleC + (square-mb)*rest
			}
			return defined(rc), defined(rb), d
		},
	})
}
