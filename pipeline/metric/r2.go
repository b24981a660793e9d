package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(explained("r2", "Coefficient of determination, 1 - mean (target - value)² / variance of the target.", false))
	register(explained("explained_variance", "1 - variance of the errors / variance of the target.", true))
}

// explained builds 1 - E/V, E the mean square of the errors (about their mean
// when centred) and V the variance of the target. With E_i and V_i the rows'
// squares:
//
//	psi = -(E_i - E)/V + (E/V²)(V_i - V)
func explained(name, doc string, centred bool) Metric {
	influence := func(d *Data, psi []float64) Value {
		if constant(d) {
			return undefined("the target is constant, so there is no variance to explain")
		}
		yMean := d.Mean(d.Target)
		for i, y := range d.Target {
			psi[i] = y - d.Value[i]
		}
		eMean := 0.0
		if centred {
			eMean = d.Mean(psi)
		}
		var e, v float64
		for i, y := range d.Target {
			w := d.W(i)
			e += w * (psi[i] - eMean) * (psi[i] - eMean)
			v += w * (y - yMean) * (y - yMean)
		}
		e, v = e/d.TotalWeight(), v/d.TotalWeight()
		if v <= 0 {
			return undefined("the target's variance is too small for a floating-point number")
		}
		for i, y := range d.Target {
			psi[i] = -((psi[i]-eMean)*(psi[i]-eMean)-e)/v + e/(v*v)*((y-yMean)*(y-yMean)-v)
		}
		return defined(1 - e/v)
	}
	return Metric{
		Name:             name,
		Doc:              doc,
		Tasks:            regression,
		Direction:        exam.Higher,
		Needs:            NeedValue,
		Family:           Smooth,
		MayBeNonPositive: true,
		Compute:          func(d *Data) Value { return influence(d, make([]float64, d.N)) },
		Influence:        influence,
		difference: func(c, b *Data, psi, psiB []float64) (vc, vb Value, d float64) {
			if vc, vb = influence(c, psi), influence(b, psiB); !vc.Defined() || !vb.Defined() {
				return vc, vb, 0
			}
			var e float64
			if centred {
				e = differCentred(c, b, psi)
			} else {
				e = differSquares(c, b, psi)
			}
			yMean := c.Mean(c.Target)
			var v float64
			for i, y := range c.Target {
				v += c.W(i) * (y - yMean) * (y - yMean)
			}
			v /= c.TotalWeight()
			for i, y := range c.Target {
				psi[i] = -psi[i]/v + e/(v*v)*((y-yMean)*(y-yMean)-v)
			}
			return vc, vb, -e / v
		},
	}
}

// differCentred is differSquares for errors about their mean: their difference
// and their sum are centred, as (x-a)² - (y-b)² = (x-y-(a-b))·(x+y-(a+b)).
func differCentred(c, b *Data, psi []float64) float64 {
	less, sum := psi, make([]float64, c.N)
	for i, y := range c.Target {
		less[i] = c.Value[i] - b.Value[i]
		sum[i] = (c.Value[i] - y) + (b.Value[i] - y)
	}
	lessMean, sumMean := c.exactMean(less), c.exactMean(sum)
	for i := range psi {
		psi[i] = (less[i] - lessMean) * (sum[i] - sumMean)
	}
	mean := c.exactMean(psi)
	for i := range psi {
		psi[i] -= mean
	}
	return mean
}

// constant reports whether all targets with a weight are equal.
func constant(d *Data) bool {
	first := -1
	for i, y := range d.Target {
		if d.W(i) <= 0 {
			continue
		}
		if first < 0 {
			first = i
		} else if y != d.Target[first] {
			return false
		}
	}
	return true
}
