package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// The verdict that a run gives, that verify recomputes and that the validation
// of a report allows at best is one function's.
func TestVerdictOfGates(t *testing.T) {
	t.Parallel()
	const pass, fail, inconclusive = verdict.Pass, verdict.Fail, verdict.Inconclusive
	half := 0.5
	smoke := func(v ...verdict.Verdict) *report.Smoke {
		s := &report.Smoke{Target: "process", Checks: []report.Check{}}
		for _, v := range v {
			s.Checks = append(s.Checks, report.Check{Name: "ready", Verdict: v})
		}
		return s
	}
	for _, tt := range []struct {
		name string
		r    report.Report
		want verdict.Verdict
	}{
		{"nothing", report.Report{}, inconclusive},
		{"a metric", report.Report{Metrics: []report.Metric{{Verdict: pass}}}, pass},
		{"a metric that informs", report.Report{Metrics: []report.Metric{{Candidate: &half}}}, inconclusive},
		{"the worse of two metrics", report.Report{Metrics: []report.Metric{{Verdict: inconclusive}, {Verdict: fail}}}, fail},
		{"a margin, a baseline and no value", report.Report{Baseline: &report.Model{}, Metrics: []report.Metric{{Verdict: pass}, {Margin: "0.01"}}}, inconclusive},
		{"a margin of a first model", report.Report{Metrics: []report.Metric{{Verdict: pass}, {Margin: "0.01"}}}, pass},
		{"a floor and no value", report.Report{Metrics: []report.Metric{{Verdict: pass}, {Floor: &half}}}, inconclusive},
		{"a ceiling and no value", report.Report{Metrics: []report.Metric{{Verdict: pass}, {Ceiling: &half}}}, inconclusive},
		{"a floor is judged once, with the baseline", report.Report{
			Baseline: &report.Model{}, Anchor: &report.Model{},
			Metrics: []report.Metric{{Verdict: pass, Floor: &half, Against: report.AgainstBaseline}, {Floor: &half, Against: report.AgainstAnchor}},
		}, pass},
		{"a margin against the anchor and no value", report.Report{
			Baseline: &report.Model{}, Anchor: &report.Model{},
			Metrics: []report.Metric{{Verdict: pass, Margin: "0.01", Against: report.AgainstBaseline}, {Margin: "0.01", Against: report.AgainstAnchor}},
		}, inconclusive},
		{"the anchor is lost", report.Report{Metrics: []report.Metric{{Verdict: pass}, {Verdict: fail, Against: report.AgainstAnchor}}}, fail},
		{"a gate slice cannot tell", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Slices: []report.Slice{{Mode: report.GateSlice, Verdict: inconclusive}}}, inconclusive},
		{"a gate slice under min_n", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Slices: []report.Slice{{Mode: report.GateSlice}}}, pass},
		{"an alarm cannot tell", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Slices: []report.Slice{{Mode: report.AlarmSlice, Verdict: inconclusive}}}, pass},
		{"an alarm rings", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Slices: []report.Slice{{Mode: report.AlarmSlice, Verdict: fail}}}, fail},
		{"the exam of production cannot judge", report.Report{Exams: []report.Exam{{Role: report.Today, Verdict: pass}, {Role: report.Promoted, Verdict: inconclusive}}}, inconclusive},
		{"the exam of production has no verdict", report.Report{Exams: []report.Exam{{Role: report.Today, Verdict: pass}, {Role: report.Promoted}}}, inconclusive},
		{"rows that training and evaluation share", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Leakage: []report.Finding{{Verdict: inconclusive}}}, inconclusive},
		{"a finding that is pointed out", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Leakage: []report.Finding{{}}}, pass},
		{"it does not reproduce", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Determinism: &report.Determinism{Verdict: fail}}, fail},
		{"reproduce: off", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Determinism: &report.Determinism{}}, pass},
		{"a check of the smoke test fails", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Smoke: smoke(pass, fail)}, fail},
		{"a check was not run", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Smoke: smoke(pass, "")}, pass},
		{"no check was run", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Smoke: smoke("", "")}, inconclusive},
		{"what ships is not what was trained", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Export: &report.Export{Verdict: fail, Rows: 9, Differ: 1}}, fail},
		{"it is", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Export: &report.Export{Verdict: pass, Rows: 9}}, pass},
		{"nothing was compared with what was trained", report.Report{Metrics: []report.Metric{{Verdict: pass}}, Export: &report.Export{Reason: "no file"}}, pass},
		{"unchanged: the comparison says nothing", report.Report{
			Unchanged: true, Metrics: []report.Metric{{Verdict: fail}}, Slices: []report.Slice{{Mode: report.GateSlice, Verdict: fail}},
			Exams: []report.Exam{{Verdict: inconclusive}}, Leakage: []report.Finding{{Verdict: inconclusive}}, Determinism: &report.Determinism{Verdict: pass}, Smoke: smoke(pass),
		}, pass},
		{"unchanged, and the server fails", report.Report{Unchanged: true, Determinism: &report.Determinism{Verdict: pass}, Smoke: smoke(fail)}, fail},
		{"unchanged, and nothing else was judged", report.Report{Unchanged: true, Metrics: []report.Metric{{Verdict: pass}}}, inconclusive},
		{"advise changes no verdict", report.Report{Run: report.Run{Mode: report.Advise}, Metrics: []report.Metric{{Verdict: fail}}}, fail},
	} {
		assert.Equal(t, tt.want, verdict.Of(tt.r.Gates()), tt.name)
	}
}

// A report that says better than its gates is refused; one that says as they
// do, or worse, is not.
func TestNoReportIsBetterThanItsGates(t *testing.T) {
	t.Parallel()
	for _, tt := range reporttest.Cases() {
		r := tt.Report
		given := verdict.Of(r.Gates())
		for _, v := range []verdict.Verdict{verdict.Pass, verdict.Inconclusive, verdict.Fail} {
			r.Verdict = v
			err := r.Validate()
			if verdict.Worst(v, given) == v {
				require.NoError(t, err, "%s: %s", tt.Name, v)
			} else {
				assert.ErrorContains(t, err, "although", "%s: %s", tt.Name, v)
			}
		}
	}
}

func TestNothingJudgedIsNoPass(t *testing.T) {
	t.Parallel()
	r := reporttest.Bare()
	r.Metrics, r.Slices, r.Exams, r.Leakage, r.Determinism, r.Smoke = []report.Metric{}, []report.Slice{}, []report.Exam{}, nil, nil, nil
	r.Verdict = verdict.Pass
	require.ErrorContains(t, r.Validate(), "is PASS although nothing was judged")
	r.Verdict = verdict.Inconclusive
	assert.NoError(t, r.Validate())
}
