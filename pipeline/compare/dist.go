package compare

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// normalQuantile returns z with P(Z <= z) = p.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// normalCDF returns P(Z <= z).
func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// tQuantile returns t with P(T <= t) = p for df degrees of freedom, which need
// not be whole.
func tQuantile(p, df float64) float64 {
	if df > 1e6 {
		return normalQuantile(p)
	}
	if p == 0.5 {
		return 0
	}
	if p < 0.5 {
		return -tQuantile(1-p, df)
	}
	// P(|T| > t) = I_x(df/2, 1/2) with x = df/(df+t²).
	x := mathext.InvRegIncBeta(df/2, 0.5, 2*(1-p))
	return math.Sqrt(df * (1 - x) / x)
}

// tCDF returns P(T <= t).
func tCDF(t, df float64) float64 {
	if df > 1e6 {
		return normalCDF(t)
	}
	half := mathext.RegIncBeta(df/2, 0.5, df/(df+t*t)) / 2
	if t > 0 {
		return 1 - half
	}
	return half
}
