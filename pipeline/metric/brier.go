package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(mean(Metric{
		Name: "brier",
		Doc: "Mean squared error of the probabilities (Brier, Mon. Weather Rev. 78, 1950): of the positive class " +
			"for two classes (0 to 1), summed over the classes for more (0 to 2).",
		Tasks:       classification,
		Needs:       NeedClass | NeedProba,
		BoundedLoss: true,
		Span:        2,
	}, func(d *Data, dst []float64) string {
		if d.Task == exam.Binary {
			for i, label := range d.Label {
				e := d.Score[i]
				if int(label) == d.Positive {
					e = 1 - e
				}
				dst[i] = e * e
			}
			return ""
		}
		clear(dst)
		for k, p := range d.Proba {
			for i, label := range d.Label {
				e := p[i]
				if int(label) == k {
					e = 1 - e
				}
				dst[i] += e * e
			}
		}
		return ""
	}))
}
