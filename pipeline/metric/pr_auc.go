package metric

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func init() {
	register(Metric{
		Name: "pr_auc",
		Doc: "Average precision: the mean over positive rows of the precision at their score, " +
			"sum_n (R_n - R_{n-1}) P_n, without interpolation (scikit-learn's average_precision_score).",
		Tasks:     binary,
		Direction: exam.Higher,
		Needs:     NeedProba,
		Family:    Smooth,
		Compute:   func(d *Data) Value { return averagePrecision(d, nil) },
		Influence: averagePrecision,
	})
}

// averagePrecision returns AP = N/pi with N = sum_{y=1} f A(s)/B(s), A(s) the
// share of rows that are positive with a score of at least s, B(s) the share
// with a score of at least s, pi the share of positives. Its influence at a
// row (y, s), by differentiating N and pi along (1-e)F + e·row, is
//
//	psi = (dN - AP (y - pi))/pi
//	dN  = y A(s)/B(s) - N + sum_{y'=1, s'<=s} f' (y/B(s') - A(s')/B(s')²)
func averagePrecision(d *Data, psi []float64) Value {
	order, total := d.Order(), d.TotalWeight()
	positive := isPositive(d)
	var pi float64
	for _, i := range order {
		if positive(i) {
			pi += d.W(int(i)) / total
		}
	}
	if pi <= 0 {
		return undefined("no row is positive")
	}
	// Runs of equal scores, from the highest: A, B and the run's positives.
	type run struct {
		from, to  int
		a, b, pos float64
	}
	var runs []run
	var a, b, n float64
	for to := len(order); to > 0; {
		from := to - 1
		s := d.Score[order[from]]
		for from > 0 && d.Score[order[from-1]] == s {
			from--
		}
		var pos float64
		for _, i := range order[from:to] {
			w := d.W(int(i)) / total
			b += w
			if positive(i) {
				pos += w
			}
		}
		a += pos
		if pos > 0 {
			n += pos * a / b
		}
		if psi != nil {
			runs = append(runs, run{from, to, a, b, pos})
		}
		to = from
	}
	ap := math.Min(n/pi, 1) // sums of shares round
	if psi == nil {
		return defined(ap)
	}
	// From the lowest score up, the sums of f'/B and f'A/B² over s' <= s.
	var sumB, sumA float64
	for r := len(runs) - 1; r >= 0; r-- {
		u := runs[r]
		if u.pos > 0 {
			sumB += u.pos / u.b
			sumA += u.pos * u.a / (u.b * u.b)
		}
		for _, i := range order[u.from:u.to] {
			y, at := 0.0, 0.0
			if positive(i) {
				y, at = 1, u.a/u.b
			}
			psi[i] = (at - n + y*sumB - sumA - ap*(y-pi)) / pi
		}
	}
	return defined(ap)
}

// LeastPrecision returns the average precision of d when a share of new rows
// answered as badly as can be joins it: the lesser of positives under all
// others,
//
//	AP' = (N + share·(pi + share)/(1 + share))/(pi + share)
//
// and negatives above all others, which stand before every precision.
func LeastPrecision(d *Data, share float64) float64 {
	order, total := d.Order(), d.TotalWeight()
	positive := isPositive(d)
	var a, b, n, above float64
	for to := len(order); to > 0; {
		from := to - 1
		s := d.Score[order[from]]
		for from > 0 && d.Score[order[from-1]] == s {
			from--
		}
		var pos float64
		for _, i := range order[from:to] {
			w := d.W(int(i)) / total
			b += w
			if positive(i) {
				pos += w
			}
		}
		a += pos
		if pos > 0 {
			n += pos * a / b
			above += pos * a / (b + share)
		}
		to = from
	}
	if a <= 0 {
		return 0
	}
	below := (n + share*(a+share)/(1+share)) / (a + share)
	return math.Min(math.Min(below, above/a), 1)
}
