package compare

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// LuckKind says where a candidate lies among its own replicates.
type LuckKind string

const (
	Usual   LuckKind = "usual"
	Lucky   LuckKind = "lucky"
	Unlucky LuckKind = "unlucky"
	Inert   LuckKind = "inert" // too few seeds to say
)

// leastSeeds is the number of replicates from which on luck is judged: with
// fewer, the interval is wider than any candidate is lucky.
const leastSeeds = 5

// LuckConfidence is that of the two-sided prediction interval.
const LuckConfidence = 0.95

// Luck is a candidate's value against the prediction interval of its own
// replicates.
type Luck struct {
	Metric string   `json:"metric"`
	Kind   LuckKind `json:"kind"`
	Value  *float64 `json:"value"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	Detail string   `json:"detail"`
}

// JudgeLuck compares the candidate, the replicate of the first seed, with the
// others by the t-prediction interval for one more observation,
//
//	mean ± t(k-2)·s·sqrt(1 + 1/(k-1))
//
// over the k-1 others (Hahn and Meeker, "Statistical Intervals", 1991, 4.7).
// values are one metric's by seed, the candidate's first. A warning, no gate:
// one candidate in twenty lies outside by chance.
func JudgeLuck(name string, direction exam.Direction, values []float64) Luck {
	out := Luck{Metric: name, Kind: Inert}
	if len(values) > 0 && !math.IsNaN(values[0]) {
		out.Value = ptr(values[0])
	}
	if len(values) < leastSeeds {
		out.Detail = fmt.Sprintf("%d seeds, and fewer than %d cannot tell luck", len(values), leastSeeds)
		return out
	}
	var m moments
	for _, v := range values[1:] {
		m.add(v)
	}
	half := tQuantile(1-(1-LuckConfidence)/2, m.n-1) * m.sd() * math.Sqrt(1+1/m.n)
	if math.IsNaN(half) || out.Value == nil {
		out.Detail = "a replicate has no value"
		return out
	}
	low, high := m.mean-half, m.mean+half
	out.Low, out.High = ptr(low), ptr(high)
	out.Kind = Usual
	above, below := values[0] > high, values[0] < low
	if direction == exam.Lower {
		above, below = below, above
	}
	switch {
	case m.sd() == 0 && values[0] == m.mean:
		out.Detail = "all seeds give the same value"
	case above:
		out.Kind = Lucky
		out.Detail = fmt.Sprintf("%.4g is better than %.4g to %.4g, where 19 in 20 replicates of this recipe lie: a lucky seed", values[0], low, high)
	case below:
		out.Kind = Unlucky
		out.Detail = fmt.Sprintf("%.4g is worse than %.4g to %.4g, where 19 in 20 replicates of this recipe lie: an unlucky seed", values[0], low, high)
	default:
		out.Detail = fmt.Sprintf("within %.4g to %.4g, where 19 in 20 replicates of this recipe lie", low, high)
	}
	return out
}
