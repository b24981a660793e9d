package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// What to do next speaks of the gate that decided, not of another that only
// cannot tell.
func TestNextSpeaksOfTheGateThatDecided(t *testing.T) {
	t.Parallel()
	r := &report.Report{Verdict: verdict.Fail,
		Metrics: []report.Metric{{Name: "roc_auc", Verdict: verdict.Inconclusive}},
		Slices:  []report.Slice{{Name: "north", Metric: "log_loss", Mode: report.AlarmSlice, Verdict: verdict.Fail}}}
	r.Run.ID = "20260801-1200-3f9a1c"
	steps := r.Next()
	require.Len(t, steps, 1)
	assert.Equal(t, "dosirak explain 20260801-1200-3f9a1c log_loss", steps[0].Command)
	assert.Contains(t, steps[0].Text, "A slice decided")

	r.Metrics[0].Verdict = verdict.Fail
	steps = r.Next()
	require.Len(t, steps, 1)
	assert.Equal(t, "dosirak explain 20260801-1200-3f9a1c roc_auc", steps[0].Command)
}
