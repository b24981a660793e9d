package report

import "github.com/dosirak-ml/dosirak/pipeline/verdict"

// Acceptable reports whether a person may accept today's comparison in the
// place of the one by production's exam: that one cannot be answered any more,
// and everything else passes. A question that was answered is never passed
// over, whatever its answer.
func (r *Report) Acceptable() bool {
	old := r.ExamChanged()
	if old == nil || old.Verdict != verdict.Inconclusive || old.Reason == "" || r.Unchanged {
		return false
	}
	passes := func(v verdict.Verdict) bool { return v == "" || v == verdict.Pass }
	today := false
	for _, e := range r.Exams {
		today = today || e.Role == Today && e.Verdict == verdict.Pass
	}
	for _, l := range r.Leakage {
		today = today && passes(l.Verdict)
	}
	if r.Smoke != nil {
		for _, c := range r.Smoke.Checks {
			today = today && passes(c.Verdict)
		}
	}
	return today && (r.Determinism == nil || passes(r.Determinism.Verdict))
}
