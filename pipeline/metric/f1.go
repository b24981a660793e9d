package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(counted(Metric{
		Name:      "f1",
		Doc:       "Harmonic mean of precision and recall of the positive class, 2TP/(2TP+FP+FN).",
		Tasks:     binary,
		Direction: exam.Higher,
	}, func(c, g *Counts) Value {
		k := c.Positive
		sum := c.P[k] + c.A[k]
		if sum <= 0 {
			return undefined("no row is positive or predicted positive")
		}
		if g != nil {
			g.T[k] = 2 / sum
			g.P[k] = -2 * c.T[k] / (sum * sum)
			g.A[k] = g.P[k]
		}
		return defined(2 * c.T[k] / sum)
	}))
}
