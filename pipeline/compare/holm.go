package compare

import "sort"

// holm returns the p-values adjusted by Holm's step-down method (Scandinavian
// Journal of Statistics 6, 1979, 65-70): rejecting where the adjusted value is
// at most alpha keeps the probability of any false rejection at alpha.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	adjusted := make([]float64, len(p))
	var highest float64
	for rank, i := range order {
		highest = max(highest, min(float64(len(p)-rank)*p[i], 1))
		adjusted[i] = highest
	}
	return adjusted
}
