package compare

import "math"

// wilson returns Wilson's score interval of a proportion: x hits of n (JASA
// 22, 1927). n may be an effective number and z a quantile of t.
func wilson(x, n, z float64) (low, high float64) {
	p := x / n
	center := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return math.Max(center-half, 0), math.Min(center+half, 1)
}
