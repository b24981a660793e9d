package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(counted(Metric{
		Name:      "balanced_accuracy",
		Doc:       "Mean over the classes that occur of the share of their rows that are predicted as them.",
		Tasks:     classification,
		Direction: exam.Higher,
	}, func(c, g *Counts) Value {
		n := 0
		for _, a := range c.A {
			if a > 0 {
				n++
			}
		}
		if n < 2 {
			return undefined("all rows are of one class")
		}
		var sum float64
		for k, a := range c.A {
			if a <= 0 {
				continue
			}
			sum += c.T[k] / a
			if g != nil {
				g.T[k] = 1 / (a * float64(n))
				g.A[k] = -c.T[k] / (a * a * float64(n))
			}
		}
		return defined(sum / float64(n))
	}))
}
