package native

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

func exp32(x float32) float32 { return float32(exp(float64(x))) }

// logistic is 1/(1+e^-x) in onnxruntime's form, float32 throughout.
func logistic(x float32) float32 {
	v := 1 / (1 + exp32(-abs32(x)))
	if x < 0 {
		return 1 - v
	}
	return v
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// probit is √2·erfinv(2x-1) with the approximation of erfinv that onnxruntime
// uses (S. Winitzki, a = 0.147).
func probit(x float32) float32 {
	y := float32(2*x) - 1
	sign := float32(1)
	if y < 0 {
		sign = -1
	}
	l := float32(log(float64(float32((1 - y) * (1 + y)))))
	v := float32(2/float32(float32(3.14159)*float32(0.147))) + float32(0.5*l)
	v2 := float32(float32(1/float32(0.147)) * l)
	v3 := -v + sqrt32(float32(v*v)-v2)
	return float32(float32(1.41421356) * float32(sign*sqrt32(v3)))
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// softmax replaces a row by its softmax.
func softmax(row []float32) {
	top := float32(-math.MaxFloat32)
	for _, v := range row {
		if v > top {
			top = v
		}
	}
	sum := float32(0)
	for i, v := range row {
		row[i] = exp32(v - top)
		sum += row[i]
	}
	for i := range row {
		row[i] /= sum
	}
}

// softmaxZero is softmax over the entries that are not zero; zeros stay.
func softmaxZero(row []float32) {
	top := float32(-math.MaxFloat32)
	for _, v := range row {
		if v > top {
			top = v
		}
	}
	scale, sum := exp32(-top), float32(0)
	for i, v := range row {
		if v > 1e-7 || v < -1e-7 {
			row[i] = exp32(v - top)
			sum += row[i]
		} else {
			row[i] = float32(v * scale)
		}
	}
	for i := range row {
		row[i] /= sum
	}
}

// The post_transform attribute of the ai.onnx.ml operators.
const (
	transformNone        = "NONE"
	transformLogistic    = "LOGISTIC"
	transformSoftmax     = "SOFTMAX"
	transformSoftmaxZero = "SOFTMAX_ZERO"
	transformProbit      = "PROBIT"
)

func (n *node) postTransform() string {
	return n.choice("post_transform", transformNone, transformNone, transformLogistic, transformSoftmax, transformSoftmaxZero, transformProbit)
}

// transformRow applies a post_transform to the scores of one row.
func transformRow(transform string, row []float32) {
	switch transform {
	case transformLogistic:
		for i, v := range row {
			row[i] = logistic(v)
		}
	case transformProbit:
		for i, v := range row {
			row[i] = probit(v)
		}
	case transformSoftmax:
		softmax(row)
	case transformSoftmaxZero:
		softmaxZero(row)
	}
}
