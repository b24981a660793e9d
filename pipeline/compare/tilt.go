package compare

import (
	"math"
	"sort"
)

// spread is a distribution over what a row may contribute to an estimate: the
// values of the rows that were seen, with their shares, about their mean.
//
// The rows far from the mean are held one by one. Of the others, which can be
// many, the first power sums are enough (see far).
type spread struct {
	v, q   []float64            // far values and their shares
	near   [nearMoments]float64 // sum q·v^k of the rest
	n      float64              // rows, or as many equal independent ones as tell as much
	sd     float64              // sum q·v², rooted
	lo, hi float64              // least and largest value
}

const (
	nearMoments = 9
	// exactRows are held one by one whatever they are.
	exactRows = 512
)

// newSpread takes the values x with weights (nil: equal) that tell as much as n
// rows. x is read only.
func newSpread(x, weight []float64, n, zMax float64) spread {
	s := spread{n: n}
	var total, mean float64
	if weight == nil {
		total = float64(len(x))
		for _, v := range x {
			mean += v
		}
	} else {
		for i, v := range x {
			total += weight[i]
			mean += weight[i] * v
		}
	}
	mean /= total
	var m2 float64
	for i, v := range x {
		w := 1.0
		if weight != nil {
			w = weight[i]
		}
		m2 += w * (v - mean) * (v - mean)
	}
	s.sd = math.Sqrt(m2 / total)
	// Rows within cut of the mean have (v+nu)^±½ from eight terms of its series
	// to 1e-7: nu, of which cut is a sixth, is about sd·sqrt(n)/2z at the bound.
	cut := s.sd * math.Sqrt(n) / (12 * zMax)
	if len(x) <= exactRows {
		cut = -1
	}
	s.divide(x, weight, total, mean, cut)
	return s
}

// divide holds the values further than cut from the mean one by one, and the
// power sums of the others. Those stand in variables, not in s.near, since that
// takes a third of the time.
func (s *spread) divide(x, weight []float64, total, mean, cut float64) {
	var m0, m1, m2, m3, m4, m5, m6, m7, m8 float64
	lo, hi, q := 0.0, 0.0, 1/total
	for i, v := range x {
		v -= mean
		lo, hi = min(lo, v), max(hi, v)
		if weight != nil {
			q = weight[i] / total
		}
		if v > cut || v < -cut {
			s.v, s.q = append(s.v, v), append(s.q, q)
			continue
		}
		pow := q
		m0 += pow
		pow *= v
		m1 += pow
		pow *= v
		m2 += pow
		pow *= v
		m3 += pow
		pow *= v
		m4 += pow
		pow *= v
		m5 += pow
		pow *= v
		m6 += pow
		pow *= v
		m7 += pow
		pow *= v
		m8 += pow
	}
	s.lo, s.hi = lo, hi
	s.near = [nearMoments]float64{m0, m1, m2, m3, m4, m5, m6, m7, m8}
}

// spreadOf makes a spread of few values with shares that sum to 1.
func spreadOf(v, q []float64, n float64) spread {
	s := spread{n: n, v: make([]float64, len(v)), q: q}
	var mean float64
	for i, x := range v {
		mean += q[i] * x
	}
	for i, x := range v {
		s.v[i] = x - mean
		s.lo, s.hi = math.Min(s.lo, x-mean), math.Max(s.hi, x-mean)
		s.sd += q[i] * (x - mean) * (x - mean)
	}
	s.sd = math.Sqrt(s.sd)
	return s
}

// turned is the spread of the values with the opposite sign.
func (s spread) turned() spread {
	t := s
	t.v = make([]float64, len(s.v))
	for i, v := range s.v {
		t.v[i] = -v
	}
	for k := 1; k < nearMoments; k += 2 {
		t.near[k] = -s.near[k]
	}
	t.lo, t.hi = -s.hi, -s.lo
	return t
}

// unseen is what a row that was not seen could be: its value (about the mean,
// as the spread's), and how many rows of its class were seen without one.
type unseen struct {
	value float64
	of    float64
}

