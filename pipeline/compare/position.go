package compare

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// SeedKind says where a candidate lies against the prediction interval of its
// own replicates.
type SeedKind string

const (
	SeedWithin  SeedKind = "within"
	SeedBetter  SeedKind = "better"
	SeedWorse   SeedKind = "worse"
	SeedUnknown SeedKind = "unknown" // too few seeds
)

// leastSeeds is the number of replicates from which on the candidate is held
// against them: with fewer, the interval is wider than any difference.
const leastSeeds = 5

// SeedConfidence is that of the two-sided prediction interval.
const SeedConfidence = 0.95

// SeedPosition is a candidate's value against the prediction interval of its own
// replicates.
type SeedPosition struct {
	Metric string   `json:"metric"`
	Kind   SeedKind `json:"kind"`
	Value  *float64 `json:"value"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	Detail string   `json:"detail"`
}

// JudgeSeed compares the candidate, the replicate of the first seed, with the
// others by the t-prediction interval for one more observation,
//
//	mean ± t(k-2)·s·sqrt(1 + 1/(k-1))
//
// over the k-1 others (Hahn and Meeker, "Statistical Intervals", 1991, 4.7).
// values are one metric's by seed, the candidate's first. A warning, no gate:
// one candidate in twenty lies outside by chance.
func JudgeSeed(name string, direction exam.Direction, values []float64) SeedPosition {
	out := SeedPosition{Metric: name, Kind: SeedUnknown}
	if len(values) > 0 && !math.IsNaN(values[0]) {
		out.Value = ptr(values[0])
	}
	if len(values) < leastSeeds {
		out.Detail = fmt.Sprintf("%d seeds: at least %d are needed for a prediction interval", len(values), leastSeeds)
		return out
	}
	var m moments
	for _, v := range values[1:] {
		m.add(v)
	}
	half := tQuantile(1-(1-SeedConfidence)/2, m.n-1) * m.sd() * math.Sqrt(1+1/m.n)
	if math.IsNaN(half) || out.Value == nil {
		out.Detail = "a replicate has no value"
		return out
	}
	low, high := m.mean-half, m.mean+half
	out.Low, out.High = ptr(low), ptr(high)
	out.Kind = SeedWithin
	above, below := values[0] > high, values[0] < low
	if direction == exam.Lower {
		above, below = below, above
	}
	switch {
	case m.sd() == 0 && values[0] == m.mean:
		out.Detail = "all seeds give the same value"
	case above:
		out.Kind = SeedBetter
		out.Detail = fmt.Sprintf("%.4g is better than %.4g to %.4g, where 19 in 20 replicates of this recipe lie", values[0], low, high)
	case below:
		out.Kind = SeedWorse
		out.Detail = fmt.Sprintf("%.4g is worse than %.4g to %.4g, where 19 in 20 replicates of this recipe lie", values[0], low, high)
	default:
		out.Detail = fmt.Sprintf("within %.4g to %.4g, where 19 in 20 replicates of this recipe lie", low, high)
	}
	return out
}
