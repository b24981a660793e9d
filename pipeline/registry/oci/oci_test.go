package oci

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

// start is a registry in memory with two images in acme/flights.
func start(t *testing.T) (repository string, images [2]string) {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	repository = strings.TrimPrefix(s.URL, "http://") + "/acme/flights"
	repo, err := name.NewRepository(repository)
	require.NoError(t, err)
	for i := range images {
		image, err := random.Image(100, 1)
		require.NoError(t, err)
		d, err := image.Digest()
		require.NoError(t, err)
		require.NoError(t, remote.Write(repo.Digest(d.String()), image))
		images[i] = repository + "@" + d.String()
	}
	return repository, images
}

func order(image string) (*reconcile.FakeDesired, reconcile.Options) {
	o := &reconcile.FakeDesired{}
	o.Merge("commit", &manifest.Manifest{Model: "flights-delay", Environment: "production", Bundle: "sha256:" + strings.Repeat("b", 64), Image: image})
	return o, reconcile.Options{Model: "flights-delay", Environment: "production", Desired: o, Registries: []reconcile.Registry{Registry{}}}
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	repository, images := start(t)
	for _, image := range []string{images[0], images[1], images[0]} {
		_, o := order(image)
		r, err := reconcile.Run(t.Context(), o)
		require.NoError(t, err)
		assert.True(t, r.Registries[0].Changed)
		assert.Equal(t, repository+":production", r.Registries[0].Alias)
		got, err := Registry{}.Read(t.Context(), repository+":production")
		require.NoError(t, err)
		assert.Equal(t, image, repository+"@"+got)
		r, err = reconcile.Run(t.Context(), o)
		require.NoError(t, err)
		assert.False(t, r.Registries[0].Changed)
	}
}

func TestWant(t *testing.T) {
	t.Parallel()
	hex := strings.Repeat("a", 64)
	for _, tt := range []struct{ image, alias, says string }{
		{"ghcr.io/acme/flights@sha256:" + hex, "ghcr.io/acme/flights:production", ""},
		{"localhost:5000/flights@sha256:" + hex, "localhost:5000/flights:production", ""},
		{"", "", "names no image"},
		{"sha256:" + hex, "", "serve.repository"},
		{"ghcr.io/Acme/flights@sha256:" + hex, "", "repository"},
		{"ghcr.io/acme/flights@sha256:abc", "", "sha256"},
	} {
		p, err := Registry{}.Want(manifest.Manifest{Environment: "production", Image: tt.image})
		if tt.says != "" {
			require.ErrorContains(t, err, tt.says, tt.image)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, reconcile.Pointer{Alias: tt.alias, Target: "sha256:" + hex}, p)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	repository, _ := start(t)
	missing := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	err := Registry{}.Write(t.Context(), reconcile.Pointer{Alias: repository + ":production", Target: missing.String()})
	require.ErrorContains(t, err, "does not hold that image")
	assert.ErrorContains(t, err, "dosirak image BUNDLE --push "+repository)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	for status, code := range map[int]int{http.StatusUnauthorized: 2, http.StatusForbidden: 2, http.StatusTooManyRequests: 4, http.StatusInternalServerError: 4} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		t.Cleanup(s.Close)
		_, err := Registry{backoff: remote.Backoff{Duration: time.Millisecond, Steps: 2}}.Read(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/acme/flights:production")
		require.Error(t, err)
		assert.Equal(t, code, fault.ExitCode(err), "%d: %v", status, err)
	}
}

var errKilled = errors.New("killed")

// dying lets n requests through; the last one's answer is lost when after is
// set, and it is never sent otherwise.
type dying struct {
	n     int
	after bool
	dead  bool
}

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	d.n--
	if d.dead || d.n < 0 && !d.after {
		d.dead = true
		return nil, errKilled
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if d.n < 0 && err == nil {
		d.dead = true
		resp.Body.Close()
		return nil, errKilled
	}
	return resp, err
}

// Killed at any request to the registry, before or after its effect, and run
// again: the tag is what Git says.
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	repository, images := start(t)
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			_, o := order(images[0])
			_, err := reconcile.Run(t.Context(), o)
			require.NoError(t, err)

			_, o = order(images[1])
			transport := &dying{n: n, after: after}
			o.Registries = []reconcile.Registry{Registry{Transport: transport, backoff: remote.Backoff{Duration: time.Millisecond, Steps: 1}}}
			_, err = reconcile.Run(t.Context(), o)
			if !transport.dead {
				require.NoError(t, err)
				require.Greater(t, n, 3)
				break
			}
			require.Error(t, err)
			o.Registries = []reconcile.Registry{Registry{}}
			_, err = reconcile.Run(t.Context(), o)
			require.NoError(t, err)
			got, err := Registry{}.Read(t.Context(), repository+":production")
			require.NoError(t, err)
			assert.Equal(t, images[1], repository+"@"+got)
		}
	}
}

// BenchmarkUnchanged is a reconciliation that finds everything as it should
// be.
func BenchmarkUnchanged(b *testing.B) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	repo, err := name.NewRepository(strings.TrimPrefix(s.URL, "http://") + "/acme/flights")
	require.NoError(b, err)
	image, err := random.Image(100, 1)
	require.NoError(b, err)
	d, err := image.Digest()
	require.NoError(b, err)
	require.NoError(b, remote.Write(repo.Tag("production"), image))
	_, o := order(repo.Digest(d.String()).String())
	for b.Loop() {
		r, err := reconcile.Run(b.Context(), o)
		require.NoError(b, err)
		require.False(b, r.Registries[0].Changed)
	}
}
