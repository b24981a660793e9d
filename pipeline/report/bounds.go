package report

import "github.com/dosirak-ml/dosirak/pipeline/verdict"

// BoundVerdict is the verdict of m's floor and ceiling alone: the metric's own
// holds the margin too, and is the worse of the two.
func (m *Metric) BoundVerdict() verdict.Verdict {
	switch {
	case m.Floor == nil && m.Ceiling == nil:
		return ""
	case m.Verdict == "" || m.Verdict == verdict.Pass:
		return m.Verdict // all of a metric that passes does
	case m.Margin == "" || m.Baseline == nil:
		return m.Verdict // nothing else was asked
	case m.Value == nil || m.Value.Low == nil || m.Value.High == nil:
		return verdict.Inconclusive
	}
	low, high := *m.Value.Low, *m.Value.High
	kept, v := true, verdict.Pass
	if m.Floor != nil {
		kept = low >= *m.Floor
		if high < *m.Floor {
			v = verdict.Fail
		}
	}
	if m.Ceiling != nil {
		kept = kept && high <= *m.Ceiling
		if low > *m.Ceiling {
			v = verdict.Fail
		}
	}
	if v == verdict.Pass && !kept {
		return verdict.Inconclusive
	}
	return v
}
