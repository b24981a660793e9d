package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

func TestPowerWarning(t *testing.T) {
	t.Parallel()
	r := reporttest.Grouped()
	assert.Equal(t, "The margins of roc_auc, log_loss, accuracy and brier are under the smallest that these 92 groups can show (0.031, 2.9%, 0.023, 0.0062).", r.PowerWarning())
	assert.Equal(t, "The margin of log_loss, 2%, is under the smallest that these 92 groups can show (2.9%).", r.PowerWarning("log_loss"))
	assert.Empty(t, r.PowerWarning("f1"), "its margin is large enough")
	assert.Empty(t, reporttest.Pass().PowerWarning())
	assert.Empty(t, reporttest.Bare().PowerWarning())
	assert.Empty(t, reporttest.FirstModel().PowerWarning())

	// Against the anchor the same margin is spoken of once, by the larger mde.
	anchor := r.Metrics[0]
	anchor.Against, anchor.MDE = report.AgainstAnchor, ptr(0.04)
	r.Metrics = append(r.Metrics, anchor)
	r.Groups, r.N = 0, 0
	assert.Equal(t, "The margin of roc_auc, 0.01, is under the smallest that the evaluation data can show (0.04).", r.PowerWarning("roc_auc"))

	// A margin in another unit than the interval's is held against it all the
	// same, and many names are counted.
	r.Metrics[4].Margin = "1%"
	for _, name := range []report.Name{"a", "b"} {
		m := r.Metrics[0]
		m.Name = name
		r.Metrics = append(r.Metrics, m)
	}
	assert.Equal(t, "The margins of roc_auc, log_loss, accuracy, brier and 3 more are under the smallest that the evaluation data can show (0.04, 2.9%, 0.023, 0.0062, …).", r.PowerWarning())
	r.Unchanged = true
	assert.Empty(t, r.PowerWarning())
}
