package report

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Mark is a character for a verdict, so that colour is never the only carrier.
func Mark(v verdict.Verdict) string {
	switch v {
	case verdict.Pass:
		return "✓"
	case verdict.Fail:
		return "✗"
	case verdict.Inconclusive:
		return "?"
	}
	return "·"
}

// Outcome is the run in one word or two: the verdict, or "UNCHANGED".
func (r *Report) Outcome() string {
	if r.Unchanged && r.Verdict == verdict.Pass {
		return "UNCHANGED"
	}
	return string(r.Verdict)
}

// First reports whether there is no baseline to compare with.
func (r *Report) First() bool { return r.Baseline == nil }

// Reasons returns why the verdict is what it is, the weightiest first: the
// headline where the report has one, else what the gates say.
func (r *Report) Reasons() []string {
	if len(r.Headline) > 0 {
		out := make([]string, len(r.Headline))
		for i, h := range r.Headline {
			out[i] = string(h)
		}
		return out
	}
	if r.Unchanged && r.Verdict == verdict.Pass {
		return []string{"The candidate is the baseline's own bundle: there is nothing to judge and nothing to promote."}
	}
	var out []string
	order := r.SliceOrder()
	for _, v := range []verdict.Verdict{verdict.Fail, verdict.Inconclusive} {
		out = append(out, r.gateReasons(v, order)...)
	}
	if len(out) > 0 {
		return out
	}
	if r.Verdict == verdict.Pass {
		return []string{r.passReason()}
	}
	return []string{"No gate says why; the run may have ended early."}
}

// gateReasons lists the gates whose verdict is v; slices in the given order.
func (r *Report) gateReasons(v verdict.Verdict, slices []int) []string {
	var out []string
	if d := r.Determinism; d != nil && d.Verdict == v {
		out = append(out, d.Sentence())
	}
	if e := r.Export; e != nil && e.Verdict == v {
		out = append(out, e.Sentence())
	}
	for _, i := range r.MetricOrder() {
		if m := &r.Metrics[i]; m.Verdict == v && !r.Unchanged {
			out = append(out, r.MetricSentence(m))
		}
	}
	for _, i := range slices {
		if s := &r.Slices[i]; s.Matters() && s.Verdict == v && !r.Unchanged {
			out = append(out, s.Sentence())
		}
	}
	if r.Smoke != nil {
		for _, c := range r.Smoke.Checks {
			if c.Verdict == v {
				out = append(out, join("Smoke check "+string(c.Name)+" "+outcome(v), string(c.Detail)))
			}
		}
	}
	for _, f := range r.Leakage {
		if f.Verdict == v {
			out = append(out, string(f.Detail))
		}
	}
	for _, e := range r.Exams {
		if e.Role == Promoted && len(e.Changes) > 0 && e.Verdict == v {
			out = append(out, join("By the exam that promoted production the verdict is "+string(v), string(e.Reason)))
		}
	}
	return out
}

func outcome(v verdict.Verdict) string {
	if v == verdict.Inconclusive {
		return "was inconclusive"
	}
	return "failed"
}

func join(a, b string) string {
	if b == "" {
		return a + "."
	}
	return a + ": " + strings.TrimSuffix(b, ".") + "."
}

func (r *Report) passReason() string {
	judged, improved := 0, []string{}
	for _, m := range r.Metrics {
		if m.Against == AgainstAnchor {
			continue
		}
		if m.Verdict != "" && m.Margin != "" {
			judged++
		}
		if m.Improved {
			improved = append(improved, string(m.Name))
		}
	}
	var s string
	switch {
	case r.First() && r.Run.ID == ComparisonID:
		s = "There is no baseline to compare with; the candidate keeps every floor and ceiling"
	case r.First():
		s = "First model of this environment: it keeps every floor and ceiling"
	case judged == 1:
		s = "Not worse than the baseline by more than the margin"
	default:
		s = fmt.Sprintf("Not worse than the baseline by more than the margin on any of %d metrics", judged)
	}
	if len(improved) > 0 {
		s += "; better on " + strings.Join(improved, ", ")
	}
	return s + "."
}

