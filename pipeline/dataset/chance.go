package dataset

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const (
	// chanceLevel is the probability by which honest tables are taken for ones
	// that share rows.
	chanceLevel = 0.001
	// leastShared is the number of equal rows below which nothing is concluded.
	leastShared = 5
)

// met is how many rows of a table meet a row of the training table: an
// evaluation row any, a training row any but itself.
type met struct {
	rows, of int
	squares  float64 // sum over the keys of the squares of their rows
}

// beyondChance reports whether more evaluation rows equal a training row than
// the rate at which training rows equal each other gives.
//
// A training row that equals another one is what a new row of the same
// population is that equals a training row: the leave-one-out estimate of the
// same probability. The two counts are compared by the exact conditional test of
// two Poisson rates: given both together, the first is binomial with the share of
// its rows (Przyborowski & Wilenski, Biometrika 31, 1940, 313-323), one-sided at
// chanceLevel. Rows that repeat do so in clumps, and a clump is one event and
// not as many as it has rows; both counts are divided by the size of the clump
// that a row finds itself in on average, sum of n² over sum of n, of the table
// where it is larger.
func beyondChance(eval, train met) bool {
	if eval.rows < leastShared || eval.of == 0 || train.of == 0 {
		return false
	}
	clump := eval.squares / float64(eval.rows)
	if train.rows > 0 {
		clump = math.Max(clump, train.squares/float64(train.rows))
	}
	k, m := float64(eval.rows)/clump, float64(train.rows)/clump
	share := float64(eval.of) / float64(eval.of+train.of)
	// P(X >= k) of a binomial of k+m trials; fractions as the beta function has them.
	return mathext.RegIncBeta(k, m+1, share) < chanceLevel
}
