package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// eceBins is the number of equal-width bins of ece.
const eceBins = 15

func init() {
	register(Metric{
		Name: "ece",
		Doc: "Expected calibration error in 15 equal-width bins (Guo et al., ICML 2017): the mean over rows of " +
			"|share hit - mean probability| of their bin; of the positive class for two classes, of the predicted class " +
			"(its largest probability) for more. Biased upwards in small samples and not smooth: report-only.",
		Tasks:     classification,
		Direction: exam.Lower,
		Needs:     NeedClass | NeedProba,
		Family:    ReportOnly,
		Compute: func(d *Data) Value {
			var hit, conf [eceBins]float64
			for i, label := range d.Label {
				var p float64
				var ok bool
				if d.Task == exam.Binary {
					p, ok = d.Score[i], int(label) == d.Positive
				} else {
					top := 0
					for k := range d.Proba {
						if d.Proba[k][i] > d.Proba[top][i] {
							top = k
						}
					}
					p, ok = d.Proba[top][i], int(label) == top
				}
				// Bins are (b/15, (b+1)/15]; 0 belongs to the first.
				b := min(max(int(math.Ceil(p*eceBins))-1, 0), eceBins-1)
				w := d.W(i)
				conf[b] += w * p
				if ok {
					hit[b] += w
				}
			}
			var sum float64
			for b := range hit {
				sum += math.Abs(hit[b] - conf[b])
			}
			return defined(sum / d.TotalWeight())
		},
	})
}