// MetricSentence says what was found of m.
func (r *Report) MetricSentence(m *Metric) string {
	if s := m.boundSentence(); s != "" {
		return s
	}
	other := "the baseline"
	if m.Against == AgainstAnchor {
		other = "the anchor"
	}
	return sentence(string(m.Name), other, m.Comparison(), m.Margin, m.Verdict, m.Improved, m.Reason, r.WouldTell(m))
}

// boundSentence says that a floor or ceiling is not kept, or is inconclusive;
// "" where it is not what decided.
func (m *Metric) boundSentence() string {
	if m.Verdict == verdict.Pass || m.Verdict == "" || m.Value == nil || m.Value.Low == nil || m.Value.High == nil || m.Candidate == nil {
		return ""
	}
	low, high := *m.Value.Low, *m.Value.High
	for _, b := range []struct {
		what         string
		at           *float64
		lost, broken bool
	}{
		{"floor", m.Floor, m.Floor != nil && low < *m.Floor, m.Floor != nil && high < *m.Floor},
		{"ceiling", m.Ceiling, m.Ceiling != nil && high > *m.Ceiling, m.Ceiling != nil && low > *m.Ceiling},
	} {
		value := m.Comparison().Figures().Candidate
		switch {
		case b.broken && m.Verdict == verdict.Fail:
			side := "under"
			if b.what == "ceiling" {
				side = "over"
			}
			return fmt.Sprintf("%s is %s (%s), %s its %s of %s.", m.Name, value, m.ValueRange(), side, b.what, trimZeros(Number(*b.at)))
		case b.lost && m.Verdict == verdict.Inconclusive:
			return fmt.Sprintf("%s is inconclusive: its value %s (%s) reaches across its %s of %s.", m.Name, value, m.ValueRange(), b.what, trimZeros(Number(*b.at)))
		}
	}
	return ""
}

// ValueRange is the interval of the candidate's value as text, or "".
func (m *Metric) ValueRange() string {
	ci := m.Value
	if ci == nil || ci.Low == nil || ci.High == nil {
		return ""
	}
	d := Decimals((*ci.High - *ci.Low) / 2)
	return fixed(*ci.Low, d) + ".." + fixed(*ci.High, d)
}

// Bounds says what a metric must keep, "" without floor and ceiling.
func (m *Metric) Bounds() string {
	var parts []string
	if m.Floor != nil {
		parts = append(parts, "at least "+trimZeros(Number(*m.Floor)))
	}
	if m.Ceiling != nil {
		parts = append(parts, "at most "+trimZeros(Number(*m.Ceiling)))
	}
	return strings.Join(parts, ", ")
}

// Sentence says what was found of s.
func (s *Slice) Sentence() string {
	c := s.Comparison()
	other := "the baseline"
	if s.Against == AgainstAnchor {
		other = "the anchor"
	}
	return sentence(s.Label()+", "+string(s.Metric), other, c, s.Margin, s.Verdict,
		c.low() != nil && *c.low() > 0, s.Reason, "")
}

// sentence says what was found of a comparison; enough is how much data would
// tell, or "".
func sentence(name, other string, c Comparison, margin Margin, v verdict.Verdict, improved bool, reason Prose, enough string) string {
	f := c.Figures()
	low, high := c.low(), c.high()
	switch {
	case v == verdict.Fail && c.Limit != nil && high != nil && *high < *c.Limit:
		return fmt.Sprintf("%s is worse than %s by %s (%s), beyond the margin of %s.", name, other, unsigned(f.Improvement), f.Interval, margin)
	case v == verdict.Inconclusive && c.Limit != nil && low != nil && high != nil && *low <= *c.Limit && *high >= *c.Limit:
		s := fmt.Sprintf("%s is inconclusive: the interval %s reaches across the margin of %s", name, f.Interval, margin)
		if enough != "" {
			s += "; " + enough + " would tell"
		}
		return s + "."
	case reason != "":
		return join(name, string(reason))
	case v == verdict.Fail:
		return name + " fails."
	case v == verdict.Inconclusive:
		return name + " is inconclusive."
	case improved:
		return fmt.Sprintf("%s is better than %s by %s (%s).", name, other, unsigned(f.Improvement), f.Interval)
	case v == verdict.Pass && c.Limit != nil:
		return fmt.Sprintf("%s is within the margin of %s (%s).", name, margin, f.Interval)
	}
	return fmt.Sprintf("%s changed by %s.", name, f.Improvement)
}

