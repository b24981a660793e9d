package compare

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// RecipesInput asks whether one recipe, not one model, is not worse than
// another: each is seen through its seed replicates on the same rows.
type RecipesInput struct {
	Exam      exam.Exam
	Metric    exam.Metric
	Candidate []*predictions.Set // by seed, two at least
	// Baseline by seed; a single one is a fixed model, such as the one in
	// production, and its own seed's luck is part of it.
	Baseline []*predictions.Set
}

// RecipesResult compares the means over seeds.
type RecipesResult struct {
	Metric      string          `json:"metric"`
	Direction   exam.Direction  `json:"direction"`
	N           int             `json:"n"`
	Seeds       [2]int          `json:"seeds"`     // of candidate and baseline
	Candidate   *float64        `json:"candidate"` // mean over seeds
	Baseline    *float64        `json:"baseline"`
	Improvement *float64        `json:"improvement"`
	CI          *Interval       `json:"ci"`
	SE          *float64        `json:"se"`
	DF          *float64        `json:"df"` // Satterthwaite
	Components  *Components     `json:"components"`
	Margin      *exam.Margin    `json:"margin"`
	Verdict     verdict.Verdict `json:"verdict,omitempty"`
	Improved    bool            `json:"improved"`
	Reason      string          `json:"reason,omitempty"`
}

// Components are the parts of the variance of the difference.
type Components struct {
	SeedsCandidate float64 `json:"seeds_candidate"` // between seeds, over their number
	SeedsBaseline  float64 `json:"seeds_baseline"`  // 0 for a fixed model
	Rows           float64 `json:"rows"`            // of the seeds' mean over rows or groups
	Interaction    float64 `json:"interaction"`     // in both of the above, and so taken off once
}

// Recipes compares two recipes by crossed variance components. With Y_su the
// contribution of unit u (row or group) under seed s, seeds and units are
// crossed random effects:
//
//	Y_su = mean + seed_s + unit_u + rest_su
//	Var  = S_C/k_C + S_B/k_B + R/U - E_C/(k_C U) - E_B/(k_B U)
//
// S is the variance of the seeds' values, R that of the units' difference of
// seed means, E the mean square of the rest, which S/k and R/U both hold once.
// Degrees of freedom by Satterthwaite (Biometrics Bulletin 2, 1946):
// Var²/sum(part²/df). Resampling five seeds would understate their variance by
// a fifth and knows no t. (Searle, Casella and McCulloch, "Variance
// Components", 1992, chapter 4.)
func Recipes(in RecipesInput) (RecipesResult, error) {
	m, err := metric.Lookup(in.Metric.Name)
	if err != nil {
		return RecipesResult{}, fault.Usage(err)
	}
	q := question{metric: m, direction: m.Direction, confidence: in.Exam.Confidence, margin: in.Metric.Margin}
	out := RecipesResult{Metric: m.Name, Direction: m.Direction, Seeds: [2]int{len(in.Candidate), len(in.Baseline)}, Margin: in.Metric.Margin}
	if q.margin != nil {
		if err := m.CheckMargin(*q.margin); err != nil {
			return RecipesResult{}, fault.Usage(err)
		}
		out.Verdict = verdict.Inconclusive
	}
	if len(in.Candidate) < 2 || len(in.Baseline) < 1 {
		out.Reason = "comparing recipes takes two seeds of the candidate, and one of the baseline, at least"
		return out, nil
	}
	if m.Influence == nil {
		out.Reason = m.Name + " is report-only"
		return out, nil
	}
	c, why, err := newReplicates(in.Exam, m, in.Candidate[0], in.Candidate)
	if err != nil || why != "" {
		out.Reason = why
		return out, err
	}
	b, why, err := newReplicates(in.Exam, m, in.Candidate[0], in.Baseline)
	if err != nil || why != "" {
		out.Reason = why
		return out, err
	}
	out.N = in.Candidate[0].N
	out.Candidate, out.Baseline = ptr(c.values.mean), ptr(b.values.mean)
	out.Improvement = ptr(q.sign() * (c.values.mean - b.values.mean))
	e := contrastRecipes(q, c, b)
	if !e.bounded {
		out.Reason = e.reason
		return out, nil
	}
	out.CI, out.SE, out.DF, out.Components = e.interval(q), ptr(e.se), ptr(e.df), &e.parts
	out.Improved = e.low > 0
	if q.margin != nil {
		out.Verdict, out.Reason = e.verdict(q)
	}
	return out, nil
}

