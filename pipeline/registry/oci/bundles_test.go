package oci

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// largeBundle is a bundle whose model has about n bytes.
func largeBundle(t testing.TB, n int) *bundle.Opened {
	t.Helper()
	m := onnxtest.Logistic([]string{"a"}, []float32{1})
	weights := make([]float32, n/4)
	for i := range weights {
		weights[i] = float32(i)
	}
	m.Graph.Initializers = append(m.Graph.Initializers, onnxtest.Floats("more", weights))
	dir := filepath.Join(t.TempDir(), "bundle")
	_, err := bundle.Write(dir, bundle.Bundle{
		Model: bundle.Model{Name: "large", Format: "onnx", File: "model.onnx"},
		Signature: bundle.Signature{
			Inputs:  []bundle.TensorSpec{{Name: "a", Datatype: tensor.FP32, Shape: []int64{-1, 1}}},
			Outputs: []bundle.TensorSpec{{Name: "probabilities", Datatype: tensor.FP32, Shape: []int64{-1, 2}}},
		},
	}, onnxtest.Encode(m), bundle.Golden{})
	require.NoError(t, err)
	b, err := bundle.Open(dir)
	require.NoError(t, err)
	return b
}

// faulty is a registry whose answers to blobs a test may spoil.
type faulty struct {
	repository string
	blobs      atomic.Int64 // GETs of blobs
	spoil      func(n int64, w http.ResponseWriter, r *http.Request, answer []byte) bool
}

func startFaulty(t testing.TB) *faulty {
	t.Helper()
	f := &faulty{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/sha256:") {
			inner.ServeHTTP(w, r)
			return
		}
		n := f.blobs.Add(1)
		if f.spoil != nil {
			recorded := httptest.NewRecorder()
			inner.ServeHTTP(recorded, r)
			if f.spoil(n, w, r, recorded.Body.Bytes()) {
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	f.repository = strings.TrimPrefix(s.URL, "http://") + "/acme/large"
	return f
}

// cut sends the head of an answer and hangs up.
func cut(w http.ResponseWriter, status int, answer []byte, most int) bool {
	w.Header().Set("Content-Length", "99999999")
	w.WriteHeader(status)
	_, _ = w.Write(answer[:min(most, len(answer))])
	panic(http.ErrAbortHandler)
}

func bundles(t testing.TB) Bundles {
	t.Helper()
	b := Bundles{Cache: t.TempDir()}
	b.backoff = remote.Backoff{Duration: time.Millisecond, Steps: 2}
	return b
}

func TestBundles(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	b, store := largeBundle(t, 12<<20), bundles(t)
	reference, err := store.Reference(b.Dir, f.repository)
	require.NoError(t, err)
	require.NoError(t, store.Push(t.Context(), b.Dir, f.repository))
	require.NoError(t, store.Push(t.Context(), b.Dir, f.repository), "what is there is not sent again")

	dir := filepath.Join(t.TempDir(), "fetched")
	require.NoError(t, store.Fetch(t.Context(), reference, dir))
	got, err := bundle.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, b.Digest, got.Digest)

	// A second fetch on this machine asks for no file again.
	asked := f.blobs.Load()
	require.NoError(t, store.Fetch(t.Context(), reference, filepath.Join(t.TempDir(), "again")))
	assert.Equal(t, asked, f.blobs.Load())

	// A file of the cache that was damaged is fetched anew.
	blobs, err := filepath.Glob(filepath.Join(store.Cache, "blobs", "*"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(blobs[0], []byte("x"), 0o600))
	require.NoError(t, store.Fetch(t.Context(), reference, filepath.Join(t.TempDir(), "mended")))
	assert.Equal(t, asked+1, f.blobs.Load())
}

func TestBundlesFaults(t *testing.T) {
	t.Parallel()
	b := largeBundle(t, 4<<20)
	for _, tt := range []struct {
		name  string
		spoil func(n int64, w http.ResponseWriter, r *http.Request, answer []byte) bool
		says  string // "": it arrives
	}{
		{"cut three times", func(n int64, w http.ResponseWriter, r *http.Request, answer []byte) bool {
			if n > 4 || len(answer) < 1<<20 {
				return false
			}
			status := http.StatusOK
			if r.Header.Get("Range") != "" {
				status = http.StatusPartialContent
			}
			return cut(w, status, answer, 1<<20)
		}, ""},
		{"busy, then well", func(n int64, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			if n > 2 {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, ""},
		{"cut for ever", func(_ int64, w http.ResponseWriter, _ *http.Request, answer []byte) bool {
			return cut(w, http.StatusOK, answer, 10)
		}, "fetching bundle"},
		{"other bytes", func(_ int64, w http.ResponseWriter, _ *http.Request, answer []byte) bool {
			spoilt := bytes.Clone(answer)
			spoilt[len(spoilt)-1] ^= 1
			_, _ = w.Write(spoilt)
			return true
		}, "not what the digest names"},
		{"more bytes", func(_ int64, w http.ResponseWriter, _ *http.Request, answer []byte) bool {
			_, _ = w.Write(append(bytes.Clone(answer), 'x'))
			return true
		}, "not what the digest names"},
		{"refused", func(_ int64, w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		}, "docker login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, store := startFaulty(t), bundles(t)
			require.NoError(t, store.Push(t.Context(), b.Dir, f.repository))
			reference, err := store.Reference(b.Dir, f.repository)
			require.NoError(t, err)
			f.spoil = tt.spoil
			dir := filepath.Join(t.TempDir(), "fetched")
			err = store.Fetch(t.Context(), reference, dir)
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				left, _ := filepath.Glob(filepath.Join(store.Cache, "blobs", "part-*"))
				assert.Empty(t, left, "nothing half is left")
				return
			}
			require.NoError(t, err)
			got, err := bundle.Open(dir)
			require.NoError(t, err)
			assert.Equal(t, b.Digest, got.Digest)
		})
	}
}

func TestBundlesRefused(t *testing.T) {
	t.Parallel()
	f, store := startFaulty(t), bundles(t)
	b := largeBundle(t, 1<<10)
	err := store.Push(t.Context(), b.Dir, "Not A Repository")
	require.ErrorContains(t, err, "serve.repository")
	require.Error(t, store.Push(t.Context(), t.TempDir(), f.repository))

	gone, err := store.Reference(b.Dir, f.repository)
	require.NoError(t, err)
	err = store.Fetch(t.Context(), gone, t.TempDir())
	require.ErrorContains(t, err, "does not hold it")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	require.ErrorContains(t, store.Fetch(t.Context(), "oci://"+f.repository+":latest", t.TempDir()), "sha256")

	// An image is no bundle.
	img, err := random.Image(100, 1)
	require.NoError(t, err)
	repo, err := name.NewRepository(f.repository)
	require.NoError(t, err)
	hash, err := img.Digest()
	require.NoError(t, err)
	require.NoError(t, remote.Write(repo.Digest(hash.String()), img))
	require.ErrorContains(t, store.Fetch(t.Context(), "oci://"+repo.Digest(hash.String()).String(), t.TempDir()), "no bundle")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Fetch(ctx, gone, t.TempDir()), context.Canceled)
}
