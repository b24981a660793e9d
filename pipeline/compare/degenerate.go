package compare

import (
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// samePredictions reports whether what the metric reads of both models is
// equal on every row.
func (p *pair) samePredictions(m metric.Metric) bool {
	c, b := p.cand, p.base
	if m.Needs == 0 { // custom: its numbers are all that is known of it
		return slices.Equal(c.Custom[m.Name], b.Custom[m.Name])
	}
	if m.Needs&metric.NeedClass != 0 && m.Needs&metric.NeedProba == 0 && !slices.Equal(c.Pred, b.Pred) {
		return false
	}
	if m.Needs&metric.NeedProba != 0 {
		if !slices.Equal(c.Score, b.Score) {
			return false
		}
		for k := range c.Proba {
			if !slices.Equal(c.Proba[k], b.Proba[k]) {
				return false
			}
		}
	}
	return m.Needs&metric.NeedValue == 0 || slices.Equal(c.Value, b.Value)
}

// ruleOfThree bounds the improvement where both models answer all rows alike.
// Its estimate is 0 with no variance, but 0 is not what is known: of rows not
// seen, up to a share of -ln(alpha)/U may differ (three in n for 95 %: Hanley
// and Lippman-Hand, JAMA 249, 1983, 1743-1745). On such a row the metric moves
// by no more than the range of its influence function, as far as these rows
// show it; so
//
//	|improvement| <= range(psi)·(-ln alpha)/U
//
// For proportions Tango's interval says nearly the same, without assumption,
// and is used instead.
func (p *pair) ruleOfThree(q question, e estimate, psi []float64) estimate {
	if p.simple() && q.metric.Family == metric.Proportion {
		return p.proportion(q, e)
	}
	u := newUnits(psi, nil, p.cand.Weight, p.group, p.leverage(q.metric)).cand
	width := slices.Max(u) - slices.Min(u)
	half := width * -math.Log(1-q.confidence) / float64(len(u))
	if q.relative() {
		half /= e.base.V
	}
	e.low, e.high, e.bounded = -half, half, true
	e.se = half / normalQuantile(q.confidence)
	e.method, e.source = "rule of three: the models answer all rows alike", "Hanley and Lippman-Hand 1983"
	e.below = func(limit float64) float64 {
		if limit > 0 {
			return 0
		}
		return 1
	}
	if !finite(half) {
		return e.without("the numbers are too large for a variance: rescale the target")
	}
	if half == 0 {
		return e.without("the models answer all rows alike, and all rows count alike: too little to tell")
	}
	return e
}
