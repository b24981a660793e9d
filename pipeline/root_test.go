package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rootFiles says why each file is in the root of the domain and in no room: it
// tells the run, is one step of it, or is one part of its report.
var rootFiles = map[string]string{
	"doc.go":                    "what the package is",
	"pipeline.go":               "the run on one page",
	"session.go":                "what one run knows, and how a step is remembered",
	"observer.go":               "who is told how far a run is",
	"step_load.go":              "step: the rows, and what production runs",
	"step_load_change.go":       "the same step: the exam of a change that another machine trained",
	"step_load_places.go":       "the same step: what an older bundle of production reads",
	"step_load_power.go":        "the same step: what the rows can show is said before training",
	"step_train.go":             "step: every seed, and production's recipe anew",
	"step_prove.go":             "step: the first seed again",
	"step_seal.go":              "step: the candidate becomes a bundle, or is the earlier environment's",
	"step_export.go":            "step: what ships is held against what was trained",
	"step_evaluate.go":          "step: the models answer the rows",
	"step_evaluate_promoted.go": "the same step: the exam of production is asked again",
	"step_compare.go":           "step: the verdict by today's exam and by production's",
	"step_image.go":             "step: bundle and server become an image",
	"step_smoke.go":             "step: the image is used as its callers would",
	"step_report.go":            "step: what was found, as one report",
	"step_promote.go":           "step: the proposal",
	"step_promote_judged.go":    "the same step, later: of a run that came to its verdict before",
	"report_comparison.go":      "part of the report: metrics and slices",
	"report_values.go":          "part of the report: values of replicates, calibration",
	"report_leakage.go":         "part of the report: what training and evaluation data share",
	"report_difference.go":      "part of the report: what differs from production",
	"report_recipes.go":         "part of the report: recipes, each seen through its replicates",
	"report_provenance.go":      "part of the report: what the model came from",
	"single_step.go":            "train, seal and evaluate, each alone",
	"standalone.go":             "the report of a comparison without a run",
}

// A file more in the root is a decision: most belong in a room.
func TestRootFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		seen[name] = true
		assert.NotEmpty(t, rootFiles[name], "%s: say here why it stands in the root and in no room", name)
	}
	for name := range rootFiles {
		assert.True(t, seen[name], "%s is listed here and does not exist", name)
	}
}
