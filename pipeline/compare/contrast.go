package compare

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// contrast is what a metric reads of the rows: of two models the improvement, of
// one its value, both oriented so that more is better.
type contrast struct {
	diff   float64         // the improvement, or the value
	base   float64         // the baseline's value, oriented as it is (two models)
	values [2]metric.Value // of candidate and baseline
	x      []float64       // influence of each row on diff, about a mean of 0
	psiB   []float64       // influence of each row on base; nil for one model
	// same: the metric reads the same of both models on every row.
	same bool
}

// scaled returns the influence of each row on diff - ratio·base, divided by
// scale.
func (c contrast) scaled(ratio, scale float64) []float64 {
	if ratio == 0 && scale == 1 {
		return c.x
	}
	out := make([]float64, len(c.x))
	for i, v := range c.x {
		out[i] = (v - ratio*c.psiB[i]) / scale
	}
	return out
}

// newContrast compares two models by m, oriented by sign.
func (p *pair) newContrast(m metric.Metric, sign float64) contrast {
	c := contrast{x: make([]float64, p.cand.N), psiB: make([]float64, p.cand.N)}
	c.values[0], c.values[1], c.diff = m.Differ(p.cand, p.base, c.x, c.psiB)
	c.base = c.values[1].V
	c.diff *= sign
	c.same = c.diff == 0
	for i, v := range c.x {
		c.x[i] = sign * v
		c.same = c.same && v == 0
	}
	return c
}

// newValue is the contrast of one model with nothing; its values are oriented
// as they are.
func (p *pair) newValue(m metric.Metric) contrast {
	c := contrast{x: make([]float64, p.cand.N)}
	c.values[0] = m.Influence(p.cand, c.x)
	c.diff = c.values[0].V
	c.same = allZero(c.x)
	return c
}

// classes returns a function from rows to classes whose rows are drawn apart
// from each other's, and their number: labels of a classification, of which a
// share of hits reads only the rows that count; one class else. A row of class
// -1 does not count.
func (p *pair) classes(m metric.Metric) (of func(i int) int, k int) {
	d := p.cand
	if d.Task == exam.Regression || m.Needs == 0 {
		return func(int) int { return 0 }, 1
	}
	if m.Family == metric.Proportion {
		return func(i int) int {
			if counts, _ := m.Hit(d, i); !counts {
				return -1
			}
			return int(d.Label[i])
		}, len(d.Classes)
	}
	return func(i int) int { return int(d.Label[i]) }, len(d.Classes)
}

// class is what is known of the rows of one class.
type class struct {
	rows    int
	share   float64 // of the weight of the rows that count
	nEff    float64 // (sum w)²/sum w² (Kish 1965)
	groups  int     // that have a row of it
	gEff    float64 // 1/sum h², h the groups' shares of its weight
	squares float64 // its part of the variance, up to a factor
}

// classed sums the rows' influence x up by class: in groups, the groups' sums.
func (p *pair) classed(m metric.Metric, x []float64) []class {
	of, k := p.classes(m)
	out := make([]class, k)
	w2 := make([]float64, k)
	var total float64
	for i := range p.cand.N {
		if c := of(i); c >= 0 {
			w := p.cand.W(i)
			out[c].rows++
			out[c].share += w
			w2[c] += w * w
			total += w
			if p.group == nil {
				out[c].squares += w * x[i] * w * x[i]
			}
		}
	}
	if p.group != nil {
		p.classedGroups(of, x, out)
	}
	for c := range out {
		if w2[c] > 0 {
			out[c].nEff = out[c].share * out[c].share / w2[c]
		}
		out[c].share /= total
	}
	return out
}

func (p *pair) classedGroups(of func(int) int, x []float64, out []class) {
	k := len(out)
	sum, weight := make([]float64, k*p.groups), make([]float64, k*p.groups)
	for i := range p.cand.N {
		if c := of(i); c >= 0 {
			w, at := p.cand.W(i), c*p.groups+int(p.group[i])
			sum[at] += w * x[i]
			weight[at] += w
		}
	}
	for c := range out {
		var h2 float64
		for g := range p.groups {
			at := c*p.groups + g
			if weight[at] <= 0 {
				continue
			}
			out[c].groups++
			h := weight[at] / out[c].share // share is still a sum of weights
			h2 += h * h
			out[c].squares += sum[at] * sum[at]
		}
		if h2 > 0 {
			out[c].gEff = 1 / h2
		}
	}
}

// freedom returns the degrees of freedom of the variance: Satterthwaite's
// (Biometrics Bulletin 2, 1946) of the classes' parts, each with as many as it
// has (effective) rows or groups less one, at most those of all of them. Where
// positives lie in few groups, counting all groups takes a few sums for many.
func (p *pair) freedom(m metric.Metric, parts []class) float64 {
	var sum, terms, most, h2 float64
	for _, c := range parts {
		n := c.nEff
		if p.group != nil {
			n = c.gEff
		}
		if c.rows == 0 {
			continue
		}
		most += n
		if c.squares <= 0 {
			continue
		}
		sum += c.squares
		terms += c.squares * c.squares / math.Max(n-1, 1e-9)
	}
	most = math.Max(most-1, 0)
	if p.group != nil {
		for _, h := range p.leverage(m) {
			h2 += h * h
		}
		most = math.Max(1/h2-1, 0)
	}
	if sum <= 0 || !finite(sum*sum) || p.simple() && m.Family != metric.Rank {
		return most
	}
	return math.Min(sum*sum/terms, most)
}
