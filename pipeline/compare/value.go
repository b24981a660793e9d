package compare

import (
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// valueOf bounds the candidate's own value, for floors and ceilings. limit is
// the nearer of them, at which a bootstrap must not stop too early.
func (p *pair) valueOf(m metric.Metric, confidence, limit float64, seed uint64) estimate {
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
	psi := make([]float64, d.N)
	if e.cand = m.Influence(d, psi); !e.cand.Defined() {
		return e.without("undefined: %s", e.cand.Reason)
	}
	e.point = e.cand.V
	if why := p.tooLittle(m); why != "" {
		return e.without("%s", why)
	}
	u := newUnits(psi, nil, d.Weight, p.group, p.leverage(m))
	v := u.covariance()
	t := tQuantile(confidence, u.df)
	e.bounded = true
	switch {
	case m.Family == metric.Proportion:
		z := t
		n := 0.0
		var w, w2 float64
		for i := range d.N {
			if counts, _ := m.Hit(d, i); counts {
				w += d.W(i)
				w2 += d.W(i) * d.W(i)
			}
		}
		n = w * w / w2
		e.method, e.source = "score interval of a proportion", "Wilson 1927"
		if p.simple() {
			z = normalQuantile(confidence)
		} else {
			e.method += " at the effective number of rows"
			if iid := e.point * (1 - e.point) / n; p.group != nil && iid > 0 {
				n /= math.Max(1, v.cc/iid)
			} else if p.group != nil {
				n = math.Min(n, float64(p.groups))
			}
		}
		e.low, e.high = wilson(e.point*n, n, z)
		e.se = (e.high - e.low) / (2 * z)
		return e
	case m.Family == metric.Counted && p.simple() && d.N <= bootstrapRows:
		j := newJoint(m, d, nil, func(c, _ float64) float64 { return c })
		e.method, e.source = "BCa bootstrap of counts", "Efron 1987"
		q := question{metric: m, direction: exam.Higher, confidence: confidence, seed: seed, margin: &exam.Margin{Value: -limit}}
		return e.resampled(q, j.bca(e.point, confidence, limit, seed), true)
	case m.Family == metric.Rank && d.Weight == nil:
		positive := func(i int) bool { return int(d.Label[i]) == d.Positive }
		if p.group != nil {
			v = obuchowski(psi, nil, positive, p.group, p.groups, true)
		} else {
			v, u.df = delong(psi, nil, positive, 0)
			t = tQuantile(confidence, u.df)
		}
	}
	e.se = math.Sqrt(v.cc)
	if !finite(e.se) {
		return e.without("the numbers are too large for a variance: rescale the target")
	}
	if e.se <= relativeRounding*math.Abs(e.point) {
		return e.without("the standard error of the value is 0: too little to tell")
	}
	e.method, e.source = linearMethod(m, d.Weight != nil, p.group != nil)
	if m.Family == metric.Mean {
		e.method = "t" + e.method[len("paired t"):]
	}
	index, is := u.heavy(m, 0, p.tailUnits(u, psi, nil))
	if !is && index < slowTail {
		e.noPass = tooFewForTail(index, u.df)
	}
	if is {
		h := boundHeavy(u.cand, e.point, confidence, limit, index, seed)
		e.method, e.source = "studentised bootstrap, for heavy tails", "Hall 1988"
		e.low, e.high, e.resampling, e.noPass = h.low, h.high, &h.resampling, h.noPass
		return e
	}
	if m.Family == metric.Rank && e.point > 0 && e.point < 1 {
		// On the logit scale bounds stay within 0 and 1 and skewness near 1 is
		// met (Pepe, "The Statistical Evaluation of Medical Tests", 2003, 5.2).
		logit := math.Log(e.point / (1 - e.point))
		half := t * e.se / (e.point * (1 - e.point))
		e.low, e.high = 1/(1+math.Exp(half-logit)), 1/(1+math.Exp(-half-logit))
		e.method += ", logit scale"
		return e
	}
	e.low, e.high = e.point-t*e.se, e.point+t*e.se
	return e
}
