package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func init() {
	influence := func(d *Data, psi []float64) Value {
		absoluteErrors(d, psi)
		order := SortedOrder(psi)
		m := quantile(psi, order, d, 0.5)
		s := sparsity(psi, order, d)
		var below float64
		for i, a := range psi {
			if a <= m {
				below += d.W(i)
			}
		}
		below /= d.TotalWeight()
		for i, a := range psi {
			if a <= m {
				psi[i] = (below - 1) * s
			} else {
				psi[i] = below * s
			}
		}
		return defined(m)
	}
	register(Metric{
		Name:      "median_ae",
		Doc:       "Median of |target - value|; with weights the averaged inverse of their cumulative sum (Hyndman and Fan, Am. Stat. 50, 1996, definition 2).",
		Tasks:     regression,
		Direction: exam.Lower,
		Needs:     NeedValue,
		Family:    Quantile,
		Loss:      func(d *Data, dst []float64) string { absoluteErrors(d, dst); return "" },
		Compute: func(d *Data) Value {
			abs := make([]float64, d.N)
			absoluteErrors(d, abs)
			return defined(quantile(abs, SortedOrder(abs), d, 0.5))
		},
		Influence: influence,
	})
}

// quantile returns the q-quantile of x, whose ascending order is given: the
// first value at which the cumulative weight exceeds q, averaged with the
// next one where it reaches q exactly.
func quantile(x []float64, order []int32, d *Data, q float64) float64 {
	var total float64 // in this order, so that the last sum is the total exactly
	for _, i := range order {
		total += d.W(int(i))
	}
	want := q * total
	var sum float64
	for at, i := range order {
		w := d.W(int(i))
		sum += w
		if w <= 0 || sum < want {
			continue
		}
		if sum-want > epsilon {
			return x[i]
		}
		for _, j := range order[at+1:] {
			if d.W(int(j)) > 0 {
				return (x[i] + x[j]) / 2
			}
		}
		return x[i]
	}
	return x[order[len(order)-1]]
}

// sparsity estimates 1/f(median), f being the density of x, by a difference of
// quantiles with the bandwidth of Hall and Sheather (JRSS B 50, 1988) for 95 %:
//
//	h = n^(-1/3) z^(2/3) (1.5 phi(0)²)^(1/3)
//
// The influence of a row on the median is (1/2 - [x_i <= median])/f.
func sparsity(x []float64, order []int32, d *Data) float64 {
	n := float64(d.N)
	if d.Weight != nil {
		var w, w2 float64
		for _, v := range d.Weight {
			w += v
			w2 += v * v
		}
		n = w * w / w2
	}
	const z, phi0 = 1.959963984540054, 0.3989422804014327
	h := min(math.Cbrt(z*z*1.5*phi0*phi0/n), 0.49)
	return (quantile(x, order, d, 0.5+h) - quantile(x, order, d, 0.5-h)) / (2 * h)
}
