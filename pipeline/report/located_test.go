package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// What is printed to be typed names the project, seen from the repository's
// top. A name that a shell would read otherwise is left out.
func TestCommandsNameTheProject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		folder, config report.Text
		want           string
	}{
		{"", "dosirak.yaml", ""},
		{"examples/flights", "dosirak.yaml", " -C examples/flights"},
		{"examples/flights", "variants/weather.yaml", " -C examples/flights --config variants/weather.yaml"},
		{"", "other.yaml", " --config other.yaml"},
		{"my models; rm -rf x", "$(x).yaml", ""},
		{"-C", "`x`", ""},
	} {
		r := reporttest.Pass()
		r.Run.Folder, r.Run.Config = tt.folder, tt.config
		steps := r.NextAt(report.Place{})
		require.NotEmpty(t, steps)
		assert.Equal(t, "dosirak promote 20260801-1200-3f9a1c --environment production"+tt.want, steps[len(steps)-1].Command)
	}
	r := reporttest.Fail()
	r.Run.Folder, r.Run.Config = "p", "other.yaml"
	steps := r.NextAt(report.Place{})
	assert.Equal(t, "dosirak explain 20260801-1200-3f9a1c log_loss -C p", steps[len(steps)-1].Command, "a run knows its config")
}
