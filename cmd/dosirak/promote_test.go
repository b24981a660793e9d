package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
)

// What a person reads after a promotion is what was found and where it is
// proposed; the pull request's text is a plan's. What is refused is not told as
// done, and each next step can be typed from where the run was.
func TestWhatAPromotionSays(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Commit("variant", map[string]string{"variants/other.yaml": projecttest.MiniConfig})
	const branch = "dosirak/promote/flights-delay/production"
	body := "| " // of the pull request's tables

	// The branch cannot be moved: it stands in another work tree.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	r.Git("branch", branch)
	r.Git("worktree", "add", "--quiet", elsewhere, branch)
	code, stdout, stderr := call(t, "run", "-C", r.Dir, "--promote")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "is checked out in")
	assert.Contains(t, stderr, "(E0502)")
	assert.NotContains(t, stdout, "git merge")
	assert.NotContains(t, stdout, "on branch")
	assert.Contains(t, stdout, "dosirak promote ", "it is still to be proposed")
	assert.Contains(t, stdout, " -C "+r.Dir)
	code, stdout, _ = call(t, "run", "-C", r.Dir, "--promote", "--json")
	assert.Equal(t, 2, code)
	var both outcomeObject
	require.NoError(t, json.Unmarshal([]byte(stdout), &both))
	assert.Nil(t, both.Promotion)
	require.NotNil(t, both.Error)
	assert.Equal(t, "E0502", both.Error.Code)
	assert.NotEmpty(t, both.Report.Schema, "what was found is there too")
	r.Git("worktree", "remove", elsewhere)
	r.Git("branch", "-D", branch)

	code, stdout, stderr = call(t, "run", "-C", r.Dir, "--plan")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "nothing is written")
	assert.Contains(t, stdout, body)
	assert.Empty(t, r.Git("branch", "--list", "dosirak/*"))

	code, stdout, stderr = call(t, "run", "-C", r.Dir, "--promote")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "on branch "+branch+" (created")
	assert.Contains(t, stdout, "git merge "+branch)
	assert.NotContains(t, stdout, body, "the pull request's text")
	assert.NotContains(t, stdout, "dosirak promote ", "it is proposed")

	// The same model again, once it is production.
	r.Git("merge", "--quiet", "--no-edit", branch)
	code, stdout, stderr = call(t, "run", "-C", r.Dir)
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "UNCHANGED")
	assert.Regexp(t, `compare +done in .*: UNCHANGED`, stderr)
	_, stdout, _ = call(t, "runs", "list", "-C", r.Dir, "--limit", "1")
	assert.Contains(t, stdout, "UNCHANGED")
	assert.NotContains(t, stdout, "PASS")
}

// A run of another config is promoted by what it was of, without naming it.
func TestPromoteTakesTheRunsConfig(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Commit("variant", map[string]string{"variants/other.yaml": strings.Replace(projecttest.MiniConfig, "seeds: [1, 2]", "seeds: [2, 1]", 1)})
	code, stdout, stderr := call(t, "run", "-C", r.Dir, "--config", "variants/other.yaml", "--json")
	require.Equal(t, 0, code, stderr)
	var out pipeline.Outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))

	code, _, stderr = call(t, "promote", "latest", "-C", r.Dir, "--config", "dosirak.yaml")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "is of variants/other.yaml, not of dosirak.yaml")

	code, stdout, stderr = call(t, "promote", "latest", "-C", r.Dir, "--json")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, r.Git("log", "-1", "--format=%b", "dosirak/promote/flights-delay/production"), string(out.Report.Candidate.Bundle))
	assert.Contains(t, stdout, `"promotion"`)
}
