package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
)

func diagnose(t *testing.T, want int, args ...string) doctor.Report {
	t.Helper()
	code, stdout, stderr := call(t, append([]string{"doctor", "--json"}, args...)...)
	require.Equal(t, want, code, "%s%s", stdout, stderr)
	var r doctor.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	return r
}

// said is everything that was found at a level.
func said(r doctor.Report, level doctor.Level) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Level == level {
			b.WriteString(f.Check + ": " + f.What + " | " + f.WayOut + "\n")
		}
	}
	return b.String()
}

func TestDoctorLocally(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, r gittest.Repository)
		code  int
		level doctor.Level
		says  string
	}{
		{"healthy", func(*testing.T, gittest.Repository) {}, 0, doctor.Warn, "dosirak adopt"},
		{"config is wrong", func(t *testing.T, r gittest.Repository) { edit(t, r, "dosirak.yaml", "task: binary", "task: binry") }, 2, doctor.Fail, "binry"},
		{"no config", func(t *testing.T, r gittest.Repository) {
			require.NoError(t, os.Remove(filepath.Join(r.Dir, "dosirak.yaml")))
		}, 2, doctor.Fail, "there is no dosirak.yaml"},
		{"no data", func(t *testing.T, r gittest.Repository) {
			require.NoError(t, os.Remove(filepath.Join(r.Dir, "data/eval.csv")))
		}, 2, doctor.Fail, "data.eval"},
		{"data is a pointer", func(_ *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"data/eval.csv": "version https://git-lfs.github.com/spec/v1\noid sha256:7\nsize 8123\n"})
		}, 2, doctor.Fail, "eval.csv: it is a Git LFS pointer, not the data; run git lfs pull"},
		{"data is a page", func(_ *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"data/train.csv": "<!doctype html><html><title>Sign in</title></html>\n"})
		}, 2, doctor.Fail, "train.csv: it is an HTML page"},
		{"no program", func(t *testing.T, r gittest.Repository) {
			edit(t, r, "dosirak.yaml", "command: cp", "command: cpp-of-nowhere")
		}, 2, doctor.Fail, "cpp-of-nowhere"},
		{"no Git", func(t *testing.T, r gittest.Repository) {
			require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, ".git")))
		}, 2, doctor.Fail, "clone the project"},
		{"no base branch", func(_ *testing.T, r gittest.Repository) { r.Git("branch", "--move", "develop") }, 2, doctor.Fail, "promote.base"},
		{"a branch named dosirak", func(_ *testing.T, r gittest.Repository) { r.Git("branch", "dosirak") }, 2, doctor.Fail, "leaves no room"},
		{"dirty tree", func(_ *testing.T, r gittest.Repository) { r.Write(map[string]string{"notes.txt": "x"}) }, 0, doctor.Warn, "notes.txt"},
		{"manifest without its bundle", func(_ *testing.T, r gittest.Repository) {
			r.Commit("x", map[string]string{"deploy/production.yaml": manifestWithoutBundle})
		}, 2, doctor.Fail, "deploy/bundles/aaaaaaaaaaaa"},
		{"workflow without a permission", func(_ *testing.T, r gittest.Repository) {
			r.Commit("x", map[string]string{".github/workflows/w.yml": "on: push\npermissions: {contents: read}\njobs:\n  p:\n    runs-on: x\n    steps: [{uses: dosirak-ml/dosirak/actions/promote@v1}]\n"})
		}, 2, doctor.Fail, "add `contents: write`"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			tt.spoil(t, r)
			report := diagnose(t, tt.code, "--local", "-C", r.Dir)
			assert.Contains(t, said(report, tt.level), tt.says)
			code, stdout, _ := call(t, "doctor", "--local", "-C", r.Dir)
			assert.Equal(t, tt.code, code)
			assert.Contains(t, stdout, tt.says, "the text says it too")
		})
	}
	r := projecttest.Mini(t)
	clone := filepath.Join(t.TempDir(), "clone")
	r.Commit("second", map[string]string{"dosirak.yaml": projecttest.MiniConfig + "# again\n"})
	r.Git("clone", "--quiet", "--depth=1", "file://"+r.Dir, clone)
	assert.Contains(t, said(diagnose(t, 0, "--local", "-C", clone), doctor.Warn), "fetch-depth: 0")
}

// onGitHub is a clone of a project that lives on the fake GitHub, and the
// environment that a workflow has.
func onGitHubProject(t *testing.T) (*githubtest.Server, gittest.Repository) {
	t.Helper()
	files := map[string]string{}
	mini := projecttest.Mini(t)
	require.NoError(t, filepath.WalkDir(mini.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(mini.Dir, path)
		files["p/"+filepath.ToSlash(rel)] = string(data)
		return err
	}))
	s := githubtest.New(t, files)
	s.Behaviour = githubtest.Calm()
	s.Labels = []string{promote.Again}
	s.Required = []string{"dosirak/flights-delay/production"}
	clone := filepath.Join(t.TempDir(), "clone")
	mini.Git("clone", "--quiet", s.Dir, clone)
	r := gittest.Repository{T: t, Dir: clone}
	t.Setenv("GITHUB_API_URL", strings.TrimSuffix(s.URL, "/"))
	t.Setenv("GITHUB_REPOSITORY", s.Owner+"/"+s.Name)
	t.Setenv("GITHUB_TOKEN", s.Actions())
	return s, r
}

