package report

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Gates are all that the verdict rests on. A run's verdict is verdict.Of of
// them, and no report may say better. Where the candidate is the model in
// production there is nothing to compare: the proof, the export and the smoke test remain.
func (r *Report) Gates() []verdict.Gate {
	var gates []verdict.Gate
	if !r.Unchanged {
		gates = r.comparisonGates()
	}
	if r.Determinism != nil {
		gates = append(gates, verdict.Gate{Name: "determinism", Verdict: r.Determinism.Verdict})
	}
	if r.Export != nil {
		gates = append(gates, verdict.Gate{Name: "export", Verdict: r.Export.Verdict})
	}
	if r.Smoke != nil {
		gates = append(gates, r.Smoke.gates()...)
	}
	return gates
}

func (r *Report) comparisonGates() []verdict.Gate {
	var gates []verdict.Gate
	for i := range r.Metrics {
		m := &r.Metrics[i]
		gates = append(gates, verdict.Gate{Name: fmt.Sprintf("metrics[%d] (%s)", i, m.Name), Verdict: m.Verdict, Asked: r.asked(m)})
	}
	for i, s := range r.Slices {
		gates = append(gates, verdict.Gate{Name: fmt.Sprintf("slices[%d]", i), Verdict: s.Verdict, Alarm: s.Mode != GateSlice})
	}
	for i, e := range r.Exams {
		if e.Accepted && e.Role == Promoted && e.Verdict == verdict.Inconclusive && e.Reason != "" {
			continue
		}
		gates = append(gates, verdict.Gate{Name: fmt.Sprintf("exams[%d] (%s)", i, e.Role), Verdict: e.Verdict, Asked: true})
	}
	for i, f := range r.Leakage {
		gates = append(gates, verdict.Gate{Name: fmt.Sprintf("leakage[%d]", i), Verdict: f.Verdict})
	}
	return gates
}

// asked reports whether a metric has something to be held against: a limit of
// its own, or a margin and another model. Limits are judged once, with the
// baseline.
func (r *Report) asked(m *Metric) bool {
	if m.Against == AgainstAnchor {
		return m.Margin != "" && r.Anchor != nil
	}
	return m.Floor != nil || m.Ceiling != nil || m.Margin != "" && r.Baseline != nil
}

// gates are the checks that were run. A smoke test of which none was says
// nothing about the server.
func (s *Smoke) gates() []verdict.Gate {
	var gates []verdict.Gate
	judged := false
	for i, check := range s.Checks {
		gates = append(gates, verdict.Gate{Name: fmt.Sprintf("smoke.checks[%d]", i), Verdict: check.Verdict})
		judged = judged || check.Verdict != ""
	}
	if !judged {
		gates = append(gates, verdict.Gate{Name: "smoke", Asked: true})
	}
	return gates
}
