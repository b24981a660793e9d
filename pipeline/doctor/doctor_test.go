package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const workflow = `
on: [push, pull_request]
permissions: {contents: read}
jobs:
  line:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789
      - uses: dosirak-ml/dosirak@0123456789012345678901234567890123456789
        with: {comment: false, status: 'false'}
  promote:
    runs-on: [self-hosted, gpu]
    permissions: {contents: write, pull-requests: write, statuses: write}
    steps:
      - uses: dosirak-ml/dosirak/actions/promote@0123456789012345678901234567890123456789
        env: {KEY: "${{ secrets.APP_KEY }}", T: "${{ secrets.GITHUB_TOKEN }}"}
`

// healthy is a project that nothing blocks, and its repository.
func healthy() (Subject, *FakeGitHub) {
	g := &FakeGitHub{
		Repo: Repository{Name: "acme/flights", DefaultBranch: "main"}, Owner: Token{Login: "github-actions[bot]", Actions: true},
		Requires: []Required{{Context: "dosirak/flights-delay/production"}}, Branches: []string{"main"}, May: true,
		Has: []string{"dosirak/propose-again"}, Keeps: []string{"APP_KEY"}, Machines: []Runner{{Online: true, Labels: []string{"self-hosted", "linux", "GPU"}}},
	}
	return Subject{
		Dir: ".",
		Config: Config{
			Model: "flights-delay", Environments: []string{"production"}, Base: "main", Labels: []string{"dosirak/propose-again"},
			Commands: []Command{{"train.command", "python train.py --seed {seed}"}},
			Files:    []File{{Key: "data.train", Path: "data/train.csv"}},
		},
		Git:       Git{Commit: strings.Repeat("1", 40), Branch: "main", BaseExists: true, Merged: true},
		Manifests: []Manifest{{Environment: "production", Path: "deploy/production.yaml", Present: true, Bundle: "sha256:" + strings.Repeat("a", 64)}},
		Workflows: []Workflow{{Path: ".github/workflows/dosirak.yml", Text: []byte(strings.Replace(workflow, "[push, pull_request]", "push", 1))}},
		Machine:   FakeMachine{Programs: []string{"python", "uv"}, FreeBytes: 100 << 30},
		GitHub:    g,
	}, g
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	s, _ := healthy()
	r, err := Run(t.Context(), s)
	require.NoError(t, err)
	assert.False(t, r.Blocked)
	seen := map[string]bool{}
	for _, f := range r.Findings {
		assert.Equal(t, OK, f.Level, "%+v", f)
		seen[f.Check] = true
	}
	for _, c := range checks {
		assert.True(t, seen[c.name], "%s has nothing to say", c.name)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	machine := func(change func(m *FakeMachine)) func(*Subject, *FakeGitHub) {
		return func(s *Subject, _ *FakeGitHub) {
			m := s.Machine.(FakeMachine)
			change(&m)
			s.Machine = m
		}
	}
	text := func(old, replacement string) func(*Subject, *FakeGitHub) {
		return func(s *Subject, _ *FakeGitHub) {
			before := string(s.Workflows[0].Text)
			if !strings.Contains(before, old) {
				panic(old)
			}
			s.Workflows[0].Text = []byte(strings.ReplaceAll(before, old, replacement))
		}
	}
	for _, tt := range []struct {
		name   string
		change func(s *Subject, g *FakeGitHub)
		check  string
		level  Level
		says   []string // in what, blocks and the way out
	}{
		{"config cannot be used", func(s *Subject, _ *FakeGitHub) { s.ConfigErr = errors.New("dosirak.yaml:4:1 unknown key") }, "config", Fail, []string{"dosirak.yaml:4:1", "every step"}},
		{"no Git", func(s *Subject, _ *FakeGitHub) { s.Git = Git{Err: errors.New("not inside a Git work tree")} }, "git", Fail, []string{"not inside", "promote", "install git"}},
		{"no commit", func(s *Subject, _ *FakeGitHub) { s.Git = Git{} }, "git", Fail, []string{"no commit"}},
		{"shallow clone", func(s *Subject, _ *FakeGitHub) { s.Git.Shallow = true }, "git", Warn, []string{"rollback", "fetch-depth: 0"}},
		{"no base branch", func(s *Subject, _ *FakeGitHub) { s.Git.BaseExists = false }, "base branch", Fail, []string{`"main"`, "promote.base"}},
		{"change not merged", func(s *Subject, _ *FakeGitHub) { s.Git.Merged = false }, "base branch", Warn, []string{"merge the change"}},
		{"branch named dosirak", func(s *Subject, _ *FakeGitHub) { s.Git.InTheWay = "dosirak" }, "base branch", Fail, []string{"leaves no room", "rename"}},
		{"dirty tree", func(s *Subject, _ *FakeGitHub) { s.Git.Changed = []string{"?? x"} }, "work tree", Warn, []string{"commit or stash"}},
		{"data missing", func(s *Subject, _ *FakeGitHub) { s.Config.Files[0].Err = errors.New("no such file") }, "data", Fail, []string{"data.train", "LFS"}},
		{"data not fetched yet", func(s *Subject, _ *FakeGitHub) {
			s.Config.Files[0].Err, s.Config.Files[0].Fetched = errors.New("no such file"), true
		}, "data", Warn, []string{"data.train", "dosirak fetch"}},
		{"no python", machine(func(m *FakeMachine) { m.Programs = nil }), "programs", Fail, []string{"train.command", `"python"`, "train", "PATH"}},
		{"disk full", machine(func(m *FakeMachine) { m.FreeBytes = 10 << 20 }), "disk", Fail, []string{"10 MB", "dosirak gc"}},
		{"disk nearly full", machine(func(m *FakeMachine) { m.FreeBytes = 500 << 20 }), "disk", Warn, []string{"500 MB"}},
		{"disk unknown", machine(func(m *FakeMachine) { m.FreeErr = errors.New("x") }), "disk", Warn, nil},
		{"no Docker", machine(func(m *FakeMachine) { m.DockerErr = errors.New("no daemon") }), "docker", Warn, []string{"as a process"}},
		{"no server", machine(func(m *FakeMachine) { m.NoServer = true }), "server", Fail, []string{"image", "install Go"}},
		{"manifest unreadable", func(s *Subject, _ *FakeGitHub) { s.Manifests[0].Err = errors.New("bundle is gone") }, "manifest", Fail, []string{"deploy/production.yaml", "restore"}},
		{"no manifest", func(s *Subject, _ *FakeGitHub) { s.Manifests[0].Present = false }, "manifest", Warn, []string{"dosirak adopt"}},

		{"job lacks a permission", text(", statuses: write", ""), "workflows", Fail, []string{"job promote", "statuses: write", "add `statuses: write`"}},
		{"job reads only", text("permissions: {contents: write, pull-requests: write, statuses: write}", "permissions: read-all"), "workflows", Fail, []string{"contents: write"}},
		{"job moves a tag", func(s *Subject, _ *FakeGitHub) {
			s.Config.Repository = "ghcr.io/acme/flights"
			s.Workflows[0].Text = []byte("jobs: {r: {permissions: {contents: read, deployments: write, issues: write}, steps: [{uses: ./actions/reconcile}]}}")
		}, "workflows", Warn, []string{"packages: write", "log in"}},
		{"job would comment", text("comment: false, ", ""), "workflows", Fail, []string{"job line", "pull-requests: write"}},
		{"job would promote", text("comment: false", "comment: false, promote: true"), "workflows", Fail, []string{"job line", "contents: write"}},
		{"no permissions at all", text("permissions: {contents: read}", ""), "workflows", Warn, []string{"job line", "write `permissions:`"}},
		{"workflow is no YAML", text("jobs:", "jobs: ["), "workflows", Warn, []string{"GitHub does not run it"}},

		{"token cannot see the repository", func(_ *Subject, g *FakeGitHub) {
			g.Err = fault.Usage(errors.New("404: it is not there, or the token may not see it"))
		}, "repository", Fail, []string{"404"}},
		{"GitHub is away", func(_ *Subject, g *FakeGitHub) { g.Err = fault.Environment(errors.New("GitHub answered 502")) }, "repository", Warn, []string{"502"}},
		{"archived", func(_ *Subject, g *FakeGitHub) { g.Repo.Archived = true }, "repository", Fail, []string{"archived"}},
		{"no base there", func(_ *Subject, g *FakeGitHub) { g.Branches = nil }, "repository", Fail, []string{`no branch "main"`}},
		{"another default branch", func(_ *Subject, g *FakeGitHub) { g.Repo.DefaultBranch = "trunk" }, "repository", Warn, []string{"workflow_run"}},
		{"contents only read", func(_ *Subject, g *FakeGitHub) { g.Lacks = []string{"contents: write"} }, "token", Fail, []string{"contents: write", "promote", "permissions", "forks"}},
		{"no statuses", func(_ *Subject, g *FakeGitHub) { g.Lacks = []string{"statuses: write"} }, "token", Fail, []string{"statuses: write", "comment"}},
		{"cannot be told", func(_ *Subject, g *FakeGitHub) { g.Unclear = []string{"issues: read"} }, "token", Warn, []string{"could not be told"}},
		{"workflows may not open", func(_ *Subject, g *FakeGitHub) { g.May = false }, "opening", Fail, []string{"Allow GitHub Actions to create"}},
		{"the setting is closed", func(_ *Subject, g *FakeGitHub) { g.Closed = ErrMayNotLook }, "opening", Warn, []string{"Settings, Actions"}},
		{"rules on our branches", func(_ *Subject, g *FakeGitHub) {
			g.ByBranch = map[string][]Rule{"dosirak/promote/flights-delay/production": {{"creation"}, {"non_fast_forward"}, {"required_signatures"}}}
		}, "rules", Fail, []string{"creating branches", "forced push", "bypass"}},
		{"a branch in the way", func(_ *Subject, g *FakeGitHub) { g.Branches = append(g.Branches, "dosirak") }, "rules", Fail, []string{"leaves no room"}},
		{"a status that nobody reports", func(_ *Subject, g *FakeGitHub) {
			g.Requires = append(g.Requires, Required{Context: "build"}, Required{Context: "lint @all"})
		}, "required statuses", Fail, []string{`"build", "lint @all"`, "GITHUB_TOKEN", "app", "close and reopen"}},
		{"nothing is required", func(_ *Subject, g *FakeGitHub) { g.Requires = nil }, "required statuses", Warn, []string{"dosirak/flights-delay/production"}},
		{"every environment is required", func(s *Subject, g *FakeGitHub) {
			s.Config.Environments = []string{"staging", "production"}
			g.Requires = append(g.Requires, Required{Context: "dosirak/flights-delay/staging"})
		}, "required statuses", Warn, []string{"sets only its own"}},
		{"missing label", func(_ *Subject, g *FakeGitHub) { g.Has = nil }, "labels", Warn, []string{"dosirak/propose-again"}},
		{"missing secret", func(_ *Subject, g *FakeGitHub) { g.Keeps = nil }, "secrets", Fail, []string{"APP_KEY", "job promote"}},
		{"secrets are closed", func(_ *Subject, g *FakeGitHub) { g.Closed = ErrMayNotLook }, "secrets", Warn, []string{"APP_KEY"}},
		{"secret on pull requests", text("on: push", "on: {pull_request: {}}"), "secrets", Warn, []string{"forks"}},
		{"no such runner", func(_ *Subject, g *FakeGitHub) { g.Machines[0].Online = false }, "runners", Fail, []string{"self-hosted, gpu", "none is online"}},
		{"runners are closed", func(_ *Subject, g *FakeGitHub) { g.Closed = ErrMayNotLook }, "runners", Warn, []string{"waits up to a day"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, g := healthy()
			tt.change(&s, g)
			r, err := Run(t.Context(), s)
			require.NoError(t, err)
			said := ""
			for _, f := range r.Findings {
				if f.Check == tt.check && f.Level == tt.level {
					said += fmt.Sprintf("%s | %s | %s\n", f.What, strings.Join(f.Blocks, ", "), f.WayOut)
				}
			}
			require.NotEmpty(t, said, "%+v", r.Findings)
			for _, part := range tt.says {
				assert.Contains(t, said, part)
			}
			if tt.level == Fail {
				assert.True(t, r.Blocked)
			}
		})
	}
}

// An app's token starts workflows: what they report is no obstacle.
func TestRequiredWithAnApp(t *testing.T) {
	t.Parallel()
	s, g := healthy()
	g.Owner = Token{Login: "acme-bot[bot]"}
	g.Requires = append(g.Requires, Required{Context: "build"})
	g.May = false
	r, err := Run(t.Context(), s)
	require.NoError(t, err)
	assert.False(t, r.Blocked)

	g.Owner.Actions, g.May = true, true
	g.Requires = []Required{{Context: "ci/external", External: true}}
	r, err = Run(t.Context(), s)
	require.NoError(t, err)
	assert.False(t, r.Blocked, "another app hears of every pull request")
}

// Without GitHub and without a config it still says what it can.
func TestWithLittle(t *testing.T) {
	t.Parallel()
	s, _ := healthy()
	s.GitHub = nil
	r, err := Run(t.Context(), s)
	require.NoError(t, err)
	assert.False(t, r.Blocked)
	assert.Equal(t, "GitHub was not asked", r.Findings[len(r.Findings)-1].What)

	r, err = Run(t.Context(), Subject{ConfigErr: errors.New("no config"), Git: Git{Err: errors.New("no git")}, Machine: FakeMachine{}})
	require.NoError(t, err)
	assert.True(t, r.Blocked)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, s)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
}

