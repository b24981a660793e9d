package pipeline

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Equal rows are pointed out where chance gives as many, and decide where it
// does not; what the reader is told to do is about the rows.
func TestReportOfEqualRows(t *testing.T) {
	t.Parallel()
	r := dataset.LeakageReport{
		TrainRows: 1500, EvalRows: 300, TrainUnit: "line", EvalUnit: "row", TrainRepeats: 50, ByChance: 10,
		Rows: dataset.Overlap{Rows: 12, Levels: 9, Examples: []dataset.Example{{TrainLine: 7, EvalLine: 3}}},
	}
	found := reportLeakage(r)
	require.Len(t, found, 1)
	assert.Empty(t, found[0].Verdict)
	assert.Equal(t, "12 of 300 evaluation rows equal a training row in all features and the label, where chance gives about 10 (50 of 1500 training rows equal another)", string(found[0].Detail))
	assert.Equal(t, "row 3, training line 7", string(found[0].Examples[0]))

	r.BeyondChance = true
	found = reportLeakage(r)
	assert.Equal(t, verdict.Inconclusive, found[0].Verdict)
	whole := report.Report{Verdict: verdict.Inconclusive, Leakage: found}
	require.NotEmpty(t, whole.Next())
	assert.Contains(t, whole.Next()[0].Text, "Take the rows that both tables have out of one of them")
	assert.Empty(t, reportLeakage(dataset.LeakageReport{TrainRows: 10, EvalRows: 10}))
}
