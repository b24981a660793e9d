package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func init() {
	register(counted(Metric{
		Name: "mcc",
		Doc: "Matthews correlation, for several classes the R_K of Gorodkin (Comput. Biol. Chem. 28, 2004): " +
			"(sum T - sum PA)/sqrt((1 - sum P²)(1 - sum A²)), T, P, A being shares.",
		Tasks:            classification,
		Direction:        exam.Higher,
		MayBeNonPositive: true,
		Span:             2, // -1 to 1
	}, func(c, g *Counts) Value {
		t, pa, u, v := agreement(c)
		if u <= 0 {
			return undefined("all rows are predicted as one class")
		}
		if v <= 0 {
			return undefined("all rows are of one class")
		}
		root := math.Sqrt(u * v)
		m := (t - pa) / root
		if g != nil {
			for k := range c.T {
				g.T[k] = 1 / root
				g.P[k] = -c.A[k]/root + m*c.P[k]/u
				g.A[k] = -c.P[k]/root + m*c.A[k]/v
			}
		}
		return defined(m)
	}))
}

// agreement returns the observed agreement sum T, the agreement by chance
// sum P·A, and 1 - sum P² and 1 - sum A², computed as sums of products of
// different classes so that a single class gives exactly 0.
func agreement(c *Counts) (t, pa, u, v float64) {
	var restP, restA float64
	for k := range c.T {
		restP += c.P[k]
		restA += c.A[k]
	}
	totalP, totalA := restP, restA
	for k := range c.T {
		t += c.T[k]
		pa += c.P[k] * c.A[k]
		if c.P[k] > 0 && c.P[k] < totalP {
			u += c.P[k] * (totalP - c.P[k])
		}
		if c.A[k] > 0 && c.A[k] < totalA {
			v += c.A[k] * (totalA - c.A[k])
		}
	}
	if single(c.P) {
		u = 0
	}
	if single(c.A) {
		v = 0
	}
	return t, pa, u, v
}

// single reports whether only one entry of x is not zero.
func single(x []float64) bool {
	n := 0
	for _, v := range x {
		if v > 0 {
			n++
		}
	}
	return n <= 1
}
