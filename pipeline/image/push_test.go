package image

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// newRegistry is an in-memory registry that notes the uploads of blobs.
func newRegistry(t *testing.T) (host string, uploads func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch || r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			mu.Lock()
			n++
			mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	host, uploads := newRegistry(t)
	built := build(t, options(t, seal(t, "a model")))
	for _, to := range []string{host + "/acme/flights", host + "/acme/flights:candidate"} {
		name, err := Push(t.Context(), built, to, nil)
		require.NoError(t, err)
		assert.Equal(t, host+"/acme/flights@"+built.Digest, name)
	}
	before := uploads()
	require.Positive(t, before)
	_, err := Push(t.Context(), built, host+"/acme/flights", nil)
	require.NoError(t, err)
	assert.Equal(t, before, uploads(), "what the registry has is not sent again")
}

func TestPushRefused(t *testing.T) {
	t.Parallel()
	built := build(t, options(t, seal(t, "a model")))
	forbidden := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(forbidden.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	cases := []struct {
		name, to string
		code     int
		want     string
	}{
		{"a digest", "registry.example/a@" + built.Digest, 2, "the digest comes from the image"},
		{"no name", "UPPER CASE", 2, "pushing the image"},
		{"forbidden", strings.TrimPrefix(forbidden.URL, "http://") + "/acme/flights", 2, "docker login"},
		{"nobody there", strings.TrimPrefix(gone.URL, "http://") + "/acme/flights", 4, "pushing the image to"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Push(t.Context(), built, c.to, nil)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.code, fault.ExitCode(err))
		})
	}
}
