package explain

import (
	"fmt"
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// judged gives the numbers, why the verdict follows from them, and what would
// change it.
func (e *explanation) judged() {
	m := e.metric
	if m == nil || e.r.Unchanged {
		return
	}
	e.title("The numbers")
	e.numbers(m)
	switch {
	case m.Verdict == "":
		e.title("Why it is not judged")
	default:
		e.title("Why " + string(m.Verdict))
	}
	e.why(m)
	if m.Verdict != "" {
		e.title("What would change it")
		e.change(m)
	}
}

// anchored is judged against the anchor, in short.
func (e *explanation) anchored() {
	m := e.anchor
	if m == nil || e.r.Unchanged {
		return
	}
	title := "Against the anchor"
	if m.Verdict != "" {
		title += ": " + string(m.Verdict)
	}
	e.title(title)
	e.numbers(m)
	e.why(m)
	if m.Verdict == verdict.Fail || m.Verdict == verdict.Inconclusive {
		e.change(m)
	}
}

// other names the model that m was held against.
func other(m *report.Metric) string {
	if m.Against == report.AgainstAnchor {
		return "anchor"
	}
	return "baseline"
}

func (e *explanation) numbers(m *report.Metric) {
	f := m.Comparison().Figures()
	if m.Baseline != nil || !e.r.First() {
		e.figure(other(m), f.Baseline)
	}
	e.figure("candidate", f.Candidate)
	if m.Improvement != nil {
		text := f.Improvement
		if *m.Improvement != 0 {
			text += ", " + map[bool]string{true: "better", false: "worse"}[*m.Improvement > 0]
		}
		e.figure("improvement", text)
	}
	if m.CI != nil {
		e.figure("low..high", f.Interval)
	}
	if m.Margin != "" {
		e.figure("margin", marginText(m))
	}
	if m.SE != nil && m.CI != nil {
		e.figure("standard error", m.CI.Scaled(*m.SE))
	}
	if m.MDE != nil && m.CI != nil {
		e.figure("mde", m.CI.Scaled(*m.MDE)+", the smallest margin at which an unchanged model passes 4 times in 5")
	}
	if m.RowsNeeded != nil {
		e.figure(e.r.Units()+" needed", fmt.Sprintf("about %s %s for the mde to be the margin", report.RoundedUp(*m.RowsNeeded), e.r.Units()))
	}
	if v := m.ValueRange(); v != "" {
		e.figure("its value", v)
	}
	if b := m.Bounds(); b != "" {
		e.figure("must be", b)
	}
}

// held is a margin held against an interval, on the interval's scale.
type held struct {
	low, high float64 // infinite where there is no bound
	limit     float64 // -margin
	verdict   verdict.Verdict
}

// hold returns nil where there is no margin, or no interval to hold it against.
func hold(c report.Comparison) *held {
	if c.CI == nil || c.Limit == nil || (c.CI.Low == nil && c.CI.High == nil) {
		return nil
	}
	h := &held{low: math.Inf(-1), high: math.Inf(1), limit: *c.Limit, verdict: verdict.Inconclusive}
	if c.CI.Low != nil {
		h.low = *c.CI.Low
	}
	if c.CI.High != nil {
		h.high = *c.CI.High
	}
	switch {
	case h.low > h.limit:
		h.verdict = verdict.Pass
	case h.high < h.limit:
		h.verdict = verdict.Fail
	}
	return h
}

// why says how the verdict follows from the numbers.
func (e *explanation) why(m *report.Metric) {
	c := m.Comparison()
	f := c.Figures()
	h := hold(c)
	if h != nil {
		switch h.verdict {
		case verdict.Pass:
			e.say(fmt.Sprintf("low, %s, is above -margin, %s: even at its worse bound the candidate loses less than the margin against the %s.", f.Low, f.Limit, other(m)))
		case verdict.Fail:
			e.say(fmt.Sprintf("high, %s, is below -margin, %s: even at its better bound the candidate loses more than the margin against the %s.", f.High, f.Limit, other(m)))
		default:
			e.say(fmt.Sprintf("The interval %s reaches across -margin, %s: on these %s the loss may be smaller than the margin or larger, and a PASS would be a guess.", f.Interval, f.Limit, e.r.Units()))
		}
	}
	e.whyBounds(m)
	v, ok := byBounds(m)
	switch {
	case m.Reason != "" && v != m.Verdict:
		e.say("The comparison says: " + sentence(string(m.Reason)))
	case !ok && m.Reason != "":
		e.say("The comparison says: " + sentence(string(m.Reason)))
	case !ok && m.Margin != "" && e.r.First():
		e.say("A margin needs a baseline to be held against.")
	case !ok && m.Verdict == "":
		e.say("It has no margin, floor or ceiling: it is shown, and decides nothing.")
	case v != m.Verdict:
		e.say("The report does not say why.")
	}
	if m.CI == nil || m.CI.Low == nil || m.Verdict == "" {
		return
	}
	if m.Improved {
		e.say(fmt.Sprintf("It is improved: low, %s, is above 0.", f.Low))
	} else if m.Verdict == verdict.Pass {
		e.say(fmt.Sprintf("Not worse by the margin is all that is shown: low, %s, is not above 0, so the candidate is not shown to be better.", f.Low))
	}
}

// byBounds is the verdict that follows from the bounds alone; ok is false where
// there are none to hold anything against. The comparison may know better: a
// bound within its own Monte Carlo error of the limit tells nothing.
func byBounds(m *report.Metric) (v verdict.Verdict, ok bool) {
	var all []verdict.Verdict
	if h := hold(m.Comparison()); h != nil {
		all = append(all, h.verdict)
	}
	for _, b := range limits(m) {
		all = append(all, b.verdict())
	}
	if len(all) == 0 {
		return "", false
	}
	return verdict.Worst(all...), true
}

// whyBounds says how floor and ceiling fare.
func (e *explanation) whyBounds(m *report.Metric) {
	for _, b := range limits(m) {
		v := b.verdict()
		what := map[verdict.Verdict]string{
			verdict.Pass:         "keeps",
			verdict.Fail:         "misses",
			verdict.Inconclusive: "reaches across",
		}[v]
		e.say(fmt.Sprintf("The candidate's value, %s, %s its %s of %s: the %s bound is %s %s it, the %s one %s %s.", m.ValueRange(), what, b.name, number(b.at),
			b.worseName(), b.distance(b.worse), b.side(b.worse), b.betterName(), b.distance(b.better), b.side(b.better)))
	}
}

// bound is a floor or ceiling held against the interval of a value.
type bound struct {
	name          string
	at            float64
	worse, better float64 // bounds of the value
}

// limits returns the floor and ceiling of m that an interval can be held
// against.
func limits(m *report.Metric) []bound {
	var out []bound
	if m.Value == nil || m.Value.Low == nil || m.Value.High == nil {
		return nil
	}
	if m.Floor != nil {
		out = append(out, bound{"floor", *m.Floor, *m.Value.Low, *m.Value.High})
	}
	if m.Ceiling != nil {
		out = append(out, bound{"ceiling", *m.Ceiling, *m.Value.High, *m.Value.Low})
	}
	return out
}

// inside is how far v lies on the right side of b; negative: on the wrong one.
func (b bound) inside(v float64) float64 {
	if b.name == "ceiling" {
		return b.at - v
	}
	return v - b.at
}

func (b bound) verdict() verdict.Verdict {
	switch {
	case b.inside(b.worse) >= 0:
		return verdict.Pass
	case b.inside(b.better) < 0:
		return verdict.Fail
	}
	return verdict.Inconclusive
}

func (b bound) worseName() string {
	if b.name == "ceiling" {
		return "upper"
	}
	return "lower"
}

func (b bound) betterName() string {
	if b.name == "ceiling" {
		return "lower"
	}
	return "upper"
}

func (b bound) distance(v float64) string {
	if v == b.at {
		return "exactly"
	}
	return report.Short(math.Abs(v - b.at))
}

func (b bound) side(v float64) string {
	switch {
	case v == b.at:
		return "at"
	case v < b.at:
		return "under"
	}
	return "over"
}

// marginText is a margin as it is written, and as the other kind.
func marginText(m *report.Metric) string {
	c := m.Comparison()
	if c.Limit == nil || c.Baseline == nil || *c.Baseline == 0 {
		return string(m.Margin)
	}
	size, base := -*c.Limit, math.Abs(*c.Baseline)
	if c.CI != nil && c.CI.Scale == report.Ratio {
		size *= base
	}
	if strings.HasSuffix(string(m.Margin), "%") {
		return fmt.Sprintf("%s of the %s's value, which is %s in the unit of %s", m.Margin, other(m), number(size), m.Name)
	}
	return fmt.Sprintf("%s, which is %s%% of the %s's value", m.Margin, report.Short(size/base*100), other(m))
}

// sentence ends a text of the report with one full stop.
func sentence(text string) string { return strings.TrimSuffix(text, ".") + "." }

// number prints a configured value without the zeros that pad it.
func number(v float64) string {
	s := report.Number(v)
	if strings.Contains(s, ".") && !strings.Contains(s, "e") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
