package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
	leastRows        = 30
	relativeRounding = 1e-12
)

// question is what is asked of a pair: the improvement of one metric, on the
// scale of its margin.
type question struct {
	metric     metric.Metric
	direction  exam.Direction
	confidence float64
	margin     *exam.Margin // nil: the difference, for information
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
	df         float64 // of se, as far as it is known: 0 if not
	bounded    bool    // low and high are there
	method     string
	source     string
	reason     string // why there is no bound, or why it is not to be trusted
	noPass     string // why a PASS is not to be trusted, though a FAIL is
	// below returns the one-sided p-value of "the improvement is at least
	// limit": small where it is significantly below.
	below func(limit float64) float64
	// half is half the width of the interval of an unchanged model with times
	// as many rows.
	half func(times float64) float64
}

func (e estimate) without(format string, args ...any) estimate {
	e.bounded = false
	e.reason = fmt.Sprintf(format, args...)
	return e
}

// ask answers a question about a pair.
func (p *pair) ask(q question) estimate {
	m := q.metric
	p = p.counting()
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
	c := p.newContrast(m, q.sign())
	e.cand, e.base = c.values[0], c.values[1]
	switch {
	case !e.cand.Defined():
		return e.without("undefined for the candidate: %s", e.cand.Reason)
	case !e.base.Defined():
		return e.without("undefined for the baseline: %s", e.base.Reason)
	}
	e.point = c.diff
	if q.relative() {
		if e.base.V <= 0 {
			return e.without("the baseline's value is %.6g, and nothing is relative to 0 or less; use an absolute margin", e.base.V)
		}
		e.point /= e.base.V
	}
	if why := p.tooLittle(m); why != "" {
		return e.without("%s", why)
	}
	if p.simple() && m.Family == metric.Proportion {
		return p.proportion(q, e)
	}
	if m.Family == metric.Quantile && (discrete(p.cand, m) || discrete(p.base, m)) {
		return p.orderStatistics(q, e)
	}
	return p.bounded(q, e, c)
}

// counting returns the pair of the rows that have a weight: the others count as
// nothing, neither as rows nor as positives.
func (p *pair) counting() *pair {
	w := p.cand.Weight
	if w == nil || !slices.Contains(w, 0) {
		return p
	}
	rows := make([]int32, 0, len(w))
	for i, v := range w {
		if v > 0 {
			rows = append(rows, int32(i))
		}
	}
	return p.rows(rows)
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
	if why := p.tooFewOfClass(m); why != "" {
		return why
	}
	if (m.Family == metric.Counted || m.Family == metric.Quantile) && d.N < leastRows {
		return fmt.Sprintf("%d rows, and fewer than %d tell too little of %s", d.N, leastRows, m.Name)
	}
	return ""
}

// tooFewOfClass returns why a class has too few rows for an area under a curve;
// weighted rows count as many as tell as much.
func (p *pair) tooFewOfClass(m metric.Metric) string {
	d := p.cand
	if m.Needs&metric.NeedProba == 0 || m.Family != metric.Rank && m.Family != metric.Smooth {
		return ""
	}
	rows := make([]int, len(d.Classes))
	w, w2 := make([]float64, len(d.Classes)), make([]float64, len(d.Classes))
	for i, l := range d.Label {
		rows[l]++
		w[l] += d.W(i)
		w2[l] += d.W(i) * d.W(i)
	}
	tell := func(c int) float64 { return w[c] * w[c] / math.Max(w2[c], math.SmallestNonzeroFloat64) }
	for c := range rows {
		if n := math.Round(tell(c)*1e6) / 1e6; n >= leastOfClass {
			continue
		}
		weighted := ""
		if d.Weight != nil && rows[c] >= leastOfClass {
			weighted = fmt.Sprintf(", whose weights make them worth %.1f", tell(c))
		}
		if d.Task == exam.Binary {
			pos := rows[d.Positive]
			return fmt.Sprintf("%d positive and %d negative rows%s, and fewer than %d of either tell too little", pos, d.N-pos, weighted, leastOfClass)
		}
		return fmt.Sprintf("%d rows of class %q%s, and fewer than %d tell too little", rows[c], d.Classes[c], weighted, leastOfClass)
	}
	return ""
}

// tooFewGroups returns why nothing passes though a FAIL stands: the rows of a
// class that the metric is conditioned on lie in too few groups, whatever
// Satterthwaite's degrees of freedom say of them (with skewed effects of three or
// four groups they pass twice as often as they may).
func (p *pair) tooFewGroups(m metric.Metric, parts []class) string {
	if p.group == nil || p.cand.Task == exam.Regression {
		return ""
	}
	least := 0.0 // share of rows from which a class matters
	switch {
	case m.Family == metric.Mean:
		return ""
	case m.Family == metric.Proportion:
		for i := range p.cand.N {
			if counts, _ := m.Hit(p.cand, i); !counts {
				least = 1e-9
				break
			}
		}
		if least == 0 {
			return "" // all rows count, of whatever class
		}
	case m.Family == metric.Counted && p.cand.Task == exam.Multiclass && !strings.HasSuffix(m.Name, "_macro") && m.Name != "balanced_accuracy":
		least = 0.05
	}
	for c, part := range parts {
		if part.rows > 0 && part.share >= least && part.groups < leastGroups {
			return fmt.Sprintf("rows of class %q lie in %d groups, and fewer than %d tell too little of %s to pass", p.cand.Classes[c], part.groups, leastGroups, m.Name)
		}
	}
	return ""
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
