package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(counted(Metric{
		Name:             "cohen_kappa",
		Doc:              "Agreement beyond chance, (sum T - sum PA)/(1 - sum PA) (Cohen, Educ. Psychol. Meas. 20, 1960).",
		Tasks:            classification,
		Direction:        exam.Higher,
		MayBeNonPositive: true,
		Span:             2, // -1 to 1
	}, func(c, g *Counts) Value {
		t, pa, u, v := agreement(c)
		if u <= 0 && v <= 0 && pa > 0 {
			return undefined("all rows are of one class and predicted as it, so agreement by chance is complete")
		}
		if g != nil {
			slope := -(1 - t) / ((1 - pa) * (1 - pa))
			for k := range c.T {
				g.T[k] = 1 / (1 - pa)
				g.P[k] = slope * c.A[k]
				g.A[k] = slope * c.P[k]
			}
		}
		return defined((t - pa) / (1 - pa))
	}))
}
