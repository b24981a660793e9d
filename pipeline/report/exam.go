package report

import (
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Acceptable reports whether a person may accept today's comparison in the
// place of the one by production's exam: that one cannot be answered any more,
// and everything else passes. A question that was answered is never passed
// over, whatever its answer.
func (r *Report) Acceptable() bool {
	old := r.ExamChanged()
	if old == nil || old.Verdict != verdict.Inconclusive || old.Reason == "" || r.Unchanged {
		return false
	}
	return verdict.Of(r.GatesToday()) == verdict.Pass
}

// Accept notes that a person accepted today's comparison, where that is theirs
// to do.
func (r *Report) Accept() {
	if r.Acceptable() {
		r.ExamChanged().Accepted = true
	}
}

// GatesToday are Gates without the exam of production.
func (r *Report) GatesToday() []verdict.Gate {
	today := *r
	today.Exams = slices.DeleteFunc(slices.Clone(r.Exams), func(e Exam) bool { return e.Role == Promoted })
	return today.Gates()
}
