package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// three returns the verdict of bounds against a limit that must be exceeded.
func three(low, high, limit float64) verdict.Verdict {
	switch {
	case low > limit: // false for NaN
		return verdict.Pass
	case high < limit:
		return verdict.Fail
	}
	return verdict.Inconclusive
}

// judgeMetric judges one metric of the exam against one model.
func judgeMetric(p *pair, want exam.Metric, m metric.Metric, against Against, ex exam.Exam) Metric {
	direction := want.Direction
	if direction == "" {
		direction = m.Direction
	}
	out := Metric{Name: m.Name, Direction: direction, Against: against, Primary: want.Primary,
		Margin: want.Margin, Floor: want.Floor, Ceiling: want.Ceiling}
	var verdicts []verdict.Verdict
	var reasons []string
	if p.base != nil {
		q := question{metric: m, direction: direction, confidence: ex.Confidence, margin: want.Margin}
		e := p.ask(q)
		out.fill(e, q, p.units())
		if want.Margin != nil {
			v, why := e.verdict(q)
			verdicts = append(verdicts, v)
			reasons = append(reasons, why)
		} else if e.reason != "" && e.reason != "report-only" {
			reasons = append(reasons, e.reason)
		}
	} else if v := m.Of(p.cand); v.Defined() {
		out.Candidate = ptr(v.V)
	} else {
		reasons = append(reasons, "undefined: "+v.Reason)
		if want.Margin != nil {
			// What cannot be computed today can be compared with by no later change.
			verdicts = append(verdicts, verdict.Inconclusive)
		}
	}
	// A floor is a matter of the candidate alone: judged once.
	if against == AgainstBaseline && (want.Floor != nil || want.Ceiling != nil) {
		v, why := out.limits(p, want, m, ex.Confidence)
		verdicts = append(verdicts, v)
		reasons = append(reasons, why)
	}
	if len(verdicts) > 0 {
		out.Verdict = verdict.Worst(verdicts...)
	}
	out.Reason = join(reasons)
	return out
}

func join(reasons []string) string {
	var kept []string
	for _, r := range reasons {
		if r != "" {
			kept = append(kept, r)
		}
	}
	return strings.Join(kept, "; ")
}

// fill takes over an estimate.
func (out *Metric) fill(e estimate, q question, units int) {
	if e.cand.Defined() {
		out.Candidate = ptr(e.cand.V)
	}
	if e.base.Defined() {
		out.Baseline = ptr(e.base.V)
	}
	if e.cand.Defined() && e.base.Defined() {
		delta := e.cand.V - e.base.V
		out.Delta, out.Improvement = ptr(delta), ptr(q.sign()*delta)
	}
	out.CI = e.interval(q)
	if !e.bounded {
		return
	}
	out.SE = ptr(e.se)
	out.Improved = e.low > 0 && e.noPass == "" && e.reason == ""
	out.MDE = ptr(e.mde(1))
	if q.margin != nil && e.noPass == "" && e.reason == "" {
		if n, ok := e.rowsNeeded(units, q.margin.Value); ok {
			out.RowsNeeded = ptr(n)
		}
	}
}

// interval returns the bounds as they are printed, nil where there are none.
func (e estimate) interval(q question) *Interval {
	if !e.bounded || math.IsNaN(e.low) || math.IsNaN(e.high) {
		return nil
	}
	ci := &Interval{Confidence: q.confidence, Sides: 1, Scale: Difference, Method: e.method, Source: e.source}
	if q.relative() {
		ci.Scale = Ratio
	}
	if !math.IsInf(e.low, 0) {
		ci.Low = ptr(e.low)
	}
	if !math.IsInf(e.high, 0) {
		ci.High = ptr(e.high)
	}
	return ci
}

// verdict of a margin, and the reason where it is not a PASS.
func (e estimate) verdict(q question) (verdict.Verdict, string) {
	if !e.bounded {
		return verdict.Inconclusive, e.reason
	}
	if e.reason != "" {
		return verdict.Inconclusive, e.reason
	}
	v := three(e.low, e.high, q.limit())
	if v == verdict.Pass && e.noPass != "" {
		return verdict.Inconclusive, e.noPass
	}
	switch v {
	case verdict.Fail:
		return v, fmt.Sprintf("even the better bound, %.4g, is below -%s", e.high, q.margin)
	case verdict.Inconclusive:
		if q.margin.Value == 0 {
			return v, "a margin of 0 asks for a significant improvement"
		}
		return v, fmt.Sprintf("the interval %.4g to %.4g holds -%s: these rows cannot tell", e.low, e.high, q.margin)
	}
	return v, ""
}

// limits judges floor and ceiling by the bounds of the candidate's value.
func (out *Metric) limits(p *pair, want exam.Metric, m metric.Metric, confidence float64) (verdict.Verdict, string) {
	e := p.valueOf(m, confidence)
	out.ValueCI = e.interval(question{confidence: confidence})
	if !e.bounded || e.reason != "" {
		return verdict.Inconclusive, e.reason
	}
	var verdicts []verdict.Verdict
	var reasons []string
	say := func(v verdict.Verdict, name string, limit float64) {
		verdicts = append(verdicts, v)
		switch v {
		case verdict.Fail:
			reasons = append(reasons, fmt.Sprintf("the value, %.4g to %.4g, misses the %s %.4g", e.low, e.high, name, limit))
		case verdict.Inconclusive:
			reasons = append(reasons, fmt.Sprintf("the value's interval %.4g to %.4g holds the %s %.4g", e.low, e.high, name, limit))
		}
	}
	if want.Floor != nil {
		// A floor is kept where it is reached.
		v := three(e.low, e.high, *want.Floor)
		if e.low == *want.Floor {
			v = verdict.Pass
		}
		say(v, "floor", *want.Floor)
	}
	if want.Ceiling != nil {
		v := three(-e.high, -e.low, -*want.Ceiling)
		if e.high == *want.Ceiling {
			v = verdict.Pass
		}
		say(v, "ceiling", *want.Ceiling)
	}
	v := verdict.Worst(verdicts...)
	if v == verdict.Pass && e.noPass != "" {
		return verdict.Inconclusive, e.noPass
	}
	return v, join(reasons)
}