func TestProgram(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"python train.py --seed {seed}":  "python",
		"OMP_NUM_THREADS=1 A=b uv run x": "uv",
		"go run ./train":                 "go",
		"./train.sh":                     "", "cd x && make": "", "$PYTHON x": "", "(a; b)": "", "": "", "A=b": "", "a|b": "",
		".venv/bin/python x": "",
	} {
		assert.Equal(t, want, program(command), "%q", command)
	}
}

// Fuzzing: whatever a workflow holds, nothing panics.
func FuzzWorkflow(f *testing.F) {
	for _, text := range []string{workflow, "on: x\njobs: {a: 1}", "jobs: {a: {steps: [1, {uses: 2}], runs-on: {group: x}}}", "- a", "jobs: null", "permissions: [x]", bomb()} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, _ := healthy()
		s.Workflows = []Workflow{{Path: "w.yml", Text: text}}
		_, err := Run(t.Context(), s)
		require.NoError(t, err)
	})
}

// This repository's own workflows give their jobs what they need.
func TestOwnWorkflows(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../.github/workflows/*.yml")
	require.NoError(t, err)
	var workflows []Workflow
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		workflows = append(workflows, Workflow{Path: filepath.Base(name), Text: text})
	}
	for _, f := range checkWorkflows(t.Context(), Subject{Workflows: workflows}) {
		assert.Equal(t, OK, f.Level, "%+v", f)
	}
}

// What is promoted names an image: the job that promotes has to bring it there.
func TestWorkflowsPushWhatTheyPromote(t *testing.T) {
	t.Parallel()
	workflow := func(permissions, before, with string) []Workflow {
		return []Workflow{{Path: "w.yml", Text: []byte(`
on: push
jobs:
  go:
    runs-on: ubuntu-latest
    permissions: {contents: write, pull-requests: write, statuses: write` + permissions + `}
    steps:
` + before + `      - uses: dosirak-ml/dosirak/actions/promote@0123456789012345678901234567890123456789
        with: {directory: x` + with + `}
`)}}
	}
	login := "      - uses: docker/login-action@0123456789012345678901234567890123456789\n"
	for _, tt := range []struct {
		name       string
		repository string
		workflows  []Workflow
		level      Level
		says       string
	}{
		{"no image", "", workflow("", "", ""), OK, "have the permissions"},
		{"ghcr.io", "ghcr.io/acme/flights", workflow(", packages: write", "", ""), OK, "have the permissions"},
		{"ghcr.io without the permission", "ghcr.io/acme/flights", workflow("", "", ""), Fail, "packages: write"},
		{"ghcr.io by a login", "ghcr.io/acme/flights", workflow("", login, ""), OK, "have the permissions"},
		{"another registry", "registry.example.org/acme/flights", workflow("", "", ""), Warn, "logs in nowhere"},
		{"another registry by a login", "registry.example.org/acme/flights", workflow("", login, ""), OK, "have the permissions"},
		{"not pushed", "ghcr.io/acme/flights", workflow(", packages: write", "", ", push: 'false'"), Warn, "does not push"},
		{"not pushed, as a boolean", "ghcr.io/acme/flights", workflow(", packages: write", "", ", push: false"), Warn, "does not push"},
	} {
		found := checkWorkflows(t.Context(), Subject{Config: Config{Repository: tt.repository}, Workflows: tt.workflows})
		require.Len(t, found, 1, tt.name)
		assert.Equal(t, tt.level, found[0].Level, tt.name)
		assert.Contains(t, found[0].What, tt.says, tt.name)
	}
}

// Who asks about one step is not stopped by what blocks another.
func TestSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		steps   []string
		lacks   string
		blocked bool
	}{
		{nil, "statuses: write", true},
		{[]string{"comment"}, "statuses: write", true},
		{[]string{"train", "compare"}, "statuses: write", false},
		{[]string{"train", "promote"}, "contents: write", true},
		{[]string{"reconcile"}, "contents: write", false},
		{[]string{"train"}, "contents: read", true},
	} {
		s, g := healthy()
		s.Steps, g.Lacks = tt.steps, []string{tt.lacks}
		r, err := Run(t.Context(), s)
		require.NoError(t, err)
		assert.Equal(t, tt.blocked, r.Blocked, "%+v", tt)
	}
}

// bomb is a small file whose aliases stand for 10^12 values.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	b.WriteString("jobs: {j: {env: *a11, steps: [{uses: ./}]}}\n")
	return b.String()
}

func TestBomb(t *testing.T) {
	t.Parallel()
	jobs, out := readJobs([]Workflow{{Path: "w.yml", Text: []byte(bomb())}})
	assert.Empty(t, jobs)
	require.Len(t, out, 1)
	assert.Contains(t, out[0].What, "not looked at")
}
