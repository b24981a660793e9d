package compare

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// pair is two models' answers on the same rows. base is nil for a first model.
type pair struct {
	cand, base *metric.Data
	group      []int32 // by row, 0..groups-1; nil where rows are independent
	groups     int
}

// units is the number of independent units.
func (p *pair) units() int {
	if p.group != nil {
		return p.groups
	}
	return p.cand.N
}

func (p *pair) simple() bool { return p.cand.Weight == nil && p.group == nil }

// Least numbers under which nothing is told.
const (
	leastOfClass     = 10 // positives, and negatives, for AUCs and average precision
	leastGroups      = 10
	leastBootstrap   = 30
	mostUndefined    = 0.01 // share of resamples without a value
	relativeRounding = 1e-12
)

// question is what is asked of a pair: the improvement of one metric, on the
// scale of its margin.
type question struct {
	metric     metric.Metric
	direction  exam.Direction
	confidence float64
	margin     *exam.Margin // nil: the difference, for information
	seed       uint64
}

func (q question) relative() bool { return q.margin != nil && q.margin.Relative }

// sign orients a difference so that positive is better.
func (q question) sign() float64 {
	if q.direction == exam.Lower {
		return -1
	}
	return 1
}

// limit is what the improvement must exceed.
func (q question) limit() float64 {
	if q.margin == nil {
		return math.NaN()
	}
	return -q.margin.Value
}

// slope is the r of the contrast C - r·B that the margin tests.
func (q question) slope() float64 {
	if q.relative() {
		return 1 - q.sign()*q.margin.Value
	}
	return 1
}

// estimate is an answer. low and high are on the scale of the question.
type estimate struct {
	cand, base metric.Value
	point      float64
	low, high  float64
	se         float64
	bounded    bool // low and high are there
	method     string
	source     string
	reason     string // why there is no bound, or why it is not to be trusted
	noPass     string // why a PASS is not to be trusted, though a FAIL is
	resampling *Resampling
	// below returns the one-sided p-value of "the improvement is at least
	// limit": small where it is significantly below.
	below func(limit float64) float64
}

func (e estimate) without(format string, args ...any) estimate {
	e.bounded = false
	e.reason = fmt.Sprintf(format, args...)
	return e
}

// ask answers a question about a pair.
func (p *pair) ask(q question) estimate {
	m := q.metric
	var e estimate
	why := m.Applies(p.cand)
	if why == "" {
		why = m.Applies(p.base)
	}
	if why != "" {
		e.cand, e.base = metric.Value{Reason: why}, metric.Value{Reason: why}
		return e.without("%s", why)
	}
	if m.Influence == nil {
		e.cand, e.base = m.Of(p.cand), m.Of(p.base)
		e.point = q.sign() * (e.cand.V - e.base.V)
		return e.without("report-only")
	}
	psiC, psiB := make([]float64, p.cand.N), make([]float64, p.base.N)
	e.cand, e.base = m.Influence(p.cand, psiC), m.Influence(p.base, psiB)
	switch {
	case !e.cand.Defined():
		return e.without("undefined for the candidate: %s", e.cand.Reason)
	case !e.base.Defined():
		return e.without("undefined for the baseline: %s", e.base.Reason)
	}
	e.point = q.sign() * (e.cand.V - e.base.V)
	if q.relative() {
		if e.base.V <= 0 {
			return e.without("the baseline's value is %.6g, and nothing is relative to 0 or less; use an absolute margin", e.base.V)
		}
		e.point /= e.base.V
	}
	if why := p.tooLittle(m); why != "" {
		return e.without("%s", why)
	}
	if p.samePredictions(m) {
		return p.ruleOfThree(q, e, psiC)
	}
	if p.simple() && m.Family == metric.Proportion {
		return p.proportion(q, e)
	}
	if p.simple() && m.Family == metric.Counted && p.cand.N <= bootstrapRows {
		return p.counts(q, e)
	}
	return p.linear(q, e, psiC, psiB)
}

