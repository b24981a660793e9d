package actions_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
)

// newForeignStage is somebody's repository on its branch master: one model at
// the top and one in a folder, images in a registry of their own, and the
// workflows as `init --github` wrote them, with dosirak's actions by their name.
func newForeignStage(t *testing.T) (s *actStage, images string) {
	t.Helper()
	s = &actStage{t: t, act: requireAct(t), artifacts: t.TempDir()}
	hub := httptest.NewServer(registry.New())
	t.Cleanup(hub.Close)
	images = strings.TrimPrefix(hub.URL, "http://") + "/acme/flights"

	mini := projecttest.Mini(t)
	mini.Git("branch", "--move", "master")
	files := map[string]string{".gitignore": ".dosirak/\n", "README.md": "ours\n"}
	for _, name := range strings.Fields(mini.Git("ls-files")) {
		data, err := os.ReadFile(filepath.Join(mini.Dir, name))
		require.NoError(t, err)
		files[name] = string(data)
		files["second/"+name] = string(data)
	}
	files["dosirak.yaml"] += "serve: {repository: '" + images + "'}\n"
	files["second/dosirak.yaml"] = strings.Replace(projecttest.MiniConfig, "model: flights-delay", "model: second", 1)
	mini.Commit("two models", files)
	commit := strings.Repeat("c", 40)
	_, err := onboard.GitHub(t.Context(), onboard.Request{Dir: mini.Dir, Commit: commit})
	require.NoError(t, err)
	for _, name := range []string{"dosirak.yml", "dosirak-judge.yml", "dosirak-main.yml", "dosirak-queue.yml", "dosirak-reconcile.yml"} {
		text, err := os.ReadFile(filepath.Join(mini.Dir, ".github/workflows", name))
		require.NoError(t, err)
		files[".github/workflows/"+name] = string(text)
	}
	s.hub = githubtest.NewOn(t, "master", files)
	s.open()

	// The actions as they are, but for their binary, which is built once here and
	// by install.sh in the drive of this repository.
	actions := t.TempDir()
	binary := filepath.Join(t.TempDir(), "dosirak")
	top, err := filepath.Abs("..")
	require.NoError(t, err)
	s.run(top, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-X 'main.sourceDir="+top+"'", "-o", binary, "./cmd/dosirak")
	require.NoError(t, os.CopyFS(filepath.Join(actions, "actions"), os.DirFS(".")))
	whole, err := os.ReadFile("../action.yml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(actions, "action.yml"), whole, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(actions, "actions", "install.sh"), []byte("printf 'binary=%s\\n' '"+binary+"' >>\"$GITHUB_OUTPUT\"\n"), 0o755))
	s.run(actions, "git", "init", "--quiet")
	s.flags = append(s.flags, "--local-repository", "dosirak-ml/dosirak@"+commit+"="+actions)
	return s, images
}

// pull is the event of a pull request from this repository, run the one of the
// workflow that it started.
func (s *actStage) pull(number int, commit string) map[string]any {
	base := s.hub.Branch(s.hub.Default)
	return map[string]any{"action": "opened", "number": number, "pull_request": map[string]any{
		"number": number, "head": map[string]any{"ref": "change", "sha": commit, "repo": map[string]any{"full_name": s.ours()}},
		"base": map[string]any{"ref": s.hub.Default, "sha": base, "repo": map[string]any{"full_name": s.ours()}},
	}}
}

func (s *actStage) ran(run int, action, conclusion, commit string) map[string]any {
	return map[string]any{"action": action, "workflow_run": map[string]any{
		"id": run, "event": "pull_request", "conclusion": conclusion, "head_sha": commit, "head_branch": "change",
		"head_repository": map[string]any{"full_name": s.ours()},
	}}
}

// must runs a workflow that has to succeed.
func (s *actStage) must(file, event string, payload map[string]any) {
	s.t.Helper()
	ok, log := s.workflow(file, event, payload)
	require.True(s.t, ok, log)
}

// push is the event of the newest commit of the default branch.
func (s *actStage) push(before string) map[string]any {
	return map[string]any{"before": before, "after": s.hub.Branch(s.hub.Default), "ref": "refs/heads/" + s.hub.Default}
}

// emptied takes away what the workflows have left.
func (s *actStage) emptied() {
	s.t.Helper()
	require.NoError(s.t, os.RemoveAll(s.artifacts))
	require.NoError(s.t, os.MkdirAll(s.artifacts, 0o755))
}

