package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// runAlone runs one command with args and returns what it printed.
func runAlone(t *testing.T, cmd *cobra.Command, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true // as the root has it
	var out, errs bytes.Buffer
	code = execute(t.Context(), cmd, args, &out, &errs)
	return code, out.String(), errs.String()
}

// The real server is built once, into a cache of the test's own.
func TestImageCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache))) // which lies below the one that follows
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	bundle := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, brokenserver.Write(bundle, ""))
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/sum"

	out := t.TempDir()
	code, stdout, stderr := runAlone(t, newImageCommand(), bundle, "--out", out, "--json", "--push", repository)
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "is built, once for this version", "what takes long is said before it begins")
	var built imageResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &built))
	assert.Equal(t, repository+"@"+built.Digest, built.Pushed)
	assert.FileExists(t, filepath.Join(out, image.ArchiveFile))
	assert.DirExists(t, filepath.Join(out, image.LayoutDir))
	assert.LessOrEqual(t, built.Size, int64(20e6))
	assert.LessOrEqual(t, built.CompressedSize, int64(8e6))

	code, stdout, stderr = runAlone(t, newImageCommand(), bundle, "--out", t.TempDir())
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
		code, _, stderr := runAlone(t, newImageCommand(), c.args...)
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

		code, stdout, stderr := runAlone(t, newSmokeCommand(), "--url", server.URL, "--json", bundle)
		assert.Equal(t, want.ExitCode(), code, stderr)
		var r smoke.Result
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		assert.Equal(t, want, r.Verdict)

		code, stdout, _ = runAlone(t, newSmokeCommand(), "--url", server.URL, bundle)
		assert.Equal(t, want.ExitCode(), code)
		assert.Contains(t, stdout, string(want)+"  address (it runs already), profile quick")
	}
}

// In a project its service level counts, as in a run; elsewhere, and of another
// model, none does.
func TestSmokeCommandTakesTheServiceLevel(t *testing.T) {
	t.Parallel()
	bundle := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, brokenserver.Write(bundle, ""))
	s, err := brokenserver.Open(bundle, brokenserver.Model)
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	config := func(model string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "dosirak.yaml"), []byte("version: 1\nmodel: "+model+`
task: regression
train: {command: "true", seeds: [1]}
data: {train: train.csv, eval: eval.csv, label: y}
metrics: [{name: rmse, direction: lower, margin: 2%, primary: true}]
serve: {slo: {rate: 40/s, p99: 7s}}
smoke: {profile: full}
`), 0o600))
		return dir
	}
	code, stdout, stderr := runAlone(t, newSmokeCommand(), "--url", server.URL, "--json", "-C", config(brokenserver.Model), "--profile", "quick", bundle)
	require.Zero(t, code, stderr)
	var r smoke.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.NotNil(t, r.Latencies.P99SLO)
	assert.InDelta(t, 7000, *r.Latencies.P99SLO, 0)
	assert.Equal(t, smoke.Quick, r.Profile)

	code, _, stderr = runAlone(t, newSmokeCommand(), "--url", server.URL, "-C", config("another"), bundle)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `is of the model "another"`)
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
		code, _, stderr := runAlone(t, newSmokeCommand(), c.args...)
		assert.Equal(t, 2, code, stderr)
		assert.Contains(t, stderr, c.want)
	}
}
