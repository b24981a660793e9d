package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
)

func TestInit(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("c", 40)
	r := gittest.New(t, map[string]string{
		"a/dosirak.yaml": projecttest.MiniConfig, "b/c/dosirak.yaml": strings.Replace(projecttest.MiniConfig, "model: flights-delay", "model: other", 1),
		".github/workflows/dosirak-main.yml": "mine\n",
	})
	code, stdout, stderr := call(t, "init", "--github", "-C", r.Dir, "--actions-commit", commit, "--plan")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "would write .github/workflows/dosirak-judge.yml")
	assert.Contains(t, stdout, "kept  .github/workflows/dosirak-main.yml")
	assert.Empty(t, r.Git("status", "--porcelain"), "a plan writes nothing")

	code, stdout, stderr = call(t, "init", "--github", "-C", filepath.Join(r.Dir, "b"), "--actions-commit", commit)
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "kept  .github/workflows/dosirak-main.yml")
	assert.Contains(t, stdout, "only once they are on the default branch")
	assert.Contains(t, stdout, "dosirak/flights-delay/production")
	assert.Contains(t, stdout, "dosirak/other/production")
	kept, err := os.ReadFile(filepath.Join(r.Dir, ".github/workflows/dosirak-main.yml"))
	require.NoError(t, err)
	assert.Equal(t, "mine\n", string(kept), "what is there is never overwritten")
	judge, err := os.ReadFile(filepath.Join(r.Dir, ".github/workflows/dosirak-judge.yml"))
	require.NoError(t, err)
	assert.Contains(t, string(judge), "dosirak-ml/dosirak/actions/compare@"+commit)

	// A workflow that is a link to elsewhere is not written through.
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("safe"), 0o644))
	require.NoError(t, os.Remove(filepath.Join(r.Dir, ".github/workflows/dosirak.yml")))
	require.NoError(t, os.Symlink(outside, filepath.Join(r.Dir, ".github/workflows/dosirak.yml")))
	code, _, stderr = call(t, "init", "--github", "-C", r.Dir, "--actions-commit", commit)
	require.Equal(t, 0, code, stderr)
	text, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "safe", string(text))
}

// Whatever the default branch is called, the workflows and the config mean it.
func TestInitFollowsTheDefaultBranch(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("c", 40)
	for _, branch := range []string{"main", "master", "trunk", "release/2.x"} {
		for _, cloned := range []bool{false, true} {
			r := gittest.New(t, map[string]string{"dosirak.yaml": projecttest.MiniConfig, "README.md": "x\n"})
			r.Git("branch", "--move", branch)
			if cloned {
				clone := filepath.Join(t.TempDir(), "clone")
				r.Git("clone", "--quiet", r.Dir, clone)
				r = gittest.Repository{T: t, Dir: clone}
				r.Git("checkout", "--quiet", "-b", "set-up")
			}
			code, _, stderr := call(t, "init", "--github", "-C", r.Dir, "--actions-commit", commit)
			require.Equal(t, 0, code, stderr)
			text, err := os.ReadFile(filepath.Join(r.Dir, ".github/workflows/dosirak-main.yml"))
			require.NoError(t, err)
			assert.Contains(t, string(text), "branches: ["+branch+"]", "cloned: %v", cloned)
			assert.Equal(t, branch != "main", strings.Contains(string(text), "DOSIRAK_BASE: "+branch+" "), branch)
			assert.Contains(t, string(text), "go-version: '", "this build is no release, so the actions are built")
		}
	}
}

func TestInitBadInput(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("c", 40)
	empty := gittest.New(t, map[string]string{"x": "y"})
	twice := gittest.New(t, map[string]string{"a/dosirak.yaml": projecttest.MiniConfig, "b/dosirak.yaml": projecttest.MiniConfig})
	broken := gittest.New(t, map[string]string{"a/dosirak.yaml": "version: 1\nmodle: x\n"})
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"init"}, fault.CodeUsage, "init --github"},
		{[]string{"init", "--github", "-C", t.TempDir(), "--actions-commit", commit}, fault.CodeUsage, "Git"},
		{[]string{"init", "--github", "-C", empty.Dir, "--actions-commit", commit}, fault.CodeUsage, "there is no dosirak.yaml"},
		{[]string{"init", "--github", "-C", twice.Dir, "--actions-commit", commit}, fault.CodeUsage, "two projects have the model"},
		{[]string{"init", "--github", "-C", broken.Dir, "--actions-commit", commit}, fault.CodeUsage, "modle"},
		{[]string{"init", "--github", "-C", projecttestDir(t), "--actions-commit", "main"}, fault.CodeUsage, "no commit of dosirak"},
		{[]string{"init", "--github", "-C", projecttestDir(t)}, fault.CodeUsage, "--actions-commit"},
	} {
		code, _, stderr := call(t, tt.args...)
		assert.Equal(t, tt.code, code, "%v: %s", tt.args, stderr)
		assert.Contains(t, stderr, tt.says, "%v", tt.args)
	}
	_, err := onboard.GitHub(t.Context(), onboard.Request{Dir: projecttestDir(t), Version: "v1.2.3", LookUp: func(context.Context, string) (string, error) {
		return "", fault.Environment(errors.New("no network; name it with --actions-commit"))
	}})
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
}

func projecttestDir(t *testing.T) string {
	t.Helper()
	return gittest.New(t, map[string]string{"dosirak.yaml": projecttest.MiniConfig}).Dir
}
