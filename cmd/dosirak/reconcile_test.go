package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// promoted commits a manifest of one of Mini's models to main, as the merge
// of a promotion does, and returns the bundle's digest and folder.
func promoted(t *testing.T, r gittest.Repository, model, image string) (digest, dir string) {
	t.Helper()
	p, err := project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	s, err := pipeline.Seal(t.Context(), p, filepath.Join(r.Dir, "models", model), t.TempDir())
	require.NoError(t, err)
	short := strings.TrimPrefix(s.Digest, "sha256:")[:12]
	files := map[string]string{}
	for _, file := range []string{"bundle.json", "golden.json", "model.onnx"} {
		data, err := os.ReadFile(filepath.Join(s.Dir, file))
		require.NoError(t, err)
		files["deploy/bundles/"+short+"/"+file] = string(data)
	}
	files["deploy/production.yaml"] = manifestText(manifest.Manifest{
		Schema: manifest.Schema, Model: "flights-delay", Environment: "production", Bundle: s.Digest, Image: image,
		Verdict: verdict.Inconclusive, Exam: "sha256:" + strings.Repeat("e", 64), Sources: manifest.Sources{Bundle: "deploy/bundles/" + short},
	})
	r.Commit("promote "+model, files)
	return s.Digest, filepath.Join(r.Dir, "deploy/bundles", short)
}

// manifestText is a manifest as its file.
func manifestText(m manifest.Manifest) string {
	text, err := codec.Format(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// images is a registry with two images.
func images(t *testing.T) (repository string, digests [2]string) {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	repository = strings.TrimPrefix(s.URL, "http://") + "/acme/flights"
	repo, err := name.NewRepository(repository)
	require.NoError(t, err)
	for i := range digests {
		image, err := random.Image(100, 1)
		require.NoError(t, err)
		d, err := image.Digest()
		require.NoError(t, err)
		require.NoError(t, remote.Write(repo.Digest(d.String()), image))
		digests[i] = d.String()
	}
	return repository, digests
}

func tag(t *testing.T, reference string) string {
	t.Helper()
	ref, err := name.NewTag(reference)
	require.NoError(t, err)
	head, err := remote.Head(ref)
	require.NoError(t, err)
	return head.Digest.String()
}

// What happens after a merge, and after a rollback of it.
func TestReconcileAndRollback(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	repository, digests := images(t)
	first, dir := promoted(t, r, "1.onnx", repository+"@"+digests[0])
	s, err := server.Open(t.Context(), dir, server.Options{Name: "flights-delay"})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	endpoint := httptest.NewServer(s.Handler())
	t.Cleanup(endpoint.Close)

	reconciled := func(code int) reconcile.Result {
		t.Helper()
		got, stdout, stderr := call(t, "reconcile", "-C", r.Dir, "--forge", "local", "--endpoint", endpoint.URL, "--json")
		require.Equal(t, code, got, stderr)
		var out reconcile.Result
		require.NoError(t, json.Unmarshal([]byte(stdout), &out))
		return out
	}
	out := reconciled(0)
	assert.True(t, out.Registries[0].Changed)
	assert.Equal(t, digests[0], tag(t, repository+":production"))
	assert.Contains(t, out.Endpoint.Detail, "gives its golden answers")
	assert.False(t, reconciled(0).Registries[0].Changed, "again changes nothing")

	// The next promotion is not followed by the endpoint.
	second, _ := promoted(t, r, "2.onnx", repository+"@"+digests[1])
	out = reconciled(1)
	assert.Equal(t, reconcile.OutOfSync, out.State)
	assert.Equal(t, digests[1], tag(t, repository+":production"))
	assert.Equal(t, first, out.Endpoint.Bundle)
	code, stdout, stderr := call(t, "reconcile", "-C", r.Dir, "--forge", "local", "--endpoint", endpoint.URL)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "out of sync")
	assert.Contains(t, stdout, "it serves the bundle "+first)

	// So it goes back: proposed twice, once made, merged, and all is in sync.
	before := r.Git("rev-parse", "HEAD")
	var back rollback.Result
	for _, want := range []promote.Operation{promote.Created, promote.Unchanged} {
		code, stdout, stderr = call(t, "rollback", "-C", r.Dir, "--forge", "local", "--json")
		require.Equal(t, 0, code, stderr)
		require.NoError(t, json.Unmarshal([]byte(stdout), &back))
		assert.Equal(t, want, back.Outcome.Operation)
	}
	assert.Equal(t, second, back.Goes)
	assert.Equal(t, first, back.ComesBack)
	assert.Equal(t, before, r.Git("rev-parse", "HEAD"))
	assert.Empty(t, r.Git("status", "--porcelain"))
	const branch = "dosirak/rollback/flights-delay/production"
	assert.Equal(t, "deploy/production.yaml", r.Git("diff", "--name-only", "main", branch))
	r.Git("merge", "--quiet", branch)
	out = reconciled(0)
	assert.Equal(t, digests[0], tag(t, repository+":production"))
	assert.Equal(t, digests[1], out.Registries[0].Before)

	// There is nothing below; forward again is a bundle that is named.
	code, _, stderr = call(t, "rollback", "-C", r.Dir, "--forge", "local")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "first model")
	code, stdout, stderr = call(t, "rollback", "-C", r.Dir, "--forge", "local", "--plan", "--to", second[:20])
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "nothing is written")
	assert.Contains(t, stdout, second)
}

