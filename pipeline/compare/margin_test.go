package compare

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// A margin that nothing could fail is refused with what was probably meant.
func TestMarginThatCannotFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		metric   string
		margin   exam.Margin
		baseline float64
		says     string // "": it may stand
	}{
		{"a percentage written as a number", "log_loss", exam.Margin{Value: 2}, 0.52, "did you mean 2%"},
		{"more than the error in its unit", "rmse", exam.Margin{Value: 50}, 12, "did you mean 50%"},
		{"far more", "mae", exam.Margin{Value: 5000}, 12, "such as 2% or 0.01"},
		{"less than the error", "rmse", exam.Margin{Value: 5}, 12, ""},
		{"relative", "log_loss", exam.Margin{Value: 0.9, Relative: true}, 0.5, ""},
		{"small beside a nearly perfect model", "log_loss", exam.Margin{Value: 0.01}, 0.0001, ""},
		{"a perfect model", "mae", exam.Margin{Value: 2}, 0, ""},
		{"may be negative", "r2", exam.Margin{Value: 0.8}, 0.05, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := checkMargins([]Metric{{Name: tt.metric, Margin: &tt.margin, Baseline: &tt.baseline, Against: AgainstBaseline}}, metric.Lookup)
			if tt.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.says)
			assert.Same(t, fault.MarginTooWide, fault.CodeOf(err))
		})
	}
}
