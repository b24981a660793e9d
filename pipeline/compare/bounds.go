package compare

import (
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// moment is what t rests on: the variance of a contrast, and how many degrees
// of freedom it has.
type moment struct {
	v  covariance // of diff (cc) and base (bb)
	df float64
}

// half is the part of the interval that is due to what was seen: t·se, with
// times as many rows.
func (s moment) half(confidence, ratio, times float64) float64 {
	return tQuantile(confidence, s.df*times) * math.Sqrt(s.v.contrast(ratio)/times)
}

// variance returns the variance of the contrast of all rows: of independent
// rows, of weighted ones by linearisation (Binder 1983), of groups by their
// sums; of areas under a curve by DeLong and Obuchowski.
func (p *pair) variance(m metric.Metric, c contrast, parts []class) moment {
	d := p.cand
	out := moment{df: p.freedom(m, parts)}
	if m.Family == metric.Rank && d.Weight == nil {
		positive := func(i int) bool { return int(d.Label[i]) == d.Positive }
		if p.group != nil {
			out.v = obuchowski(c.x, c.psiB, positive, p.group, p.groups, true)
		} else {
			out.v = delong(c.x, c.psiB, positive)
		}
		return out
	}
	out.v = newUnits(c.x, c.psiB, d.Weight, p.group, p.leverage(m)).covariance()
	return out
}

// worth returns how many independent rows of one weight tell as much of the
// contrast as these do, of all and by class: (sum w)²/sum w², and with groups
// that over the design effect (Rao and Scott, Annals of Statistics 12, 1984).
// Where no row differs there is no design effect to be seen, and groups count.
func (p *pair) worth(m metric.Metric, x []float64, parts []class, v float64) (float64, []class) {
	n := 0.0
	var w, w2, iid float64
	of, _ := p.classes(m)
	for i := range p.cand.N {
		if of(i) < 0 {
			continue
		}
		wi := p.cand.W(i)
		w += wi
		w2 += wi * wi
		iid += wi * x[i] * wi * x[i]
	}
	n = w * w / w2
	out := append([]class(nil), parts...)
	if p.group == nil {
		return n, out
	}
	total := p.cand.TotalWeight()
	iid /= total * total
	if iid <= 0 {
		for i := range out {
			out[i].nEff = math.Min(out[i].nEff, float64(out[i].groups))
		}
		return math.Min(n, float64(p.groups)), out
	}
	design := math.Max(1, v/iid)
	for i := range out {
		out[i].nEff /= design
	}
	return n / design, out
}

// bounded bounds the improvement by t of what was seen, not narrower than the
// score interval that also allows for what was not (tilt.go).
func (p *pair) bounded(q question, e estimate, c contrast) estimate {
	m := q.metric
	ratio, scale := 0.0, 1.0
	if q.relative() {
		ratio, scale = q.limit(), c.base
	}
	x := c.scaled(ratio, scale)
	if m.Needs&metric.NeedClass != 0 && !slices.ContainsFunc(x, func(v float64) bool { return math.Abs(v) > roundingOfInfluence }) {
		// What is left of a perfect model's influences is rounding, and which rows
		// it falls on depends on their order.
		x, c.x = make([]float64, len(x)), make([]float64, len(c.x))
	}
	parts := p.classed(m, x)
	s := p.variance(m, c, parts)
	if s.df < 1 {
		return e.without("not enough data: the rows tell as much as %.1f independent ones", s.df+1)
	}
	e.noPass = p.tooFewGroups(m, parts)
	if e.noPass != "" && m.Family == metric.Rank && slices.ContainsFunc(parts, func(c class) bool { return c.groups < 2 }) {
		return e.without("%s", e.noPass) // a variance between groups takes two
	}
	variance := s.v.contrast(ratio)
	se := math.Sqrt(variance) / scale
	if !finite(se, e.point) {
		return e.without("the numbers are too large for a variance: rescale the target")
	}
	counted := m.Family == metric.Counted || m.Family == metric.Proportion
	if se <= relativeRounding*math.Abs(e.point) && p.base != nil && e.point != 0 && !counted {
		return e.without("the standard error is 0 although what %s reads of the models differs: too little to tell", m.Name)
	}
	e.se = se
	e.method, e.source = linearMethod(m, p.cand.Weight != nil, p.group != nil)
	low, high, ok := s.bounds(q, c)
	if !ok {
		return e.without("the baseline's value is not apart from 0 enough for a relative margin")
	}
	e.df = s.df
	if p.group == nil {
		e.df = math.Min(e.df, freedomOfTails(x))
	}
	score, why := p.score(q, e, c, x, parts, variance/(scale*scale), scale)
	if why != "" {
		return e.without("%s", why)
	}
	z := tQuantile(q.confidence, s.df)
	return e.widest(q, low, high, s, ratio, scale, z, score, c)
}

// bounds are those of t: of a difference, or of the ratio diff/base.
func (s moment) bounds(q question, c contrast) (low, high float64, ok bool) {
	if !q.relative() {
		half := s.half(q.confidence, 0, 1)
		return c.diff - half, c.diff + half, true
	}
	return fieller(c.diff, c.base, s.v, tQuantile(q.confidence, s.df))
}

// scorer returns how far the lower (side 0) or upper (side 1) bound is from the
// point, at a quantile z and with times as many rows.
type scorer func(side int, z, times float64) float64

// roundingOfShares is what sums of shares of the rows, which are of the order of
// 1, may be off by.
const roundingOfShares = 1e-13

// roundingOfInfluence is what the influence of one row may be off by: a share of
// a class that few rows make up is divided by.
const roundingOfInfluence = 1e-11

// widest takes the wider of t and score interval on each side.
func (e estimate) widest(q question, low, high float64, s moment, ratio, scale, z float64, score scorer, c contrast) estimate {
	e.bounded = true
	e.low, e.high = low, high
	down, up := score(0, z, 1), score(1, z, 1)
	if !finite(down, up) {
		return e.without("what rows that were not seen may do has no bound: too little to tell")
	}
	// A share of classes that comes out as 0 in one order of the rows comes out as
	// its rounding in another.
	nothing := metric.Noise(e.cand.V, e.base.V) / scale
	if q.metric.Needs&metric.NeedClass != 0 {
		nothing = max(nothing, roundingOfShares)
	}
	if e.se <= nothing && down <= nothing && up <= nothing {
		return e.without("no answer to these rows could change %s: too little to tell", q.metric.Name)
	}
	if l, h := e.point-down, e.point+up; l < low || h > high {
		e.low, e.high = math.Min(l, low), math.Max(h, high)
		e.method += ", not narrower than the score interval"
		e.source += "; Wilson 1927, Baggerly 1998"
	}
	// No bound is surer than the values' own rounding.
	slack := metric.Noise(e.cand.V, e.base.V) / scale
	e.low, e.high = e.low-slack, e.high+slack
	e.half = func(times float64) float64 {
		t := s.half(q.confidence, ratio, times) / scale
		z := tQuantile(q.confidence, s.df*times)
		return (math.Max(t, score(0, z, times)) + math.Max(t, score(1, z, times))) / 2
	}
	e.below = func(limit float64) float64 {
		r, diff := 0.0, c.diff-limit
		if q.relative() {
			r, diff = limit, c.diff-limit*c.base
		}
		p := 1.0
		if v := s.v.contrast(r); v > 0 {
			p = tCDF(diff/math.Sqrt(v), s.df)
		} else if diff < 0 {
			p = 0
		}
		if p > 0.5 {
			return p
		}
		// The least quantile at which the score interval's upper bound is not
		// under the limit.
		at := bisect(0, 40, func(z float64) bool { return e.point+score(1, z, 1) < limit })
		return math.Max(p, normalCDF(-at))
	}
	return e
}

// score returns the score interval's distances from the point.
func (p *pair) score(q question, e estimate, c contrast, x []float64, parts []class, variance, scale float64) (scorer, string) {
	m := q.metric
	n, parts := p.worth(m, x, parts, variance)
	switch m.Family {
	case metric.Counted:
		return p.countScore(q, n, parts)
	case metric.Proportion:
		return p.pairScore(q, e, n)
	}
	zMax := normalQuantile(q.confidence)
	s := newSpread(x, p.cand.Weight, n, zMax)
	up := s.turned()
	worst, best := p.unseenRows(m, c, x, parts, n, scale)
	if worst.value > 0 || best.value < 0 || math.IsNaN(worst.value+best.value) {
		return nil, "what rows that were not seen may do has no bound: too little to tell"
	}
	if s.lo == 0 && s.hi == 0 && worst.value == 0 && best.value == 0 {
		return nil, "all rows count alike, whatever they are answered: too little to tell"
	}
	best.value = -best.value
	return func(side int, z, times float64) float64 {
		s, u := s, worst
		if side == 1 {
			s, u = up, best
		}
		s.n, u.of = s.n*times, u.of*times
		return -s.lowest(z, u)
	}, ""
}

// countScore is the score interval of a metric of the confusion matrix.
func (p *pair) countScore(q question, n float64, parts []class) (scorer, string) {
	sign := q.sign()
	value := func(c, b float64) (v, dc, db float64) { return sign * (c - b), sign, -sign }
	if q.relative() {
		value = func(c, b float64) (v, dc, db float64) { return sign * (c - b) / b, sign / b, -sign * c / (b * b) }
	}
	if p.base == nil {
		value = func(c, _ float64) (v, dc, db float64) { return c, 1, 0 }
	}
	j := newJoint(q.metric, p.cand, p.base, value)
	for k := range j.nEff {
		j.nEff[k] = parts[k].nEff
	}
	t, ok := j.at(j.cells)
	if !ok {
		return nil, "the metric has no slope here: too little to tell"
	}
	return func(side int, z, times float64) float64 {
		more := *j
		if times != 1 {
			more.nEff = make([]float64, len(j.nEff))
			for k, v := range j.nEff {
				more.nEff[k] = v * times
			}
		}
		sign := 1.0
		if side == 1 {
			sign = -1
		}
		v, ok := more.bound(z, n*times, sign)
		if !ok {
			return math.Inf(1)
		}
		return math.Max(sign*(t.v-v), 0)
	}, ""
}

// pairScore is Tango's or Nam and Blackwelder's interval at n rows.
func (p *pair) pairScore(q question, e estimate, n float64) (scorer, string) {
	x := p.hits(q.metric)
	if q.relative() && (x.both+x.base <= 0 || x.both+x.cand <= 0) {
		return nil, "a model without any hit has no ratio"
	}
	return func(side int, z, times float64) float64 {
		low, high := x.times(n*times/x.n()).bounds(q.relative(), z)
		if side == 0 {
			return e.point - low
		}
		return high - e.point
	}, ""
}

// proportion bounds a share of hits by score intervals, not narrower than
// Wald's: where hits are lost or won by few rows, one of the two is too narrow on
// each side.
func (p *pair) proportion(q question, e estimate) estimate {
	x := p.hits(q.metric)
	n, z := x.n(), normalQuantile(q.confidence)
	if q.sign() < 0 {
		// Metrics of hits are all better when higher, as validation asks.
		return e.without("a share of hits is better when higher")
	}
	score, why := p.pairScore(q, e, n)
	if why != "" {
		return e.without("%s", why)
	}
	e.method, e.source = "score interval for paired proportions", "Tango 1998"
	d := (x.cand - x.base) / n
	c := contrast{diff: d, base: (x.both + x.base) / n}
	s := moment{df: math.Inf(1)}
	vb := c.base * (1 - c.base)
	s.v.cc = ((x.cand+x.base)/n - d*d) / n
	s.v.bb = vb / n
	// cov(C - B, B) = P(both) - P(cand)P(base) - var B
	s.v.cb = (x.both/n - (c.base+d)*c.base - vb) / n
	ratio, scale := 0.0, 1.0
	if q.relative() {
		ratio, scale = q.limit(), c.base
		e.method, e.source = "score interval for a ratio of paired proportions", "Nam and Blackwelder 2002"
	}
	e.se = math.Sqrt(s.v.contrast(ratio)) / scale
	low, high, ok := s.bounds(q, c)
	if !ok {
		low, high = e.point, e.point // the score interval has no need of it
	}
	method, source := e.method, e.source
	e = e.widest(q, low, high, s, ratio, scale, z, score, c)
	e.method, e.source = method, source
	if e.se == 0 {
		// Of no discordant pair: the interval's own.
		e.se = (e.high - e.low) / (2 * z)
	}
	return e
}

// freedomOfTails is how many degrees of freedom a variance of x has: 2n/(kurtosis
// - 1), which is n - 1 of normal values and few where the tails are heavy.
func freedomOfTails(x []float64) float64 {
	var m2, m4 float64
	for _, v := range x {
		m2 += v * v
		m4 += v * v * v * v
	}
	n := float64(len(x))
	if !(m2 > 0) || !finite(m4) {
		return math.Inf(1)
	}
	return 2 * n / math.Max(n*m4/(m2*m2)-1, 1e-9)
}
