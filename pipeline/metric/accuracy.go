package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(proportion(Metric{
		Name:      "accuracy",
		Doc:       "Share of rows whose predicted class is the label.",
		Tasks:     classification,
		Direction: exam.Higher,
		Needs:     NeedClass,
	}, "there are no rows", func(d *Data, i int) (bool, bool) { return true, d.Label[i] == d.Pred[i] }))
}
