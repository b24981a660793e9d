package op

import "math"

// The functions here give the same bits on every architecture: math.Exp and
// math.Log have assembly on some only, and the compiler may fuse a product and
// a sum unless the product is converted, as it is throughout.

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
	log2e = 1.44269504088896338700e+00
)

// exp is e^x within one unit in the last place: x = k·ln2 + r, e^r by a
// rational approximation on |r| <= ln2/2 (FreeBSD's e_exp.c, W. Kahan's
// method), scaled by 2^k.
func exp(x float64) float64 {
	switch {
	case math.IsNaN(x), math.IsInf(x, 1):
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019411:
		return 0
	}
	k := int(float64(log2e*x) + math.Copysign(0.5, x))
	hi := x - float64(float64(k)*ln2Hi)
	lo := float64(float64(k) * ln2Lo)
	r := hi - lo
	t := float64(r * r)
	p := 1.66666666666666657415e-01 + float64(t*(-2.77777777770155933842e-03+float64(t*(6.61375632143793436117e-05+float64(t*(-1.65339022054652515390e-06+float64(t*4.13813679705723846039e-08)))))))
	c := r - float64(t*p)
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	// Two factors keep both in range where the result is subnormal or near the
	// largest number.
	half := k / 2
	return y * power2(half) * power2(k-half)
}

func power2(k int) float64 { return math.Float64frombits(uint64(1023+k) << 52) }

// log is the natural logarithm within one unit in the last place: x = 2^k·f
// with f in [√2/2, √2), log f by a polynomial in s = (f-1)/(f+1) (FreeBSD's
// e_log.c).
func log(x float64) float64 {
	switch {
	case math.IsNaN(x), math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, ki := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		ki--
	}
	f--
	k := float64(ki)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s2 * (6.666666666666735130e-01 + float64(s4*(2.857142874366239149e-01+float64(s4*(1.818357216161805012e-01+float64(s4*1.479819860511658591e-01)))))))
	t2 := float64(s4 * (3.999999999940941908e-01 + float64(s4*(2.222219843214978396e-01+float64(s4*1.531383769920937332e-01)))))
	r := t1 + t2
	hfsq := float64(float64(0.5*f) * f)
	return float64(k*ln2Hi) - ((hfsq - (float64(s*(hfsq+r)) + float64(k*ln2Lo))) - f)
}

// tanh by e^2x; near zero, where that cancels, by its series.
func tanh(x float64) float64 {
	switch a := math.Abs(x); {
	case a > 22:
		return math.Copysign(1, x)
	case a < 1e-2:
		x2 := float64(x * x)
		return float64(x * (1 - float64(x2*(1./3-float64(x2*(2./15-float64(x2*(17./315))))))))
	}
	e := exp(2 * x)
	return (e - 1) / (e + 1)
}

// pow is x^y with C's special cases. For whole y up to 64 it multiplies, so
// that squares and cubes are exact where they can be; else e^(y·log x), good
// to about 1e-13, far below float32.
func pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case x == 0 || math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Pow(x, y) // special cases only: no arithmetic in it
	case y == 0.5:
		return math.Sqrt(x)
	}
	whole := y == math.Trunc(y)
	if whole && math.Abs(y) <= 64 {
		p := 1.0
		for range int(math.Abs(y)) {
			p *= x
		}
		if y < 0 {
			return 1 / p
		}
		return p
	}
	if x < 0 {
		if !whole {
			return math.NaN()
		}
		p := exp(float64(y * log(-x)))
		if math.Abs(y) < 1<<53 && int64(y)%2 != 0 {
			return -p
		}
		return p
	}
	return exp(float64(y * log(x)))
}

// log1p is log(1+x) with its digits also where 1+x loses those of x: the
// rounding of 1+x is divided out (W. Kahan).
func log1p(x float64) float64 {
	u := 1 + x
	switch {
	case u == 1:
		return x
	case math.IsInf(u, 0) || u <= 0 || math.IsNaN(u):
		return log(u)
	}
	return log(u) * x / (u - 1)
}

// expm1 is e^x - 1 with its digits also near zero, by the same device.
func expm1(x float64) float64 {
	u := exp(x)
	switch {
	case u == 1:
		return x
	case u-1 == -1 || math.IsInf(u, 0) || math.IsNaN(u):
		return u - 1
	}
	return (u - 1) * x / log(u)
}

// sigmoid is 1/(1+e^-x), computed from the side that neither overflows nor
// cancels.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + exp(-x))
	}
	e := exp(x)
	return e / (1 + e)
}

// Coefficients of quantile, constant term first.
var (
	quantileMiddle = [2][8]float64{
		{3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
		{1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3},
	}
	quantileTail = [2][8]float64{
		{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
		{1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9},
	}
	quantileFarTail = [2][8]float64{
		{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
		{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15},
	}
)

// quantile is the p-quantile of the standard normal distribution, √2·erfinv(2p-1),
// to about 16 digits: M. J. Wichura, Algorithm AS 241, Applied Statistics 37
// (1988). The tails are computed from p and 1-p, not from 2p-1.
func quantile(p float64) float64 {
	switch {
	case math.IsNaN(p) || p < 0 || p > 1:
		return math.NaN()
	case p == 0 || p == 1:
		return math.Inf(int(2*p - 1))
	}
	ratio := func(c *[2][8]float64, x float64) float64 { return polynomial(&c[0], x) / polynomial(&c[1], x) }
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		return q * ratio(&quantileMiddle, 0.180625-float64(q*q))
	}
	r := math.Sqrt(-log(min(p, 1-p)))
	v := 0.0
	if r <= 5 {
		v = ratio(&quantileTail, r-1.6)
	} else {
		v = ratio(&quantileFarTail, r-5)
	}
	return math.Copysign(v, q)
}

func polynomial(c *[8]float64, x float64) float64 {
	y := c[7]
	for i := 6; i >= 0; i-- {
		y = float64(y*x) + c[i]
	}
	return y
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