// tooLittle returns why the rows are too few for the metric, or "".
func (p *pair) tooLittle(m metric.Metric) string {
	d := p.cand
	if p.group != nil && p.groups < leastGroups {
		return fmt.Sprintf("%d groups, and fewer than %d tell too little", p.groups, leastGroups)
	}
	if p.units() < 2 {
		return "one row has no variance"
	}
	if d.Task == exam.Binary && (m.Needs&metric.NeedProba != 0) && (m.Family == metric.Rank || m.Family == metric.Smooth) {
		pos := 0
		for i, l := range d.Label {
			if int(l) == d.Positive && d.W(i) > 0 {
				pos++
			}
		}
		if neg := d.N - pos; pos < leastOfClass || neg < leastOfClass {
			return fmt.Sprintf("%d positive and %d negative rows, and fewer than %d of either tell too little", pos, neg, leastOfClass)
		}
	}
	if (m.Family == metric.Counted || m.Family == metric.Quantile) && d.N < leastBootstrap {
		return fmt.Sprintf("%d rows, and fewer than %d tell too little of %s", d.N, leastBootstrap, m.Name)
	}
	return ""
}

// proportion bounds a share of hits by score intervals.
func (p *pair) proportion(q question, e estimate) estimate {
	x := p.hits(q.metric)
	z := normalQuantile(q.confidence)
	sign := q.sign()
	e.bounded = true
	if q.relative() {
		low, high, ok := ratioBounds(x, z)
		if !ok {
			return e.without("a model without any hit has no ratio")
		}
		e.low, e.high = low-1, high-1
		e.method, e.source = "score interval for a ratio of paired proportions", "Nam and Blackwelder 2002"
		e.below = func(limit float64) float64 { return normalCDF(ratioZ(x, 1+limit)) }
	} else {
		e.low, e.high = tangoBounds(x.cand, x.base, x.n(), z)
		e.method, e.source = "score interval for paired proportions", "Tango 1998"
		e.below = func(limit float64) float64 { return normalCDF(tangoZ(x.cand, x.base, x.n(), limit)) }
	}
	// Metrics of hits are all better when higher; sign is 1 unless the exam
	// says otherwise, which its validation refuses.
	if sign < 0 {
		return e.without("a share of hits is better when higher")
	}
	// Of the score interval itself: the root of discordant pairs would be 0
	// where there are none.
	e.se = (e.high - e.low) / (2 * z)
	return e
}

// hits counts the paired hits of the rows that count, weighted to their number.
func (p *pair) hits(m metric.Metric) pairs {
	var x pairs
	for i := range p.cand.N {
		counts, c := m.Hit(p.cand, i)
		if !counts {
			continue
		}
		_, b := m.Hit(p.base, i)
		w := p.cand.W(i)
		switch {
		case c && b:
			x.both += w
		case c:
			x.cand += w
		case b:
			x.base += w
		default:
			x.none += w
		}
	}
	return x
}

// counts bounds a metric of the confusion matrix by bootstrapping the joint
// counts of both models.
func (p *pair) counts(q question, e estimate) estimate {
	sign := q.sign()
	value := func(c, b float64) float64 { return sign * (c - b) }
	if q.relative() {
		value = func(c, b float64) float64 {
			if b <= 0 {
				return math.NaN()
			}
			return sign * (c - b) / b
		}
	}
	j := newJoint(q.metric, p.cand, p.base, value)
	res := j.bca(e.point, q.confidence, q.limit(), q.seed)
	e.method, e.source = "BCa bootstrap of joint counts", "Efron 1987"
	return e.resampled(q, res, true)
}

// resampled takes over the bounds of a bootstrap, with the rules of when not
// to trust them.
func (e estimate) resampled(q question, res resampled, exact bool) estimate {
	e.resampling = &Resampling{Seed: q.seed, Resamples: res.resamples, MCError: res.mcError, Exact: exact}
	switch {
	case res.undefined > mostUndefined:
		e.resampling = nil
		return e.without("%.1f %% of the resamples have no %s: too few rows of some class", 100*res.undefined, q.metric.Name)
	case res.se <= 0:
		return e.without("all resamples agree although the predictions differ: too little to tell")
	}
	e.low, e.high, e.se, e.bounded = res.low, res.high, res.se, true
	limit := q.limit()
	if math.Abs(e.low-limit) <= res.mcError || math.Abs(e.high-limit) <= res.mcError {
		e.reason = fmt.Sprintf("a bound is nearer to the margin than the bootstrap's own error (%.2g) after %d resamples", res.mcError, res.resamples)
	}
	point, se := e.point, e.se
	e.below = func(limit float64) float64 { return normalCDF((point - limit) / se) }
	return e
}

