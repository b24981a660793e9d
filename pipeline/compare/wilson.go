package compare

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// wilson returns Wilson's score interval of a proportion: x hits of n (JASA
// 22, 1927).
func wilson(x, n, z float64) (low, high float64) {
	p := x / n
	center := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return math.Max(center-half, 0), math.Min(center+half, 1)
}

// clopperPearson returns the exact bounds of a proportion, each at the
// confidence of one side (Biometrika 26, 1934): the values at which as many
// hits, or as few, have the probability alpha. Wilson's bound on the far side of
// a share near 0 or 1 misses the truth up to 18 times in 100 instead of 5. x and
// n need not be whole.
func clopperPearson(x, n, alpha float64) (low, high float64) {
	low, high = 0, 1
	if x > 0 {
		low = mathext.InvRegIncBeta(x, n-x+1, alpha)
	}
	if x < n {
		high = mathext.InvRegIncBeta(x+1, n-x, 1-alpha)
	}
	return low, high
}