// lowest returns the least mean that the data do not reject, as a distance from
// the observed one (not over 0): over all shares p of the seen values and of one
// unseen value,
//
//	min sum p·v   where   n·sum (q - p)²/p <= z²
//
// the constraint being Pearson's chi-square of what was seen. For a share of
// hits it is the score interval of Wilson (JASA 22, 1927); for values it is the
// member of the empirical likelihoods of Baggerly (Biometrika 85, 1998, 535-547)
// that is quadratic in the data, over a support that holds the unseen value too.
// The minimum has p ~ q/sqrt(v + nu).
//
// Where a value was never seen, z² rows of it are allowed, which for z = 1.645
// is 2.7 and under the exact -ln(0.05) = 3.0: extra rows make up for that.
func (s spread) lowest(z float64, u unseen) float64 {
	low, _ := s.tilt(z, u)
	return low
}

// extraRows are the rows to count as seen in the unseen value, so that of n
// rows without any the bound is the exact 1 - alpha^(1/n) (Clopper and Pearson,
// Biometrika 26, 1934).
func extraRows(z, n float64) float64 {
	alpha := normalCDF(-z)
	rows := -math.Log(alpha)
	if n > 0 {
		rows = n * math.Expm1(rows/n)
	}
	return math.Max(rows-z*math.Sqrt(rows), 0)
}

// tilt returns the least mean and the nu at which it is found; shares follow
// as tilted does.
func (s spread) tilt(z float64, u unseen) (low float64, t tilted) {
	lo := math.Min(s.lo, u.value)
	if lo >= 0 {
		return 0, tilted{flat: true}
	}
	extra := 0.0
	if u.value < 0 {
		extra = extraRows(z, u.of)
	}
	n := s.n + extra
	t = tilted{extra: extra / n, value: u.value}
	budget := z * z / n
	// chi(nu) = S+·S- - 1 falls from infinity (or from a finite value, where the
	// least value has no share) to 0.
	excess := func(nu float64) float64 {
		plus, minus := s.sums(nu, t)
		return plus*minus - 1 - budget
	}
	edge := -lo
	start := math.Max(s.sd*math.Sqrt(n)/(2*z), 1e-3*edge)
	at, found := root(excess, edge, edge+start)
	t.nu = at
	plus, minus := s.sums(at, t)
	if !found {
		// The unseen value takes what the chi-square leaves.
		t.more = 1 - plus*minus/(1+budget)
	}
	t.minus = minus
	return (1-t.more)*(plus/minus-at) + t.more*u.value, t
}

// tilted holds the shares at the bound: p = q (1-more)/(minus sqrt(v+nu)) of
// the seen, of the unseen value what is left.
type tilted struct {
	nu, minus, extra, more, value float64
	flat                          bool
}

// share of a value with the share q.
func (t tilted) share(v, q float64) float64 {
	if t.flat {
		return q
	}
	return q * (1 - t.extra) * (1 - t.more) / (t.minus * math.Sqrt(v+t.nu))
}

// unseenShare is the share of the unseen value.
func (t tilted) unseenShare() float64 {
	if t.flat || t.extra == 0 {
		return t.more
	}
	return t.more + t.extra*(1-t.more)/(t.minus*math.Sqrt(t.value+t.nu))
}

// sums returns sum q·(v+nu)^½ and sum q·(v+nu)^-½, the unseen value's extra
// share among them.
func (s spread) sums(nu float64, t tilted) (plus, minus float64) {
	for i, v := range s.v {
		r := math.Sqrt(v + nu)
		plus += s.q[i] * r
		minus += s.q[i] / r
	}
	if s.near[0] > 0 {
		r := math.Sqrt(nu)
		cPlus, cMinus, pow := 1.0, 1.0, 1.0
		var sPlus, sMinus float64
		for k, m := range s.near {
			sPlus += cPlus * m * pow
			sMinus += cMinus * m * pow
			cPlus *= (0.5 - float64(k)) / float64(k+1)
			cMinus *= (-0.5 - float64(k)) / float64(k+1)
			pow /= nu
		}
		plus += r * sPlus
		minus += sMinus / r
	}
	plus, minus = plus*(1-t.extra), minus*(1-t.extra)
	if t.extra > 0 {
		if d := t.value + nu; d > 0 {
			r := math.Sqrt(d)
			plus += t.extra * r
			minus += t.extra / r
		} else {
			minus = math.Inf(1)
		}
	}
	return plus, minus
}