// linear bounds a metric by its influence function.
func (p *pair) linear(q question, e estimate, psiC, psiB []float64) estimate {
	m, d := q.metric, p.cand
	r, sign := q.slope(), q.sign()
	u := newUnits(psiC, psiB, d.Weight, p.group, p.leverage(m))
	v := u.covariance()
	e.method, e.source = linearMethod(m, d.Weight != nil, p.group != nil)
	if m.Family == metric.Rank && d.Weight == nil {
		positive := func(i int) bool { return int(d.Label[i]) == d.Positive }
		if p.group != nil {
			v = obuchowski(psiC, psiB, positive, p.group, p.groups, true)
		} else {
			v, u.df = delong(psiC, psiB, positive, r)
		}
	}
	t := tQuantile(q.confidence, u.df)
	se := math.Sqrt(v.contrast(r))
	if !finite(se, e.point) {
		return e.without("the numbers are too large for a variance: rescale the target")
	}
	if se <= relativeRounding*(math.Abs(e.cand.V)+math.Abs(e.base.V)) {
		return e.without("the standard error is 0 although the predictions differ: too little to tell")
	}
	scale := 1.0
	if q.relative() {
		scale = e.base.V
	}
	e.se = se / scale
	e.below = func(limit float64) float64 {
		if !q.relative() {
			return tCDF((e.point-limit)/se, u.df)
		}
		rr := 1 + sign*limit // the contrast moves with the limit
		return tCDF(sign*(e.cand.V-rr*e.base.V)/math.Sqrt(v.contrast(rr)), u.df)
	}
	e.bounded = true
	index, is := u.heavy(m, r, p.tailUnits(u, psiC, psiB))
	if !is && index < slowTail {
		e.noPass = tooFewForTail(index, u.df)
	}
	if is {
		dev := u.contrast(r)
		for i := range dev {
			dev[i] *= sign / scale
		}
		h := boundHeavy(dev, e.point, q.confidence, q.limit(), index, q.seed)
		e.method, e.source = "studentised bootstrap, for heavy tails", "Hall 1988"
		e.low, e.high, e.resampling, e.noPass = h.low, h.high, &h.resampling, h.noPass
		if h.near {
			e.reason = fmt.Sprintf("a bound is nearer to the margin than the bootstrap's own error (%.2g) after %d resamples", h.resampling.MCError, h.resampling.Resamples)
		}
		return p.atLeastScore(q, e, v, t)
	}
	if q.relative() {
		low, high, ok := fieller(e.cand.V, e.base.V, v, t)
		if !ok {
			return e.without("the baseline's value is not apart from 0 enough for a relative margin")
		}
		if sign > 0 {
			e.low, e.high = low-1, high-1
		} else {
			e.low, e.high = 1-high, 1-low
		}
	} else {
		e.low, e.high = e.point-t*e.se, e.point+t*e.se
	}
	return p.atLeastScore(q, e, v, t)
}

// heavy reports whether the tails of the contrast need a bootstrap, and their
// index: n < 25·skew², or a tail that falls off slowly. Few units, such as
// groups, give a bootstrap too little to draw from, so t stays; with a slow tail
// it passes up to three times too often, and so nothing passes.
//
// The index is asked of rows, also where the units are groups: sums over rows
// fall off as the rows do, but of a few dozen of them Hill's estimate, whose
// relative standard error is 1/sqrt(k) with k = 10 extremes, tells nothing. A
// bounded loss has every moment.
func (u units) heavy(m metric.Metric, r float64, rows units) (index float64, is bool) {
	switch m.Family {
	case metric.Mean, metric.Smooth:
		index = math.Inf(1)
		if !m.BoundedLoss {
			index = rows.tailIndex(r)
		}
	case metric.Proportion, metric.Counted: // bounded
		index = math.Inf(1)
	default:
		return math.Inf(1), false
	}
	return index, u.df >= fewForBootstrap && (index < slowTail || heavy(len(u.cand), u.skewness(r)))
}

// tooFewForTail says why nothing passes by t.
func tooFewForTail(index, df float64) string {
	return fmt.Sprintf("the largest differences fall off slowly (tail index %.1f, under %d) and there are too few independent groups (%.0f effective, at least %d are needed) to tell what they do to the mean: "+
		"take a metric with a bounded loss, or more groups", index, slowTail, df+1, fewForBootstrap)
}

// tailUnits are the units of which the tail's index is asked: the rows, weighted
// where they have weights and no groups.
func (p *pair) tailUnits(u units, psiC, psiB []float64) units {
	if p.group == nil {
		return u
	}
	return units{cand: psiC, base: psiB}
}

