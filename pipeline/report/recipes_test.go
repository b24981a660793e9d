package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestRecipes(t *testing.T) {
	t.Parallel()
	fail := reporttest.Fail()
	x := &fail.Recipes[1]
	assert.Equal(t, "log_loss over 5 seeds is inconclusive: the interval -3.32..-1.32% reaches across the margin of 2%.", x.Sentence())
	assert.Equal(t, "5 seeds against 5", x.Sides())
	assert.Equal(t, "standard error 0.55%; the seeds alone would give 0.33%, the rows alone 0.51%", x.Scatter("rows"))
	assert.Equal(t, "more rows would narrow it more than more seeds", x.Narrower("rows"))
	x.Components.SeedsCandidate *= 10
	assert.Equal(t, "more seeds would narrow it more than more rows", x.Narrower("rows"))
	one := reporttest.Inconclusive().Recipes
	assert.Equal(t, "5 seeds against one model", one[0].Sides())
	one[0].Verdict, one[0].CI.Low = verdict.Pass, ptr(0.001)
	assert.Equal(t, "roc_auc over 5 seeds is better than the baseline's one model by 0.002 (+0.001..+0.032).", one[0].Sentence())
	assert.Equal(t, "accuracy over 5 seeds: the standard error is 0: not enough data.", one[1].Sentence())
	assert.Empty(t, one[1].Narrower("rows"))
}

// TestDissent: only where recipe and candidate differ by the same margin, and
// the recipe has an interval.
func TestDissent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *report.Report)
		want   verdict.Verdict
	}{
		"agrees":              {func(*report.Report) {}, ""},
		"differs":             {func(r *report.Report) { r.Recipes[2].Verdict = verdict.Fail }, verdict.Pass},
		"candidate differs":   {func(r *report.Report) { r.Metrics[2].CI.Low = ptr(-0.2) }, verdict.Inconclusive},
		"floor alone":         {func(r *report.Report) { r.Metrics[2].Verdict = verdict.Fail }, ""},
		"no interval":         {func(r *report.Report) { r.Recipes[2].Verdict, r.Recipes[2].CI = verdict.Inconclusive, nil }, ""},
		"no margin":           {func(r *report.Report) { r.Recipes[2].Verdict = "" }, ""},
		"unchanged":           {func(r *report.Report) { r.Recipes[2].Verdict, r.Unchanged = verdict.Fail, true }, ""},
		"anchor differs":      {func(r *report.Report) { r.Metrics[2].Against = report.AgainstAnchor }, ""},
		"metric not compared": {func(r *report.Report) { r.Recipes[2].Metric, r.Recipes[2].Verdict = "mcc", verdict.Fail }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reporttest.Pass()
			require.Equal(t, report.Name("accuracy"), r.Metrics[2].Name)
			require.NotNil(t, r.Metrics[2].Floor)
			c.change(r)
			assert.Equal(t, c.want, r.Dissent(&r.Recipes[2]))
		})
	}
}
