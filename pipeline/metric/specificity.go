package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(proportion(Metric{
		Name:      "specificity",
		Doc:       "Share of the negative rows that are predicted negative, TN/(TN+FP).",
		Tasks:     binary,
		Direction: exam.Higher,
		Needs:     NeedClass,
	}, "no row is negative", func(d *Data, i int) (bool, bool) {
		return int(d.Label[i]) != d.Positive, d.Label[i] == d.Pred[i]
	}))
}