func TestDoctorOnGitHub(t *testing.T) {
	s, r := onGitHubProject(t)
	dir := filepath.Join(r.Dir, "p")
	report := diagnose(t, 0, "-C", dir)
	assert.Contains(t, said(report, doctor.OK), "the workflow's GITHUB_TOKEN has contents: read, contents: write")

	s.Required = append(s.Required, "build")
	s.ActionsMayOpen, s.Protected, s.Labels = false, "dosirak/", nil
	report = diagnose(t, 2, "-C", dir)
	blocks := said(report, doctor.Fail)
	for _, text := range []string{`"build"`, "starts none", "Allow GitHub Actions to create", "creating branches"} {
		assert.Contains(t, blocks, text)
	}
	assert.Contains(t, said(report, doctor.Warn), promote.Again)
	assert.Empty(t, s.Pulls(), "nothing was changed")

	t.Setenv("GITHUB_TOKEN", s.Token(githubtest.Installation, githubtest.Bot, "contents=read"))
	blocks = said(diagnose(t, 2, "-C", dir), doctor.Fail)
	for _, text := range []string{"contents: write", "pull-requests: write", "statuses: write", "issues: read", "deployments: write", "forks never get it"} {
		assert.Contains(t, blocks, text)
	}
	s.Private = true
	t.Setenv("GITHUB_TOKEN", s.Token(githubtest.Personal, "eve"))
	assert.Contains(t, said(diagnose(t, 2, "-C", dir), doctor.Fail), "404")
	t.Setenv("GITHUB_TOKEN", "wrong")
	assert.Contains(t, said(diagnose(t, 2, "-C", dir), doctor.Fail), "does not accept the token")
}

// Adoption, promotion, reconciliation and rollback of a project in a folder of
// a repository on GitHub, as the commands of a workflow.
func TestAfterTheMergeOnGitHub(t *testing.T) {
	s, r := onGitHubProject(t)
	dir := filepath.Join(r.Dir, "p")
	for _, want := range []string{"created", "unchanged"} {
		code, stdout, stderr := call(t, "adopt", "-C", dir, filepath.Join(dir, "models/1.onnx"))
		require.Equal(t, 0, code, stderr)
		assert.Contains(t, stdout, want)
	}
	require.Len(t, s.OpenPulls(), 1)
	s.Merge(1, false)
	r.Git("pull", "--quiet")

	// The next one, merged by hand.
	adopted, err := os.ReadFile(filepath.Join(dir, "deploy/production.yaml"))
	require.NoError(t, err)
	r.Git("config", "user.name", "Test")
	r.Git("config", "user.email", "test@example.com")
	second, _ := promoted(t, gittest.Repository{T: t, Dir: dir}, "2.onnx", "")
	r.Git("push", "--quiet", "origin", "main")

	// Somebody merges while it is made: what comes back is thought over again,
	// and this clone does not know what was merged.
	s.Interfere("repos/get-branch", func() {})
	s.Interfere("repos/get-branch", func() { s.Push("main", "in between", map[string]string{"README.md": "x\n"}) })
	code, _, stderr := call(t, "rollback", "-C", dir)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "git fetch origin main")
	assert.Empty(t, s.OpenPulls())
	r.Git("pull", "--quiet")

	var back rollback.Result
	for _, want := range []promote.Operation{promote.Created, promote.Unchanged} {
		code, stdout, stderr := call(t, "rollback", "-C", dir, "--json")
		require.Equal(t, 0, code, stderr)
		require.NoError(t, json.Unmarshal([]byte(stdout), &back))
		assert.Equal(t, want, back.Outcome.Operation)
	}
	assert.Equal(t, second, back.Goes)
	require.Len(t, s.OpenPulls(), 1)
	assert.Equal(t, strings.TrimSpace(string(adopted)), s.File("dosirak/rollback/flights-delay/production", "p/deploy/production.yaml"))

	// The clone is behind as soon as it is merged.
	s.Merge(s.OpenPulls()[0].Number, false)
	code, _, stderr = call(t, "rollback", "-C", dir)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "git fetch origin main")

	// Reconcile reads what GitHub has, not what the clone has. Nobody answers
	// at the endpoint: that is unknown, and nobody is told.
	code, stdout, stderr := call(t, "reconcile", "-C", dir, "--endpoint", "http://127.0.0.1:1", "--json")
	assert.Equal(t, 4, code, stderr)
	var out reconcile.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))
	assert.Equal(t, back.ComesBack, out.Bundle)
	assert.Equal(t, s.Branch("main"), out.Commit)
	assert.Empty(t, s.Issues())
	assert.Empty(t, s.Deployments())
}
