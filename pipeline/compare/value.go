package compare

import (
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// valueOf bounds the candidate's own value, for floors and ceilings.
func (p *pair) valueOf(m metric.Metric, confidence float64) estimate {
	p = (&pair{cand: p.cand, group: p.group, groups: p.groups}).counting()
	d := p.cand
	var e estimate
	if why := m.Applies(d); why != "" {
		e.cand = metric.Value{Reason: why}
		return e.without("%s", why)
	}
	if m.Influence == nil {
		e.cand = m.Of(d)
		return e.without("report-only")
	}
	c := p.newValue(m)
	if e.cand = c.values[0]; !e.cand.Defined() {
		return e.without("undefined: %s", e.cand.Reason)
	}
	e.point = e.cand.V
	if why := p.tooLittle(m); why != "" {
		return e.without("%s", why)
	}
	q := question{metric: m, direction: exam.Higher, confidence: confidence}
	if m.Family == metric.Proportion {
		return p.share(q, e, c)
	}
	if m.Family == metric.Quantile && discrete(d, m) {
		return p.orderStatistics(q, e)
	}
	e = p.bounded(q, e, c)
	if m.Family == metric.Mean && e.bounded {
		e.method = "t" + strings.TrimPrefix(e.method, "paired t")
	}
	if e.bounded && (m.Needs&(metric.NeedClass|metric.NeedProba) != 0 || m.Name == "r2") && m.Family != metric.Mean {
		e.high = math.Min(e.high, 1)
	}
	return e
}

// share bounds a share of hits.
func (p *pair) share(q question, e estimate, c contrast) estimate {
	m := q.metric
	e.method, e.source = "exact interval of a proportion", "Clopper and Pearson 1934"
	parts := p.classed(m, c.x)
	n, z := 0.0, normalQuantile(q.confidence)
	df := math.Inf(1)
	if p.simple() {
		n, _ = p.worth(m, c.x, parts, 0)
	} else {
		s := p.variance(m, c, parts)
		if s.df < 1 {
			return e.without("not enough data: the rows tell as much as %.1f independent ones", s.df+1)
		}
		n, _ = p.worth(m, c.x, parts, s.v.cc)
		e.noPass = p.tooFewGroups(m, parts)
		e.method += " at the effective number of rows"
		df = s.df
	}
	at := func(times float64) (low, high float64) {
		t := tQuantile(q.confidence, df*times)
		n := n * times * (z / t) * (z / t)
		return clopperPearson(e.point*n, n, 1-q.confidence)
	}
	e.low, e.high = at(1)
	e.bounded = true
	e.se = (e.high - e.low) / (2 * z)
	e.half = func(times float64) float64 {
		low, high := at(times)
		return (high - low) / 2
	}
	return e
}
