package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/server"
)

// asMain in the environment makes this test binary the program.
const asMain = "MODEL_SERVER_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

var linear = filepath.Join("server", "testdata", "linear.onnx")

// The process says where it listens, answers, and ends with 0 on SIGTERM.
func TestProcess(t *testing.T) {
	t.Parallel()
	p := start(t, linear)
	assert.Equal(t, []string{"ready", p.url, "model=linear", "engine=native", "bundle=none"}, p.line)
	response, err := http.Post(p.url+"/v2/models/linear/infer", "application/json", strings.NewReader(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[0.25,0]}]}`))
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	response.Body.Close()
	assert.Contains(t, string(body), `"data":[0.5,0.5]`)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.cmd.Wait())
	assert.Contains(t, p.stderr.String(), `"msg":"drained"`)
}

type process struct {
	cmd    *exec.Cmd
	url    string
	line   []string
	stderr *bytes.Buffer
}

func start(t testing.TB, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(self, append([]string{"--addr", "127.0.0.1:0"}, args...)...), stderr: &bytes.Buffer{}}
	p.cmd.Env = []string{asMain + "=1"}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	p.line = strings.Fields(line)
	p.url = p.line[1]
	return p
}

func TestRun(t *testing.T) {
	t.Parallel()
	pickle := filepath.Join(t.TempDir(), "model.pkl")
	require.NoError(t, os.WriteFile(pickle, []byte("\x80\x04}."), 0o600))
	for name, c := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"help":       {[]string{"-h"}, 0, "", "Exit codes: 0 drained"},
		"version":    {[]string{"--version"}, 0, "model-server devel", ""},
		"nothing":    {nil, 2, "", "give one model file or bundle, not 0"},
		"two":        {[]string{"a", "b"}, 2, "", "not 2"},
		"flag":       {[]string{"--port", "1"}, 2, "", "flag provided but not defined"},
		"level":      {[]string{"--log-level", "loud", linear}, 2, "", `log level "loud" is none of`},
		"rows":       {[]string{"--max-rows", "0", linear}, 2, "", "must be positive"},
		"missing":    {[]string{"none.onnx"}, 2, "", "none.onnx: no such file"},
		"no bundle":  {[]string{"server"}, 2, "", "no bundle.json"},
		"pickle":     {[]string{pickle}, 2, "", "not an ONNX model"},
		"no address": {[]string{"--addr", "127.0.0.1:99999", linear}, 4, "", "choose another address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), c.args, &stdout, &stderr)
			assert.Equal(t, c.code, code)
			assert.Contains(t, stdout.String(), c.stdout)
			assert.Contains(t, stderr.String(), c.stderr)
			assert.NotContains(t, stderr.String(), "goroutine")
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, server.ExitDrained, run(ctx, []string{"--addr", "127.0.0.1:0", linear}, io.Discard, io.Discard), "asked to end before it began")
}

// BenchmarkReady is the time from the start of a process to its first answer
// that it is ready; a process that does nothing is the floor.
func BenchmarkReady(b *testing.B) {
	b.Run("model-server", func(b *testing.B) {
		for b.Loop() {
			p := start(b, "--drain-delay", "0", linear)
			response, err := http.Get(p.url + "/v2/health/ready")
			require.NoError(b, err)
			response.Body.Close()
			b.StopTimer()
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
			b.StartTimer()
		}
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, exec.Command("true").Run())
		}
	})
}