// The first manifest is of what runs today, and the next run is measured
// against it.
func TestAdopt(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	model := filepath.Join(r.Dir, "models/2.onnx")
	code, stdout, stderr := call(t, "adopt", "-C", r.Dir, "--forge", "local", model, "--plan")
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "not judged")
	for _, want := range []string{"created", "unchanged"} {
		code, stdout, stderr := call(t, "adopt", "-C", r.Dir, "--forge", "local", model)
		require.Equal(t, 0, code, stderr)
		assert.Contains(t, stdout, want)
		assert.Contains(t, stdout, "git merge dosirak/adopt/flights-delay/production")
	}
	r.Git("merge", "--quiet", "dosirak/adopt/flights-delay/production")
	code, stdout, stderr = call(t, "adopt", "-C", r.Dir, "--forge", "local", model)
	require.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "Nothing is proposed")

	bundles, err := filepath.Glob(filepath.Join(r.Dir, "deploy/bundles/*"))
	require.NoError(t, err)
	require.Len(t, bundles, 1)
	code, _, stderr = call(t, "adopt", "-C", r.Dir, "--forge", "local", bundles[0])
	require.Equal(t, 0, code, "a bundle is taken as it is: %s", stderr)
	code, _, stderr = call(t, "adopt", "-C", r.Dir, "--forge", "local", filepath.Join(r.Dir, "models/1.onnx"))
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "an environment without a manifest")
	code, stdout, stderr = call(t, "verify", "-C", r.Dir)
	assert.Equal(t, 0, code, "what the base branch has is in force: %s", stderr)
	assert.Contains(t, stdout, "adopted")

	if testing.Short() {
		t.Skip("walks the line")
	}
	code, stdout, stderr = call(t, "run", "-C", r.Dir, "--json")
	require.Equal(t, 0, code, stderr)
	var out pipeline.Outcome
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))
	require.NotNil(t, out.Report.Baseline, "it is the baseline")
}

