package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const promotionBranch = "dosirak/promote/flights-delay/production"

// call runs the command line in this process.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), newRootCommand(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// The whole story of the README: a PASS is proposed, proposing it again
// changes nothing, and after the merge the model is what the next run is
// measured against.
func TestLine(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for real")
	}
	t.Parallel()
	r, dir := projecttest.Flights(t)
	before := r.Git("rev-parse", "HEAD")

	code, stdout, stderr := call(t, "run", "-C", dir, "--promote", "--json")
	require.Equal(t, 0, code, stderr)
	var out pipeline.Outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &out), "one JSON object and nothing else")
	assert.Equal(t, verdict.Pass, out.Verdict)
	assert.False(t, out.Unchanged)
	assert.Equal(t, promote.Created, out.Promotion.Operation)
	for _, m := range out.Report.Metrics {
		if m.Margin != "" && m.MDE != nil {
			assert.Less(t, *m.MDE, marginOf(t, string(m.Margin)), "%s: the example could hardly do otherwise than pass", m.Name)
		}
	}

	// Git: one commit, only below deploy/, and the user's own state untouched.
	assert.Equal(t, "1", r.Git("rev-list", "--count", "main.."+promotionBranch))
	for _, path := range strings.Split(r.Git("diff", "--name-only", "main", promotionBranch), "\n") {
		assert.True(t, strings.HasPrefix(path, "p/deploy/"), path)
	}
	assert.Contains(t, r.Git("log", "-1", "--format=%B", promotionBranch), "Dosirak-Bundle: "+string(out.Report.Candidate.Bundle))
	assert.Equal(t, before, r.Git("rev-parse", "HEAD"))
	assert.Empty(t, r.Git("status", "--porcelain"))
	for _, name := range []string{"report.json", "report.md", "report.html", "exam.json"} {
		assert.FileExists(t, filepath.Join(out.Dir, name))
	}

	proposed := r.Git("rev-parse", promotionBranch)
	code, stdout, stderr = call(t, "run", "-C", dir, "--promote")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "unchanged")
	assert.Equal(t, proposed, r.Git("rev-parse", promotionBranch), "again changes nothing")

	r.Git("merge", "--quiet", promotionBranch)
	code, stdout, stderr = call(t, "run", "-C", dir, "--promote", "--json")
	require.Equal(t, 0, code, stderr)
	var after pipeline.Outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &after))
	assert.True(t, after.Unchanged, "what was merged is production")
	assert.Equal(t, out.Report.Candidate.Bundle, after.Report.Baseline.Bundle)
	assert.Equal(t, promote.Skipped, after.Promotion.Operation)

	code, stdout, stderr = call(t, "verify", "-C", dir)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "holds")
}

func TestVariants(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for real")
	}
	t.Parallel()
	_, dir := projecttest.Flights(t)
	for _, tt := range []struct {
		config string
		code   int
		says   string
	}{
		{"variants/weather.yaml", 1, "log_loss"},
		{"variants/few-rows.yaml", 3, "roc_auc"},
		{"variants/unseeded.yaml", 1, "gave two different models"},
		{"variants/weather-calibrated.yaml", 0, "PASS"},
	} {
		code, stdout, stderr := call(t, "run", "-C", dir, "--config", tt.config)
		assert.Equal(t, tt.code, code, "%s: %s", tt.config, stderr)
		assert.Contains(t, stdout, tt.says, tt.config)
	}
}

func marginOf(t *testing.T, text string) float64 {
	t.Helper()
	m, err := exam.ParseMargin(text)
	require.NoError(t, err)
	return m.Value
}

// What the summary tells to type next can be typed where the run was.
func TestNextCommandNamesTheProject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ dir, config, command, want string }{
		{".", project.ConfigFile, "dosirak promote 1", "dosirak promote 1"},
		{"examples/flights", project.ConfigFile, "dosirak explain 1 f1", "dosirak explain 1 f1 -C examples/flights"},
		{"p", "variants/x.yaml", "dosirak promote 1", "dosirak promote 1 -C p --config variants/x.yaml"},
		{"p", "variants/x.yaml", "dosirak run", "dosirak run -C p --config variants/x.yaml"},
		{"p", "variants/x.yaml", "dosirak runs show 1", "dosirak runs show 1 -C p"},
		{"a b; rm", project.ConfigFile, "dosirak promote 1", "dosirak promote 1 -C 'a b; rm'"},
	} {
		project := projectFlags{tt.dir, tt.config}
		assert.Equal(t, tt.want, project.command(tt.command))
	}
}
