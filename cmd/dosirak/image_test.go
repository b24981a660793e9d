package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// runImage runs `image` with args and returns what it printed.
func runImage(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), newImageCommand(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// runSmoke runs `smoke` with args and returns what it printed.
func runSmoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), newSmokeCommand(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// The real server is built once, into a cache of the test's own.
func TestImageCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	bundle := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, brokenserver.Write(bundle, ""))
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/sum"

	out := t.TempDir()
	code, stdout, stderr := runImage(t, bundle, "--out", out, "--json", "--push", repository)
	require.Zero(t, code, stderr)
	var built imageResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &built))
	assert.Equal(t, repository+"@"+built.Digest, built.Pushed)
	assert.FileExists(t, filepath.Join(out, image.ArchiveFile))
	assert.DirExists(t, filepath.Join(out, image.LayoutDir))
	assert.LessOrEqual(t, built.Size, int64(20e6))
	assert.LessOrEqual(t, built.CompressedSize, int64(8e6))

	code, stdout, stderr = runImage(t, bundle, "--out", t.TempDir())
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "image    "+built.Digest+"\n", "the same bundle is the same image")
}

func TestImageCommandRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "accepts 1 arg"},
		{[]string{"bundle", "--platform", "linux"}, "linux/amd64 and linux/arm64"},
		{[]string{filepath.Join(t.TempDir(), "none")}, "none"},
	} {
		code, _, stderr := runImage(t, c.args...)
		assert.Equal(t, 2, code)
		assert.Contains(t, stderr, c.want)
	}
}

func TestSmokeCommandOfURL(t *testing.T) {
	t.Parallel()
	for fault, want := range map[brokenserver.Fault]verdict.Verdict{"": verdict.Pass, brokenserver.WrongAnswers: verdict.Fail} {
		bundle := filepath.Join(t.TempDir(), "bundle")
		require.NoError(t, brokenserver.Write(bundle, fault))
		s, err := brokenserver.Open(bundle, brokenserver.Model)
		require.NoError(t, err)
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)

		code, stdout, stderr := runSmoke(t, "--url", server.URL, "--json", bundle)
		assert.Equal(t, want.ExitCode(), code, stderr)
		var r smoke.Result
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		assert.Equal(t, want, r.Verdict)

		code, stdout, _ = runSmoke(t, "--url", server.URL, bundle)
		assert.Equal(t, want.ExitCode(), code)
		assert.Contains(t, stdout, string(want)+"  address (it runs already), profile quick")
	}
}

func TestSmokeCommandRefuses(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "image.tar")
	require.NoError(t, os.WriteFile(archive, []byte("no tar"), 0o644))
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "say what to test"},
		{[]string{"bundle", "--archive", archive}, "say what to test"},
		{[]string{"--archive", archive, "--url", "http://127.0.0.1:1"}, "say what to test"},
		{[]string{"--archive", archive}, "reading the image"},
		{[]string{"--archive", archive, "--profile", "slow"}, "use quick or full"},
		{[]string{"--url", "127.0.0.1:80", "--name", "m"}, "give an address such as"},
		{[]string{"--url", "http://127.0.0.1:1"}, "needs --name"},
		{[]string{filepath.Join(t.TempDir(), "none")}, "none"},
	} {
		code, _, stderr := runSmoke(t, c.args...)
		assert.Equal(t, 2, code, stderr)
		assert.Contains(t, stderr, c.want)
	}
}