// root finds where f, which falls from the edge on, is 0: by bisection of the
// distance from the edge on a logarithmic scale, closed by the secant's Illinois
// variant. found is false where f is not over 0 next to the edge.
func root(f func(float64) float64, edge, start float64) (at float64, found bool) {
	x := func(l float64) float64 { return edge + math.Exp(l) }
	l := math.Log(start - edge)
	a, b := l, l
	fa, fb := f(x(a)), 0.0
	fb = fa
	for step := 1.0; fa <= 0; step *= 2 {
		b, fb = a, fa
		a -= step
		if x(a) <= edge || a < l-60 {
			return edge, false
		}
		fa = f(x(a))
	}
	for step := 1.0; fb > 0; step *= 2 {
		a, fa = b, fb
		b += step
		if b > l+200 {
			return x(b), true
		}
		fb = f(x(b))
	}
	side := 0
	for range 80 {
		if b-a < 1e-9 {
			break
		}
		c := b - fb*(b-a)/(fb-fa)
		if !(c > a && c < b) || math.IsInf(fa, 0) {
			c = (a + b) / 2
		}
		fc := f(x(c))
		switch {
		case fc == 0:
			return x(c), true
		case fc > 0:
			a, fa = c, fc
			if side == 1 {
				fb /= 2
			}
			side = 1
		default:
			b, fb = c, fc
			if side == -1 {
				fa /= 2
			}
			side = -1
		}
		if math.Abs(fc) < 1e-13 {
			return x(c), true
		}
	}
	return x((a + b) / 2), true
}

// tail returns how far a row worse than any seen is taken to lie: where the
// largest of the values on one side fall off as a power law of index a, rows
// beyond the largest have the mean max·a/(a-1) (Pareto). The index is Hill's
// estimate (Annals of Statistics 3, 1975, 1163-1174) of the k = sqrt(n), at
// least 10, largest. Of a few dozen extremes it cannot tell an exponential tail,
// of which the largest is enough, from a power law of an index over 2.4; under
// 1.9 the whole of the law counts, between them a part of it.
func tail(x []float64) float64 {
	n := len(x)
	k := max(int(math.Sqrt(float64(n))), 10)
	largest := 0.0
	if k >= n {
		for _, v := range x {
			largest = math.Max(largest, v)
		}
		return 2 * largest
	}
	top := make([]float64, 0, k+1)
	for _, v := range x {
		switch {
		case len(top) <= k:
			top = append(top, v)
			if len(top) > k {
				sort.Float64s(top) // a sorted slice is a heap
			}
		case v > top[0]:
			top[0] = v
			sink(top)
		}
	}
	for _, v := range top {
		largest = math.Max(largest, v)
	}
	at := top[0]
	if largest <= 0 {
		return 0
	}
	if at <= 0 {
		return mostBeyond * largest // nearly all rows are alike
	}
	var sum float64
	for _, v := range top {
		sum += math.Log(v / at)
	}
	index := float64(k) / math.Max(sum, 1e-9)
	part := math.Min(math.Max((lightTail-index)/(lightTail-heavyTail), 0), 1)
	return largest * (1 + part*(beyond(index)-1))
}

// Tail indices of a power law, see tail.
const (
	heavyTail = 1.9
	lightTail = 2.4
)

// mostBeyond bounds a/(a-1) where the index says that there is no mean.
const mostBeyond = 10

func beyond(index float64) float64 {
	if index <= mostBeyond/(mostBeyond-1.0) {
		return mostBeyond
	}
	return index / (index - 1)
}
