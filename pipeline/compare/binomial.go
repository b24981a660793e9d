package compare

import (
	"math"
	"math/rand/v2"
)

// factorials holds ln k! for k up to n.
type factorials []float64

func newFactorials(n int) factorials {
	f := make(factorials, n+1)
	for k := 2; k <= n; k++ {
		f[k] = f[k-1] + math.Log(float64(k))
	}
	return f
}

// binomial draws the number of successes in n trials of probability p: by
// inversion where few are expected, else by Hörmann's transformed rejection
// BTRS (J. Stat. Comput. Simul. 46, 1993, 101-110), about one try a draw.
func binomial(r *rand.Rand, f factorials, n int, p float64) int {
	switch {
	case n == 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(r, f, n, 1-p)
	}
	mean := float64(n) * p
	if mean < 10 {
		return inversion(r, n, p)
	}
	q := 1 - p
	spq := math.Sqrt(mean * q)
	b := 1.15 + 2.53*spq
	a := -0.0873 + 0.0248*b + 0.01*p
	c := mean + 0.5
	alpha := (2.83 + 5.1/b) * spq
	vr := 0.92 - 4.2/b
	mode := int(float64(n+1) * p)
	odds := math.Log(p / q)
	top := f[mode] + f[n-mode]
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := int(math.Floor((2*a/us+b)*u + c))
		if us >= 0.07 && v <= vr {
			return k
		}
		if k < 0 || k > n {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		if v <= top-f[k]-f[n-k]+float64(k-mode)*odds {
			return k
		}
	}
}

// inversion walks the probabilities P(X = k) up from 0.
func inversion(r *rand.Rand, n int, p float64) int {
	q := 1 - p
	s := p / q
	prob := math.Exp(float64(n) * math.Log1p(-p))
	for u, k := r.Float64(), 0; ; k++ {
		if u < prob || k == n {
			return k
		}
		u -= prob
		prob *= s * float64(n-k) / float64(k+1)
	}
}