func (s *actStage) left() (names []string) {
	s.t.Helper()
	entries, err := os.ReadDir(s.artifacts)
	require.NoError(s.t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

const secondContext = "dosirak/second/production"

// From `init --github` to a promotion, in a repository of somebody else's.
func TestForeignRepositoryInAct(t *testing.T) {
	s, images := newForeignStage(t)

	// What people read is no change of a model.
	readme := s.hub.Push("change", "Explain", map[string]string{"README.md": "better\n", ".github/CODEOWNERS": "* @ada\n"})
	number := s.hub.OpenPull("ada", "", "change", readme)
	s.must("dosirak.yml", "pull_request", s.pull(number, readme))
	assert.Empty(t, s.left(), "nothing is trained")
	s.must("dosirak-judge.yml", "workflow_run", s.ran(1, "requested", "", readme))
	assert.Equal(t, "pending", s.hub.Statuses(readme)[statusContext].State)
	assert.Equal(t, "pending", s.hub.Statuses(readme)[secondContext].State)
	s.must("dosirak-judge.yml", "workflow_run", s.ran(1, "completed", "success", readme))
	assert.Equal(t, "success", s.hub.Statuses(readme)[statusContext].State)
	assert.Equal(t, "success", s.hub.Statuses(readme)[secondContext].State)
	assert.Empty(t, s.hub.Comments(number))

	// Of a run that was cancelled nothing is started.
	before := len(s.hub.Calls())
	s.must("dosirak-judge.yml", "workflow_run", s.ran(2, "completed", "cancelled", readme))
	assert.Len(t, s.hub.Calls(), before)

	// One that does not train: its status and its comment say why.
	broken := s.hub.Push("change", "Oops", map[string]string{"models/1.onnx": ""})
	ok, _ := s.workflow("dosirak.yml", "pull_request", s.pull(number, broken))
	assert.False(t, ok)
	ok, _ = s.workflow("dosirak-judge.yml", "workflow_run", s.ran(9, "completed", "failure", broken))
	assert.False(t, ok)
	assert.Equal(t, "error", s.hub.Statuses(broken)[statusContext].State)
	assert.Equal(t, "success", s.hub.Statuses(broken)[secondContext].State, "the other model is not concerned")
	require.Len(t, s.hub.Comments(number), 1)
	assert.Contains(t, s.hub.Comments(number)[0].Body, "NO VERDICT")
	assert.Contains(t, s.hub.Comments(number)[0].Body, "left no artifact")
	s.hub.DeleteComment(s.hub.Comments(number)[0].ID)
	s.emptied()

	// A model: trained, judged, told.
	change := s.hub.Push("change", "Another model", map[string]string{"models/1.onnx": s.file("models/2.onnx"), "models/2.onnx": s.file("models/1.onnx")})
	s.must("dosirak.yml", "pull_request", s.pull(number, change))
	assert.ElementsMatch(t, []string{"dosirak-flights-delay-seed-1", "dosirak-flights-delay-seed-2"}, s.left())
	s.leave(3, change)
	s.must("dosirak-judge.yml", "workflow_run", s.ran(3, "completed", "success", change))
	assert.Equal(t, "success", s.hub.Statuses(change)[statusContext].State)
	assert.Equal(t, "success", s.hub.Statuses(change)[secondContext].State)
	require.Len(t, s.hub.Comments(number), 1)
	assert.Contains(t, s.hub.Comments(number)[0].Body, "PASS")

	// Merged: proposed with an image that is there.
	s.emptied()
	old := s.hub.Branch("master")
	s.hub.Merge(number, false)
	s.must("dosirak-main.yml", "push", s.push(old))
	proposals := s.hub.OpenPulls()
	require.Len(t, proposals, 2, "both models have their first one")
	for _, p := range proposals {
		model := strings.Split(p.Head, "/")[2]
		assert.Equal(t, "master", p.Base)
		assert.Equal(t, "success", s.hub.Statuses(p.Commit)["dosirak/"+model+"/production"].State)
	}
	proposed := proposals[0]
	if !strings.Contains(proposed.Head, "flights-delay") {
		proposed = proposals[1]
	}
	manifest := s.hub.File(proposed.Commit, "deploy/production.yaml")
	_, rest, named := strings.Cut(manifest, images+"@")
	require.True(t, named, manifest)
	digest := strings.Trim(strings.SplitN(rest, "\n", 2)[0], `"' `)
	reference, err := name.NewDigest(images + "@" + digest)
	require.NoError(t, err)
	_, err = remote.Head(reference)
	require.NoError(t, err, "the registry holds the image that the proposal names")

	// While it is proposed, a note trains nothing anew.
	s.emptied()
	old = s.hub.Branch("master")
	s.hub.Push("master", "A note", map[string]string{"README.md": "best\n"})
	s.must("dosirak-main.yml", "push", s.push(old))
	assert.Empty(t, s.left())

	// Promoted: nothing is trained, the tag follows.
	old = s.hub.Branch("master")
	s.hub.Merge(proposed.Number, true)
	s.must("dosirak-main.yml", "push", s.push(old))
	assert.Empty(t, s.left())
	s.must("dosirak-reconcile.yml", "push", s.push(old))
	tag, err := name.NewTag(images + ":production")
	require.NoError(t, err)
	head, err := remote.Head(tag)
	require.NoError(t, err)
	assert.Equal(t, digest, head.Digest.String())
	assert.NotEmpty(t, s.hub.Deployments())
	s.must("dosirak-reconcile.yml", "schedule", map[string]any{})

	// One of two models fails to train: the other one is proposed all the same.
	old = s.hub.Branch("master")
	s.hub.Push("master", "Both change", map[string]string{
		"models/1.onnx": s.file("second/models/1.onnx"), "models/2.onnx": s.file("second/models/2.onnx"), "second/models/1.onnx": "",
	})
	ok, log := s.workflow("dosirak-main.yml", "push", s.push(old))
	assert.False(t, ok, "a model that does not train is red")
	found := false
	for _, p := range s.hub.OpenPulls() {
		found = found || strings.Contains(p.Head, "flights-delay")
	}
	assert.True(t, found, log)
}

// Two promotions in one pull request, one of them forged: each model has its own
// result. Reverting a promotion is a change of a manifest.
func TestManifestsInAct(t *testing.T) {
	s, _ := newForeignStage(t)
	old := s.hub.Branch("master")
	s.hub.Push("master", "Begin", map[string]string{"README.md": "begin\n"})
	s.must("dosirak-main.yml", "push", s.push(old))
	proposals := s.hub.OpenPulls()
	require.Len(t, proposals, 2)
	s.run(s.clone, "git", "fetch", "--quiet", "origin")
	files := map[string]string{}
	for _, p := range proposals {
		for _, name := range strings.Fields(s.run(s.clone, "git", "diff", "--name-only", "origin/master", "origin/"+p.Head)) {
			files[name] = s.run(s.clone, "git", "show", "origin/"+p.Head+":"+name)
		}
	}
	good := s.hub.Push("both", "Both", files)
	files["second/deploy/production.yaml"] = strings.Replace(files["second/deploy/production.yaml"], "exam: sha256:", "exam: sha256:0000", 1)[:len(files["second/deploy/production.yaml"])]
	forged := s.hub.Push("change", "Both, one of them forged", files)
	s.emptied()
	verdicts := func(run int, commit string) (first, second string) {
		number := s.hub.OpenPull("ada", "", "change", commit)
		s.must("dosirak.yml", "pull_request", s.pull(number, commit))
		assert.Empty(t, s.left(), "nothing is trained")
		s.workflow("dosirak-judge.yml", "workflow_run", s.ran(run, "completed", "success", commit))
		s.emptied()
		return s.hub.Statuses(commit)[statusContext].State, s.hub.Statuses(commit)[secondContext].State
	}
	first, second := verdicts(1, forged)
	assert.Equal(t, []string{"success", "failure"}, []string{first, second}, "one forged manifest reddens its own model")
	first, second = verdicts(2, good)
	assert.Equal(t, []string{"success", "success"}, []string{first, second})

	// Merged and reverted: nothing is trained anew.
	old = s.hub.Branch("master")
	s.hub.Merge(proposals[0].Number, true)
	s.must("dosirak-main.yml", "push", s.push(old))
	merged := s.hub.Branch("master")
	s.run(s.clone, "git", "fetch", "--quiet", "origin")
	s.run(s.clone, "git", "checkout", "--quiet", "--detach", "origin/master")
	s.run(s.clone, "git", "-c", "user.name=ada", "-c", "user.email=ada@example.org", "revert", "--no-edit", "HEAD")
	s.run(s.clone, "git", "push", "--quiet", "origin", "HEAD:refs/heads/master")
	s.emptied()
	s.must("dosirak-main.yml", "push", s.push(merged))
}

// Where nobody can say what is changed, nobody waits for a verdict.
func TestPendingEndsWhenPlanFailsInAct(t *testing.T) {
	s, _ := newForeignStage(t)
	change := s.hub.Push("change", "Another model", map[string]string{"models/1.onnx": "x"})
	s.hub.OpenPull("ada", "", "change", change)
	s.must("dosirak-judge.yml", "workflow_run", s.ran(1, "requested", "", change))
	assert.Equal(t, "pending", s.hub.Statuses(change)[statusContext].State)
	s.hub.Push("master", "Oops", map[string]string{"second/dosirak.yaml": "version: 1\nmodle: x\n"})
	ok, _ := s.workflow("dosirak-judge.yml", "workflow_run", s.ran(1, "completed", "success", change))
	assert.False(t, ok)
	assert.Equal(t, "error", s.hub.Statuses(change)[statusContext].State)
	assert.Equal(t, "error", s.hub.Statuses(change)[secondContext].State)
}

// file is a file of the default branch, byte for byte.
func (s *actStage) file(path string) string {
	s.t.Helper()
	return s.run(s.clone, "git", "show", "origin/"+s.hub.Default+":"+path)
}
