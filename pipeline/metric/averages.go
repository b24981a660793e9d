package metric

import (
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// The averages of precision, recall and f1 over classes, with the values of
// scikit-learn's precision_recall_fscore_support(average=...) where they are
// defined. A class that neither occurs nor is predicted is left out. Where
// scikit-learn fills a class's undefined precision or recall with 0, the
// average is undefined here.
func init() {
	for _, base := range []string{"precision", "recall", "f1"} {
		register(counted(Metric{
			Name:      base + "_macro",
			Doc:       "Mean of " + base + " over the classes.",
			Tasks:     classification,
			Direction: exam.Higher,
		}, averaged(base, false)))
		register(counted(Metric{
			Name:      base + "_weighted",
			Doc:       "Mean of " + base + " over the classes, weighted by how often they occur.",
			Tasks:     classification,
			Direction: exam.Higher,
		}, averaged(base, true)))
		register(proportion(Metric{
			Name:      base + "_micro",
			Doc:       "The same as accuracy: with one class a row, every false positive of one class is a false negative of another.",
			Tasks:     classification,
			Direction: exam.Higher,
			Needs:     NeedClass,
		}, "there are no rows", func(d *Data, i int) (bool, bool) { return true, d.Label[i] == d.Pred[i] }))
	}
}

// averaged returns the mean over classes of num_k/den_k, where num = T and
// den = P (precision), A (recall) or (P+A)/2 (f1).
func averaged(base string, weighted bool) func(c, g *Counts) Value {
	pP, pA := 0.5, 0.5
	switch base {
	case "precision":
		pP, pA = 1, 0
	case "recall":
		pP, pA = 0, 1
	}
	return func(c, g *Counts) Value {
		var n int
		var totalA float64
		for k := range c.T {
			if c.P[k] > 0 || c.A[k] > 0 {
				n++
			}
			totalA += c.A[k]
		}
		var sum float64
		for k := range c.T {
			if c.P[k] <= 0 && c.A[k] <= 0 {
				continue
			}
			share := 1 / float64(n)
			if weighted {
				// Shares sum to 1, but for their rounding.
				if share = c.A[k] / totalA; share <= 0 {
					continue
				}
			}
			den := pP*c.P[k] + pA*c.A[k]
			if den <= 0 {
				if base == "precision" {
					return undefined("class %q is never predicted", c.Classes[k])
				}
				return undefined("class %q is predicted but never occurs", c.Classes[k])
			}
			ratio := c.T[k] / den
			sum += share * ratio
			if g != nil {
				g.T[k] += share / den
				g.P[k] -= share * pP * ratio / den
				g.A[k] -= share * pA * ratio / den
				if weighted {
					g.A[k] += ratio
				}
			}
		}
		return defined(sum)
	}
}
