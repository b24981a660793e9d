package actions_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
)

const statusContext = "dosirak/flights-delay/production"

// everyAction is a workflow with the actions that no workflow of this
// repository has.
const everyAction = `name: every action
on: workflow_dispatch
jobs:
  all:
    runs-on: ubuntu-latest
    steps:
      - uses: CHECKOUT
      - id: image
        uses: ./actions/image
        with:
          bundle: BUNDLE
          out: image
      - uses: ./actions/smoke
        with:
          bundle: BUNDLE
          profile: quick
      - uses: ./actions/doctor
        continue-on-error: true # a container of this test lacks what a runner has
        with:
          directory: examples/flights
      - env:
          DIGEST: ${{ steps.image.outputs.digest }}
        run: '[[ $DIGEST =~ ^sha256:[0-9a-f]{64}$ ]]'
`

// actStage is a GitHub whose repository is this one, and act in host mode
// (https://nektosact.com): the steps of a job run here, without Docker. Actions
// of others are stood in for, since they would be fetched.
type actStage struct {
	t         *testing.T
	act       string
	hub       *githubtest.Server
	clone     string
	artifacts string
	env       []string
	flags     []string
}

func newActStage(t *testing.T) *actStage {
	t.Helper()
	s := &actStage{t: t, act: requireAct(t), artifacts: t.TempDir()}
	s.hub = githubtest.New(t, s.repository())
	s.open()
	return s
}

// requireAct finds act, and skips where nobody asks for it.
func requireAct(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs all workflows")
	}
	if !slices.Contains(strings.Split(os.Getenv("DOSIRAK_REQUIRE"), ","), "act") {
		t.Skip("runs the workflows with act: DOSIRAK_REQUIRE does not name act")
	}
	act := os.Getenv("DOSIRAK_ACT")
	if act == "" {
		var err error
		act, err = exec.LookPath("act")
		require.NoError(t, err, "install it (go install github.com/nektos/act@v0.2.87) or name it in DOSIRAK_ACT")
	}
	return act
}

// open clones the repository and stands in for the actions of others.
func (s *actStage) open() {
	t := s.t
	t.Helper()
	s.hub.Behaviour = githubtest.Calm()
	s.clone = filepath.Join(t.TempDir(), "clone")
	s.run("", "git", "clone", "--quiet", s.hub.Dir, s.clone)
	goCache := strings.TrimSpace(s.run("", "go", "env", "GOCACHE"))
	s.env = append(os.Environ(), "GOFLAGS=", "GOCACHE="+goCache, "XDG_CACHE_HOME="+t.TempDir(), "STAGE_ORIGIN="+s.hub.Dir, "STAGE_ARTIFACTS="+s.artifacts, "GITHUB_TOKEN=", "GH_TOKEN=")
	for name, pin := range map[string]string{"checkout": "checkout", "setup-go": "setup-go", "upload": "upload-artifact", "download": "download-artifact"} {
		uses, _, _ := strings.Cut(onboard.Pins[name], " ")
		fake := filepath.Join(t.TempDir(), pin)
		require.NoError(t, os.CopyFS(fake, os.DirFS(filepath.Join("testdata", "act", pin))))
		s.run(fake, "git", "init", "--quiet")
		s.run(fake, "git", "add", "--all")
		s.run(fake, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "stand-in")
		s.flags = append(s.flags, "--local-repository", uses+"="+fake)
	}
}

