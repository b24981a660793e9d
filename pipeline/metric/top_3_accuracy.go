package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	m := proportion(Metric{
		Name: "top_3_accuracy",
		Doc: "Share of rows whose label is among the three classes of the largest probability; of classes with equal " +
			"probabilities the later one comes first, as in scikit-learn's top_k_accuracy_score.",
		Tasks:     multiclass,
		Direction: exam.Higher,
		Needs:     NeedClass | NeedProba,
	}, "there are no rows", func(d *Data, i int) (bool, bool) {
		label := int(d.Label[i])
		own, before := d.Proba[label][i], 0
		for k := range d.Proba {
			if p := d.Proba[k][i]; p > own || (p == own && k > label) {
				before++
			}
		}
		return true, before < 3
	})
	compute, influence := m.Compute, m.Influence
	m.Compute = func(d *Data) Value {
		if len(d.Classes) <= 3 {
			return undefined("with %d classes the label is always among the first three", len(d.Classes))
		}
		return compute(d)
	}
	m.Influence = func(d *Data, psi []float64) Value {
		if v := m.Compute(d); !v.Defined() {
			return v
		}
		return influence(d, psi)
	}
	register(m)
}