func unsigned(s string) string { return strings.TrimLeft(s, "+-") }

// Sentence says what the determinism proof found.
func (d *Determinism) Sentence() string {
	seed := "The first seed"
	if d.Seed != nil {
		seed = fmt.Sprintf("Seed %d", *d.Seed)
	}
	if d.Claimed && d.Kind != ProofOff {
		seed = "Claimed by the change: " + strings.ToLower(seed[:1]) + seed[1:]
	}
	var s string
	switch d.Kind {
	case Identical:
		s = seed + " was trained twice and gave the same bytes"
	case EqualPredictions:
		s = seed + " was trained twice and gave different bytes with the same answers"
	case WithinTolerance:
		s = seed + " was trained twice and gave answers within the tolerance"
	case Different:
		s = seed + " was trained twice and gave two different models"
	default:
		return join("Not asked for", string(d.Reason))
	}
	if d.MaxDifference != nil && *d.MaxDifference > 0 {
		s += ", answers differ by up to " + Short(*d.MaxDifference)
	}
	if d.Remembered {
		s += " (proved earlier with the same inputs)"
	}
	return join(s, string(d.Reason))
}

// Remarks says what else was found of s: against which model, and the chance
// of an alarm after Holm's correction.
func (s *Slice) Remarks() string {
	var parts []string
	if s.Against == AgainstAnchor {
		parts = append(parts, "against the anchor")
	}
	if s.PHolm != nil {
		parts = append(parts, "p "+Chance(*s.PHolm)+" after Holm")
	}
	if s.Reason != "" {
		parts = append(parts, string(s.Reason))
	}
	return strings.Join(parts, "; ")
}

// Label names a slice for readers.
func (s *Slice) Label() string {
	switch {
	case s.Column != "":
		return string(s.Column) + " = " + string(s.Level)
	case s.Name != "":
		return string(s.Name)
	}
	return string(s.Where)
}

// Matters reports whether a reader must see s: it failed, or it is a gate that
// cannot tell. A silent alarm says nothing.
func (s *Slice) Matters() bool {
	return s.Verdict == verdict.Fail || (s.Verdict == verdict.Inconclusive && s.Mode == GateSlice)
}

// ExamChanged returns the exam that promoted production where it is not
// today's, else nil.
func (r *Report) ExamChanged() *Exam {
	for i := range r.Exams {
		if e := &r.Exams[i]; e.Role == Promoted && len(e.Changes) > 0 {
			return e
		}
	}
	return nil
}

// HasIntervals reports whether any interval is printed, so that IntervalNote
// must be.
func (r *Report) HasIntervals() bool { return r.firstInterval() != nil }

func (r *Report) firstInterval() *Interval {
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.CI != nil {
			return m.CI
		} else if m.Value != nil {
			return m.Value
		}
	}
	for i := range r.Slices {
		if ci := r.Slices[i].CI; ci != nil {
			return ci
		}
	}
	return nil
}

// IntervalNote says what low..high is.
func (r *Report) IntervalNote() string {
	confidence, sides := r.Run.Confidence, 1
	if ci := r.firstInterval(); ci != nil {
		confidence, sides = ci.Confidence, ci.Sides
	}
	each, both := confidence, 2*confidence-1
	if sides == 2 {
		each, both = (1+confidence)/2, confidence
	}
	return fmt.Sprintf("low..high is a %s interval: each bound %s.", Percent(both), Percent(each))
}

// Outcome returns the worst verdict of the checks that ran, and how many
// passed of how many ran.
func (s *Smoke) Outcome() (v verdict.Verdict, passed, ran int) {
	var all []verdict.Verdict
	for _, c := range s.Checks {
		if c.Verdict == "" {
			continue
		}
		all = append(all, c.Verdict)
		if c.Verdict == verdict.Pass {
			passed++
		}
	}
	return verdict.Worst(all...), passed, len(all)
}
