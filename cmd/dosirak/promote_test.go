package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// walked walks the line of a project and returns what came of it.
func walked(t *testing.T, dir string, code int) pipeline.Outcome {
	t.Helper()
	got, stdout, stderr := call(t, "run", "-C", dir, "--json")
	require.Equal(t, code, got, stderr)
	var out pipeline.Outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))
	return out
}

// Promoting a run again and again changes nothing: not the branch, not the
// report, not the times in it.
func TestPromoteAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	out := walked(t, r.Dir, 0)
	read := func() (report, page string) {
		t.Helper()
		a, err := os.ReadFile(filepath.Join(out.Dir, "report.json"))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(out.Dir, "report.html"))
		require.NoError(t, err)
		return string(a), string(b)
	}
	report, page := read()
	var tip string
	for i := range 3 {
		code, _, stderr := call(t, "promote", "latest", "-C", r.Dir)
		require.Equal(t, 0, code, stderr)
		again, pageAgain := read()
		assert.Equal(t, report, again)
		assert.Equal(t, page, pageAgain)
		if i == 0 {
			tip = r.Git("rev-parse", promotionBranch)
		}
		assert.Equal(t, tip, r.Git("rev-parse", promotionBranch))
	}
}

// What promote says of a candidate that is not to be promoted does not depend
// on whether an older proposal was there to be taken back.
func TestPromoteAfterAFail(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	walked(t, r.Dir, 0)
	code, _, stderr := call(t, "promote", "latest", "-C", r.Dir)
	require.Equal(t, 0, code, stderr)
	r.Commit("more is asked", map[string]string{"dosirak.yaml": strings.Replace(projecttest.MiniConfig, "floor: 0.5", "floor: 0.99", 1)})
	walked(t, r.Dir, fault.CodeFailed)
	for i := range 3 {
		code, stdout, stderr := call(t, "promote", "latest", "-C", r.Dir)
		assert.Equal(t, fault.CodeUsage, code, "%d: %s%s", i, stdout, stderr)
	}
}

// promote proposes where rollback, adopt and reconcile do.
func TestPromoteTakesAForge(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	walked(t, r.Dir, 0)
	for _, tt := range []struct {
		forge string
		code  int
		says  string
	}{
		{"local", 0, promotionBranch},
		{"github", fault.CodeUsage, "GITHUB_"},
		{"gitlab", fault.CodeUsage, "--forge"},
	} {
		code, stdout, stderr := call(t, "promote", "latest", "-C", r.Dir, "--forge", tt.forge)
		assert.Equal(t, tt.code, code, tt.forge)
		assert.Contains(t, stdout+stderr, tt.says, tt.forge)
	}
}
