package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(counted(Metric{
		Name:      "precision",
		Doc:       "Share of the rows predicted positive that are positive, TP/(TP+FP).",
		Tasks:     binary,
		Direction: exam.Higher,
	}, func(c, g *Counts) Value {
		k := c.Positive
		if c.P[k] <= 0 {
			return undefined("no row is predicted positive")
		}
		if g != nil {
			g.T[k] = 1 / c.P[k]
			g.P[k] = -c.T[k] / (c.P[k] * c.P[k])
		}
		return defined(c.T[k] / c.P[k])
	}))
}