// Bad input of what comes after the merge.
func TestBadInputAfterTheMerge(t *testing.T) {
	t.Parallel()
	hex := strings.Repeat("a", 64)
	nothing := func(*testing.T, gittest.Repository) {}
	noGit := func(t *testing.T, r gittest.Repository) {
		require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, ".git")))
	}
	twice := func(t *testing.T, r gittest.Repository) { promoted(t, r, "1.onnx", ""); promoted(t, r, "2.onnx", "") }
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, r gittest.Repository)
		args  []string
		code  int
		says  []string
	}{
		{"reconcile: no Git", noGit, []string{"reconcile"}, 2, []string{"Git is the order"}},
		{"reconcile: nothing promoted", nothing, []string{"reconcile"}, 0, nil},
		{"reconcile: unknown environment", nothing, []string{"reconcile", "mars"}, 2, []string{`"mars"`, "production"}},
		{"reconcile: bad address", nothing, []string{"reconcile", "--endpoint", "models.example.org"}, 2, []string{"--endpoint", "https://"}},
		{"reconcile: bad wait", nothing, []string{"reconcile", "--wait", "2h"}, 2, []string{"--wait"}},
		{"reconcile: bad forge", nothing, []string{"reconcile", "--forge", "gitlab"}, 2, []string{"gitlab", "github"}},
		{"reconcile: GitHub without a token", nothing, []string{"reconcile", "--forge", "github"}, 2, []string{"GITHUB_"}},
		{"reconcile: the base branch is gone", func(_ *testing.T, r gittest.Repository) { r.Git("branch", "--move", "elsewhere") }, []string{"reconcile"}, 2, []string{"promote.base"}},
		{"reconcile: a manifest that is none", func(_ *testing.T, r gittest.Repository) {
			r.Commit("x", map[string]string{"deploy/production.yaml": "a: b\n"})
		}, []string{"reconcile"}, 2, []string{"deploy/production.yaml"}},
		{"reconcile: a manifest of another model", func(_ *testing.T, r gittest.Repository) {
			r.Commit("x", map[string]string{"deploy/production.yaml": strings.ReplaceAll(manifestWithoutBundle, "flights-delay", "churn")})
		}, []string{"reconcile"}, 2, []string{`"churn"`}},
		{"reconcile: the bundle is gone", func(_ *testing.T, r gittest.Repository) {
			r.Commit("x", map[string]string{"deploy/production.yaml": manifestWithoutBundle})
		}, []string{"reconcile", "--endpoint", "http://127.0.0.1:1"}, 2, []string{"deploy/bundles/aaaaaaaaaaaa", "restore"}},
		{"reconcile: the endpoint is away", func(t *testing.T, r gittest.Repository) { promoted(t, r, "1.onnx", "") }, []string{"reconcile", "--endpoint", "http://127.0.0.1:1"}, 4, nil},
		{"reconcile: the registry lacks the image", func(t *testing.T, r gittest.Repository) {
			repository, _ := images(t)
			promoted(t, r, "1.onnx", repository+"@sha256:"+hex)
		}, []string{"reconcile"}, 2, []string{"does not hold that image", "dosirak image BUNDLE --push"}},

		{"rollback: no Git", noGit, []string{"rollback"}, 2, []string{"needs a Git repository"}},
		{"rollback: nothing promoted", nothing, []string{"rollback"}, 2, []string{"nothing was promoted"}},
		{"rollback: the first model", func(t *testing.T, r gittest.Repository) { promoted(t, r, "1.onnx", "") }, []string{"rollback"}, 2, []string{"first model"}},
		{"rollback: to a name", twice, []string{"rollback", "--to", "latest"}, 2, []string{"--to", "digits"}},
		{"rollback: to what never ran", twice, []string{"rollback", "--to", "ffffffff"}, 2, []string{"never ran"}},
		{"rollback: the bundle is gone", func(t *testing.T, r gittest.Repository) {
			_, dir := promoted(t, r, "1.onnx", "")
			promoted(t, r, "2.onnx", "")
			require.NoError(t, os.RemoveAll(dir))
			r.Commit("tidy up", nil)
		}, []string{"rollback"}, 2, []string{"are gone", "git checkout"}},
		{"rollback: the bundle was damaged", func(t *testing.T, r gittest.Repository) {
			_, dir := promoted(t, r, "1.onnx", "")
			promoted(t, r, "2.onnx", "")
			require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), []byte("x"), 0o644))
			r.Commit("oops", nil)
		}, []string{"rollback"}, 2, []string{"damaged", "git checkout"}},
		{"rollback: a branch is in the way", func(t *testing.T, r gittest.Repository) {
			twice(t, r)
			r.Git("branch", "dosirak")
		}, []string{"rollback"}, 2, []string{"branch named dosirak", "rename it"}},
		{"rollback: today's manifest is none", func(t *testing.T, r gittest.Repository) {
			twice(t, r)
			r.Commit("x", map[string]string{"deploy/production.yaml": "a: b\n"})
		}, []string{"rollback"}, 2, []string{"no manifest", "by hand"}},

		{"adopt: no Git", noGit, []string{"adopt", "models/1.onnx"}, 2, []string{"needs a Git repository"}},
		{"adopt: no such model", nothing, []string{"adopt", "nowhere.onnx"}, 2, []string{"nowhere.onnx"}},
		{"adopt: an image by tag", nothing, []string{"adopt", "models/1.onnx", "--image", "ghcr.io/acme/flights:latest"}, 2, []string{"--image", "by digest"}},
		{"adopt: unknown environment", nothing, []string{"adopt", "models/1.onnx", "--environment", "mars"}, 2, []string{`"mars"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			tt.spoil(t, r)
			args := append(tt.args, "-C", r.Dir)
			if !strings.Contains(strings.Join(args, " "), "--forge") {
				args = append(args, "--forge", "local")
			}
			if i := len(tt.args); tt.args[0] == "adopt" && i > 1 {
				args[1] = filepath.Join(r.Dir, tt.args[1])
			}
			code, _, stderr := call(t, args...)
			assert.Equal(t, tt.code, code, stderr)
			for _, text := range tt.says {
				assert.Contains(t, stderr, text)
			}
			assert.NotContains(t, stderr, "goroutine")
		})
	}
}

// A shallow clone, as a CI job checks out by default, lacks the history.
func TestRollbackInAShallowClone(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	promoted(t, r, "1.onnx", "")
	promoted(t, r, "2.onnx", "")
	clone := filepath.Join(t.TempDir(), "clone")
	r.Git("clone", "--quiet", "--depth=1", "file://"+r.Dir, clone)
	code, _, stderr := call(t, "rollback", "-C", clone, "--forge", "local")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "fetch-depth: 0")
}