// replicates are one recipe's values and units by seed.
type replicates struct {
	values moments
	mean   []float64 // units, averaged over seeds
	rest   float64   // mean square of what is neither seed nor unit; 0 for one seed
	df     float64   // of the units
}

func newReplicates(ex exam.Exam, m metric.Metric, first *predictions.Set, sets []*predictions.Set) (*replicates, string, error) {
	var bySeed [][]float64
	out := &replicates{}
	for _, set := range sets {
		p, _, err := newPair(ex, first, set)
		if err != nil {
			return nil, "", err
		}
		if why := m.Applies(p.base); why != "" {
			return nil, why, nil
		}
		if why := p.tooLittle(m); why != "" {
			return nil, why, nil
		}
		psi := make([]float64, p.base.N)
		v := m.Influence(p.base, psi)
		if !v.Defined() {
			return nil, fmt.Sprintf("undefined for a replicate: %s", v.Reason), nil
		}
		u := newUnits(psi, nil, p.base.Weight, p.group, p.leverage(m))
		out.df = u.df
		out.values.add(v.V)
		bySeed = append(bySeed, u.cand)
	}
	out.summarise(bySeed)
	return out, "", nil
}

func (r *replicates) summarise(bySeed [][]float64) {
	k, u := float64(len(bySeed)), len(bySeed[0])
	r.mean = make([]float64, u)
	for _, units := range bySeed {
		for i, z := range units {
			r.mean[i] += z / k
		}
	}
	if k < 2 {
		return
	}
	for _, units := range bySeed {
		for i, z := range units {
			d := z - r.mean[i]
			r.rest += d * d
		}
	}
	r.rest /= (k - 1) * (float64(u) - 1)
}

type recipesEstimate struct {
	estimate
	df    float64
	parts Components
}

// contrastRecipes bounds the improvement of the seed means.
func contrastRecipes(q question, c, b *replicates) recipesEstimate {
	r, sign, scale := q.slope(), q.sign(), 1.0
	e := recipesEstimate{}
	e.point = sign * (c.values.mean - b.values.mean)
	if q.relative() {
		if scale = b.values.mean; scale <= 0 {
			e.estimate = e.without("the baseline's value is %.6g, and nothing is relative to 0 or less", scale)
			return e
		}
		e.point /= scale
	}
	units := float64(len(c.mean))
	kc, kb := c.values.n, b.values.n
	var rows float64
	for i, z := range c.mean {
		d := z - r*b.mean[i]
		rows += d * d
	}
	e.parts.Rows = rows / (units * (units - 1))
	e.parts.SeedsCandidate = sq(c.values.sd()) / kc
	e.parts.SeedsBaseline = r * r * sq(b.values.sd()) / kb
	e.parts.Interaction = c.rest/(kc*units) + r*r*b.rest/(kb*units)
	seeds := e.parts.SeedsCandidate + e.parts.SeedsBaseline
	// A difference of mean squares can be too small by chance; neither rows
	// nor seeds alone vary less than they do.
	variance := math.Max(seeds+e.parts.Rows-e.parts.Interaction, math.Max(seeds, e.parts.Rows))
	if !finite(variance, e.point) {
		e.estimate = e.without("the numbers are too large for a variance: rescale the target")
		return e
	}
	if variance <= 0 {
		e.estimate = e.without("the standard error is 0: too little to tell")
		return e
	}
	terms := sq(e.parts.SeedsCandidate)/(kc-1) + sq(e.parts.Rows)/c.df
	if kb > 1 {
		terms += sq(e.parts.SeedsBaseline) / (kb - 1)
	}
	e.df = variance * variance / terms
	e.se = math.Sqrt(variance) / scale
	t := tQuantile(q.confidence, e.df)
	e.low, e.high, e.bounded = e.point-t*e.se, e.point+t*e.se, true
	e.method, e.source = "crossed variance components of seeds and rows, Satterthwaite t", "Satterthwaite 1946"
	return e
}

func sq(x float64) float64 { return x * x }
