package pipeline_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/registry/oci"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

// large is a model of more bytes than go into Git.
func large(columns string, weights ...float32) []byte {
	m := onnxtest.Logistic(strings.Fields(columns), weights)
	m.Graph.Initializers = append(m.Graph.Initializers, onnxtest.Floats("more", make([]float32, 3<<20)))
	return onnxtest.Encode(m)
}

// A bundle that is too large for Git is kept in serve.repository, and a fresh
// machine has it from there: the next change is compared with it, and verify
// asks it again. Without a repository that is said before anything is proved.
func TestLargeBundle(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	repository := strings.TrimPrefix(hub.URL, "http://") + "/acme/guarded"
	walk := func(r gittest.Repository, cache string, asked pipeline.Request, observer pipeline.Observer) (pipeline.Outcome, *project.Project, error) {
		p, err := project.Open(t.Context(), r.Dir, "")
		require.NoError(t, err)
		p.Bundles = oci.Bundles{Cache: cache}
		home, err := os.UserCacheDir()
		require.NoError(t, err)
		env := pipeline.Env{Now: time.Now, Release: "test", CacheDir: filepath.Join(home, "dosirak-test"), Observer: observer, Forge: &local.Forge{Repo: p.Repo}}
		env.Server = image.Source{CacheDir: env.CacheDir, Environ: os.Environ()}
		out, err := pipeline.Run(t.Context(), p, env, asked)
		return out, p, err
	}
	g := guarded{config: guardedConfig, train: drawn(1, 300), eval: drawn(2, 800), model: large("a", 2)}
	r := gittest.New(t, g.files())
	var steps []string
	_, _, err := walk(r, t.TempDir(), pipeline.Request{Promote: true}, watcher{started: func(step string) { steps = append(steps, step) }})
	require.ErrorContains(t, err, "serve.repository")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	assert.NotContains(t, steps, "prove")

	g.config += "serve:\n  repository: " + repository + "\n"
	r.Commit("a place for the bundle", g.files())
	out, _, err := walk(r, t.TempDir(), pipeline.Request{Promote: true}, pipeline.Silent{})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
	r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/guarded/production")
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	assert.Contains(t, m.Sources.Bundle, "oci://"+repository+"@sha256:")
	assert.NoDirExists(t, filepath.Join(r.Dir, "deploy/bundles"))

	// Another machine, with a small model: compared with the large one.
	fresh := gittest.Repository{T: t, Dir: filepath.Join(t.TempDir(), "fresh")}
	r.Git("clone", "--quiet", "file://"+r.Dir, fresh.Dir)
	fresh.Git("config", "user.name", "Test")
	fresh.Git("config", "user.email", "test@example.com")
	g.model = model("a b", 2, 1)
	fresh.Commit("a better model", g.files())
	cache := t.TempDir()
	out, p, err := walk(fresh, cache, pipeline.Request{Promote: true}, pipeline.Silent{})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
	require.NotNil(t, out.Report.Baseline)
	assert.Equal(t, m.Bundle, string(out.Report.Baseline.Bundle))

	fresh.Git("checkout", "--quiet", "dosirak/promote/guarded/production")
	o := verify.Options{Environment: "production", Dir: t.TempDir()}
	o.Base, err = p.Base(t.Context(), "", filepath.Join(o.Dir, "base"))
	require.NoError(t, err)
	v, err := verify.Run(t.Context(), p, o)
	require.NoError(t, err)
	assert.True(t, v.Holds, "%+v", v.Checks)

	// A change names another registry: nobody is asked there.
	text, err := os.ReadFile(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	fresh.Write(map[string]string{"deploy/production.yaml": strings.ReplaceAll(string(text), repository, "127.0.0.1:1/elsewhere")})
	v, err = verify.Run(t.Context(), p, o)
	require.NoError(t, err)
	assert.False(t, v.Holds)
	assert.Contains(t, failed(v), "bundle")
}