// repository is this repository's work tree, with the manifest's image beside
// no registry, since there is none here.
func (s *actStage) repository() map[string]string {
	top := ".."
	files := map[string]string{}
	for _, name := range strings.Split(strings.TrimSuffix(s.run(top, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(top, name))
		if os.IsNotExist(err) {
			continue // deleted, not yet committed
		}
		require.NoError(s.t, err)
		if strings.Contains(name, "/testdata/") && !strings.HasPrefix(name, "actions/") || strings.HasSuffix(name, "_test.go") {
			continue // no build needs it
		}
		files[name] = string(data)
	}
	without := func(name, text string) {
		require.Contains(s.t, files[name], text)
		files[name] = strings.ReplaceAll(files[name], text, "")
	}
	without("examples/flights/deploy/production.yaml", "ghcr.io/acme/flights-delay@")
	without("examples/flights/dosirak.yaml", "  repository: ghcr.io/acme/flights-delay\n")
	bundles, err := fs.Glob(os.DirFS(top), "examples/flights/deploy/bundles/*")
	require.NoError(s.t, err)
	require.NotEmpty(s.t, bundles)
	checkout, _, _ := strings.Cut(onboard.Pins["checkout"], " ")
	files[".github/workflows/every-action.yml"] = strings.NewReplacer("CHECKOUT", checkout, "BUNDLE", bundles[0]).Replace(everyAction)
	return files
}

func (s *actStage) run(dir, name string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// workflow runs a workflow of the default branch with an event.
func (s *actStage) workflow(file, event string, payload map[string]any) (ok bool, log string) {
	s.t.Helper()
	main := s.hub.Branch(s.hub.Default)
	s.run(s.clone, "git", "fetch", "--quiet", "origin")
	s.run(s.clone, "git", "checkout", "--quiet", "-B", s.hub.Default, main)
	data, err := json.Marshal(payload)
	require.NoError(s.t, err)
	path := filepath.Join(s.t.TempDir(), "event.json")
	require.NoError(s.t, os.WriteFile(path, data, 0o644))
	args := append([]string{
		event, "--workflows", ".github/workflows/" + file, "--eventpath", path, "--platform", "ubuntu-latest=-self-hosted",
		"--secret", "GITHUB_TOKEN=" + s.hub.Token(githubtest.Installation, githubtest.Bot, "contents=write", "pull_requests=write", "statuses=write", "issues=write", "deployments=write", "actions=read", "packages=write"),
		"--env", "GITHUB_API_URL=" + s.hub.URL, "--env", "GITHUB_REPOSITORY=" + s.ours(), "--env", "GITHUB_SHA=" + main, "--env", "GITHUB_REF_NAME=" + s.hub.Default,
	}, s.flags...)
	cmd := exec.CommandContext(s.t.Context(), s.act, args...)
	cmd.Dir, cmd.Env = s.clone, append(s.env, "STAGE_DEFAULT="+main)
	out, err := cmd.CombinedOutput()
	s.t.Logf("%s on %s: %v", file, event, err)
	return err == nil, string(out)
}

// leave gives GitHub what the stand-in of upload-artifact kept, as a run's
// artifacts.
func (s *actStage) leave(run int, commit string) {
	s.t.Helper()
	kept, err := os.ReadDir(s.artifacts)
	require.NoError(s.t, err)
	for _, folder := range kept {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		require.NoError(s.t, w.AddFS(os.DirFS(filepath.Join(s.artifacts, folder.Name()))))
		require.NoError(s.t, w.Close())
		s.hub.LeaveArtifact(githubtest.Artifact{Run: run, Commit: commit, Name: folder.Name(), Archive: b.Bytes()})
	}
}

func (s *actStage) ours() string { return s.hub.Owner + "/" + s.hub.Name }

// One change's way through all workflows of this repository.
func TestWorkflowsInAct(t *testing.T) {
	s := newActStage(t)
	base := s.hub.Branch("main")
	change := s.hub.Push("change", "A remark", map[string]string{"examples/flights/train/remark.go": "package main\n\n// Nothing that matters.\n"})
	const fork, run = "mallory/flights", 1
	number := s.hub.OpenPull("mallory", fork, "change", change)
	pull := map[string]any{"action": "opened", "number": number, "pull_request": map[string]any{
		"number": number, "title": "$(id) ${{ secrets.X }} ::set-output name=a::b",
		"head": map[string]any{"ref": "change", "sha": change, "repo": map[string]any{"full_name": fork}},
		"base": map[string]any{"ref": "main", "sha": base, "repo": map[string]any{"full_name": s.ours()}},
	}}
	judge := func(action string) map[string]any {
		return map[string]any{"action": action, "workflow_run": map[string]any{
			"id": run, "event": "pull_request", "conclusion": "success", "head_sha": change, "head_branch": "change",
			"head_repository": map[string]any{"full_name": fork},
		}}
	}

	ok, log := s.workflow("dosirak.yml", "pull_request", pull)
	require.True(t, ok, log)
	for seed := 1; seed <= 5; seed++ {
		assert.FileExists(t, filepath.Join(s.artifacts, fmt.Sprintf("dosirak-flights-delay-seed-%d", seed), "training.json"))
	}
	assert.Empty(t, s.hub.Calls(), "half one needs nothing of GitHub")
	s.leave(run, change)

	ok, log = s.workflow("dosirak-judge.yml", "workflow_run", judge("requested"))
	require.True(t, ok, log)
	assert.Equal(t, "pending", s.hub.Statuses(change)[statusContext].State)
	// A fork's own word that it reproduces proves nothing, until a maintainer has
	// read the change.
	ok, _ = s.workflow("dosirak-judge.yml", "workflow_run", judge("completed"))
	assert.False(t, ok)
	assert.Equal(t, "failure", s.hub.Statuses(change)[statusContext].State)
	require.Len(t, s.hub.Comments(number), 1)
	assert.Contains(t, s.hub.Comments(number)[0].Body, "dosirak/accept-claims")
	s.hub.Label(number, "dosirak/accept-claims")
	ok, log = s.workflow("dosirak-judge.yml", "workflow_run", judge("completed"))
	require.True(t, ok, log)
	assert.Equal(t, "success", s.hub.Statuses(change)[statusContext].State)
	require.Len(t, s.hub.Comments(number), 2, "the comment, and a line that the verdict is another")
	assert.Contains(t, s.hub.Comments(number)[0].Body, "PASS")

	group := map[string]any{"action": "checks_requested", "merge_group": map[string]any{
		"head_sha": change, "head_ref": "refs/heads/gh-readonly-queue/main/pr-1", "base_ref": "refs/heads/main", "base_sha": base,
	}}
	ok, log = s.workflow("dosirak-queue.yml", "merge_group", group)
	require.True(t, ok, log)

	s.hub.Merge(number, false)
	merged := s.hub.Branch("main")
	ok, log = s.workflow("dosirak-main.yml", "push", map[string]any{"before": base, "after": merged, "ref": "refs/heads/main"})
	require.True(t, ok, log)
	proposals := s.hub.OpenPulls()
	require.Len(t, proposals, 1)
	assert.Equal(t, "dosirak/promote/flights-delay/production", proposals[0].Head)
	assert.Equal(t, "success", s.hub.Statuses(proposals[0].Commit)[statusContext].State)

	// Only a manifest was changed: nothing is trained.
	s.hub.Merge(proposals[0].Number, false)
	require.NoError(t, os.RemoveAll(s.artifacts))
	require.NoError(t, os.MkdirAll(s.artifacts, 0o755))
	ok, log = s.workflow("dosirak-main.yml", "push", map[string]any{"before": merged, "after": s.hub.Branch("main"), "ref": "refs/heads/main"})
	require.True(t, ok, log)
	left, err := os.ReadDir(s.artifacts)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Empty(t, s.hub.OpenPulls())

	ok, log = s.workflow("dosirak-reconcile.yml", "schedule", map[string]any{})
	require.True(t, ok, log)
	ok, log = s.workflow("every-action.yml", "workflow_dispatch", map[string]any{})
	require.True(t, ok, log)
}
