package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(proportion(Metric{
		Name:      "recall",
		Doc:       "Share of the positive rows that are predicted positive, TP/(TP+FN).",
		Tasks:     binary,
		Direction: exam.Higher,
		Needs:     NeedClass,
	}, "no row is positive", func(d *Data, i int) (bool, bool) {
		return int(d.Label[i]) == d.Positive, d.Label[i] == d.Pred[i]
	}))
}
