package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

func init() {
	register(Metric{
		Name: "roc_auc",
		Doc: "Area under the ROC curve: the probability that a positive row's score is above a negative row's, " +
			"ties counting half (Mann-Whitney).",
		Tasks:     binary,
		Direction: exam.Higher,
		Needs:     NeedProba,
		Family:    Rank,
		Compute: func(d *Data) Value {
			return placements(d.Order(), d.Score, d.Weight, isPositive(d), d.TotalWeight(), nil)
		},
		Influence: func(d *Data, psi []float64) Value {
			return placements(d.Order(), d.Score, d.Weight, isPositive(d), d.TotalWeight(), psi)
		},
	})
}

func isPositive(d *Data) func(i int32) bool {
	label, positive := d.Label, int32(d.Positive)
	return func(i int32) bool { return label[i] == positive }
}

// placements walks the rows in ascending order of score, one run of ties at a
// time, and returns the AUC. Where psi is not nil it receives the influence
// function, which rests on the placement values of DeLong, DeLong and
// Clarke-Pearson (Biometrics 44, 1988): V10_i, the share of negatives under
// the positive row i, and V01_j, the share of positives above the negative
// row j (ties half):
//
//	psi_i = (V10_i - AUC)·W/W+    psi_j = (V01_j - AUC)·W/W-
func placements(order []int32, score, weight []float64, positive func(int32) bool, total float64, psi []float64) Value {
	w := func(i int32) float64 {
		if weight == nil {
			return 1
		}
		return weight[i]
	}
	var pos, neg float64
	var nPos, nNeg int
	for _, i := range order {
		if positive(i) {
			pos += w(i)
			nPos++
		} else {
			neg += w(i)
			nNeg++
		}
	}
	if nPos == 0 || pos <= 0 {
		return undefined("no row is positive")
	}
	if nNeg == 0 || neg <= 0 {
		return undefined("no row is negative")
	}
	var below, area float64 // weight of negatives, and of positives, under the run
	var posBelow float64
	for from := 0; from < len(order); {
		to := from + 1
		s := score[order[from]]
		for to < len(order) && score[order[to]] == s {
			to++
		}
		var runPos, runNeg float64
		for _, i := range order[from:to] {
			if positive(i) {
				runPos += w(i)
			} else {
				runNeg += w(i)
			}
		}
		v10 := (below + runNeg/2) / neg
		v01 := (pos - posBelow - runPos/2) / pos
		area += runPos * v10
		if psi != nil {
			for _, i := range order[from:to] {
				if positive(i) {
					psi[i] = v10
				} else {
					psi[i] = v01
				}
			}
		}
		below += runNeg
		posBelow += runPos
		from = to
	}
	auc := min(max(area/pos, 0), 1) // sums of weights round
	if psi != nil {
		for _, i := range order {
			if positive(i) {
				psi[i] = (psi[i] - auc) * (total / pos)
			} else {
				psi[i] = (psi[i] - auc) * (total / neg)
			}
		}
	}
	return defined(auc)
}