// leverage returns each group's share of what the metric rests on: of the
// weight of the rows that count, or of positive and negative rows, half each.
// Nil without groups.
func (p *pair) leverage(m metric.Metric) []float64 {
	if p.group == nil {
		return nil
	}
	h := make([]float64, p.groups)
	d := p.cand
	share := func(counts func(i int) bool, part float64) {
		var total float64
		for i := range d.N {
			if counts(i) {
				total += d.W(i)
			}
		}
		for i := range d.N {
			if total > 0 && counts(i) {
				h[p.group[i]] += part * d.W(i) / total
			}
		}
	}
	switch m.Family {
	case metric.Proportion:
		share(func(i int) bool { c, _ := m.Hit(d, i); return c }, 1)
	case metric.Rank:
		share(func(i int) bool { return int(d.Label[i]) == d.Positive }, 0.5)
		share(func(i int) bool { return int(d.Label[i]) != d.Positive }, 0.5)
	default:
		share(func(int) bool { return true }, 1)
	}
	return h
}

// finite reports whether all x are ordinary numbers.
func finite(x ...float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// atLeastScore widens the bounds of a weighted or grouped proportion to those
// of the score interval at the effective number of rows: where few pairs
// disagree, their linearised variance is itself too uncertain to be believed.
func (p *pair) atLeastScore(q question, e estimate, v covariance, t float64) estimate {
	if q.metric.Family != metric.Proportion || q.sign() < 0 {
		return e
	}
	x := p.hits(q.metric)
	k := p.effectiveRows(q.metric, x, v) / x.n()
	x = pairs{x.both * k, x.cand * k, x.base * k, x.none * k}
	low, high, ok := 0.0, 0.0, true
	if q.relative() {
		low, high, ok = ratioBounds(x, t)
		low, high = low-1, high-1
	} else {
		low, high = tangoBounds(x.cand, x.base, x.n(), t)
	}
	if !ok {
		return e.without("a model without any hit has no ratio")
	}
	if low < e.low || high > e.high {
		e.low, e.high = math.Min(low, e.low), math.Max(high, e.high)
		e.method += ", not narrower than the score interval at the effective number of rows"
		e.source += "; Tango 1998"
	}
	return e
}

// effectiveRows is the number of equally weighted independent rows that tell
// as much of the difference: (sum w)²/sum w² of the rows that count, or with
// groups their number over the design effect, at least 1 (Rao and Scott,
// Annals of Statistics 12, 1984).
func (p *pair) effectiveRows(m metric.Metric, x pairs, v covariance) float64 {
	var n, w, w2 float64
	for i := range p.cand.N {
		if counts, _ := m.Hit(p.cand, i); counts {
			wi := p.cand.W(i)
			n++
			w += wi
			w2 += wi * wi
		}
	}
	eff := w * w / w2
	if p.group == nil {
		return eff
	}
	d := (x.cand - x.base) / x.n()
	iid := ((x.cand+x.base)/x.n() - d*d) / eff
	if iid <= 0 {
		return math.Min(eff, float64(p.groups))
	}
	return eff / math.Max(1, v.contrast(1)/iid)
}

func linearMethod(m metric.Metric, weighted, grouped bool) (method, source string) {
	switch m.Family {
	case metric.Rank:
		method, source = "DeLong, Satterthwaite t", "DeLong, DeLong and Clarke-Pearson 1988"
		if weighted {
			method, source = "linearised placement values, weighted", "DeLong et al. 1988; Binder 1983"
		}
		if grouped && !weighted {
			return "clustered placement values, t on effective groups - 1", "Obuchowski 1997"
		}
	case metric.Mean:
		method, source = "paired t", "Student 1908"
	default:
		method, source = "delta method by influence functions", "Davison and Hinkley 1997, 2.7"
	}
	if weighted && m.Family != metric.Rank {
		method, source = method+", weighted", source+"; Binder 1983"
	}
	if grouped {
		method, source = method+", sums over groups, t on effective groups - 1", source+"; Bell and McCaffrey 2002"
	}
	return method, source
}

// seedFor gives each question its own stream, so that a metric's interval does
// not depend on which others stand in the exam.
func seedFor(seed uint64, parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		// Writing to a hash never fails.
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return seed ^ h.Sum64()
}
