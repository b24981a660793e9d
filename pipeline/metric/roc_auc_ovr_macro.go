package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(Metric{
		Name: "roc_auc_ovr_macro",
		Doc: "Mean over the classes of the AUC of p_<class> for the class against the rest " +
			"(Provost and Domingos, Machine Learning 52, 2003, unweighted).",
		Tasks:     multiclass,
		Direction: exam.Higher,
		Needs:     NeedClass | NeedProba,
		Family:    Smooth,
		Compute:   func(d *Data) Value { return ovrMacro(d, nil) },
		Influence: ovrMacro,
	})
}

func ovrMacro(d *Data, psi []float64) Value {
	var one []float64
	if psi != nil {
		one = make([]float64, d.N)
		clear(psi)
	}
	classes := float64(len(d.Classes))
	var sum float64
	for k := range d.Classes {
		positive := func(i int32) bool { return int(d.Label[i]) == k }
		v := placements(SortedOrder(d.Proba[k]), d.Proba[k], d.Weight, positive, d.TotalWeight(), one)
		if !v.Defined() {
			return undefined("class %q has no rows, or all of them", d.Classes[k])
		}
		sum += v.V
		for i, p := range one {
			psi[i] += p / classes
		}
	}
	return defined(min(sum/classes, 1))
}
