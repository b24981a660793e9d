package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// epsilon is the distance of 1 to the next float64; probabilities are clipped
// to [epsilon, 1-epsilon] as scikit-learn's log_loss does.
const epsilon = 2.220446049250313e-16

func init() {
	register(mean(Metric{
		Name:  "log_loss",
		Doc:   "Mean of -ln of the probability given to the label, clipped to 2.2e-16 from 0 and 1.",
		Tasks: classification,
		Needs: NeedClass | NeedProba,
	}, func(d *Data, dst []float64) string {
		for i, label := range d.Label {
			var p float64
			if d.Task == exam.Binary {
				if p = d.Score[i]; int(label) != d.Positive {
					p = 1 - p
				}
			} else {
				p = d.Proba[label][i]
			}
			dst[i] = -math.Log(min(max(p, epsilon), 1-epsilon))
		}
		return ""
	}))
}
