package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// asCommand makes the test binary the command itself, so that signals meet a
// real process.
const asCommand = "DOSIRAK_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A closed terminal ends a run as Ctrl-C does; else the trainers would go on
// without it. The next signal is no longer waited for.
func TestSignals(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("run under nohup")
	}
	atOnce := make(chan struct{})
	ctx, stop := interruptible(t.Context(), func() { close(atOnce) })
	defer stop()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	<-ctx.Done()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	<-atOnce
}

// process is a command that runs by itself.
type process struct {
	*exec.Cmd
	stdout, stderr *bufio.Reader
}

func start(t *testing.T, args ...string) process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := process{Cmd: exec.Command(self, args...)}
	p.Env = append(os.Environ(), asCommand+"=1")
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.StderrPipe()
	require.NoError(t, err)
	p.stdout, p.stderr = bufio.NewReader(stdout), bufio.NewReader(stderr)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// upTo reads lines until one holds text.
func upTo(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	said := ""
	for {
		line, err := r.ReadString('\n')
		said += line
		require.NoError(t, err, "before %q: %s", text, said)
		if strings.Contains(line, text) {
			return
		}
	}
}

// ended waits and returns the exit code and the rest of stderr.
func (p process) ended(t *testing.T) (code int, rest string) {
	t.Helper()
	text, err := io.ReadAll(p.stderr)
	require.NoError(t, err)
	_ = p.Wait() // the code tells
	return p.ProcessState.ExitCode(), string(text)
}

// The first Ctrl-C ends a run and its trainer; what was finished is kept.
func TestInterruptEndsARun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	edit(t, r, "dosirak.yaml", "cp models/{seed}.onnx {out}/model.onnx", "sleep 600")
	edit(t, r, "dosirak.yaml", "timeout: 20s", "timeout: 20m")
	r.Commit("slow", nil)
	p := start(t, "run", "-C", r.Dir)
	upTo(t, p.stderr, "seed 1")
	require.NoError(t, p.Process.Signal(os.Interrupt))
	code, rest := p.ended(t)
	assert.Equal(t, fault.CodeInterrupted, code, rest)
	assert.Contains(t, rest, "interrupted; what was finished is kept")
	assert.NotContains(t, rest, "ended at once")
}

// What does not end with the first Ctrl-C ends with the second: here a server
// that was told to wait for a load balancer.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	p := start(t, "serve", filepath.Join(projecttest.Mini(t).Dir, "models", "1.onnx"), "--addr", "127.0.0.1:0", "--drain-delay", "10m", "--log-level", "info")
	upTo(t, p.stdout, "ready ")
	require.NoError(t, p.Process.Signal(os.Interrupt))
	upTo(t, p.stderr, "drain")
	require.NoError(t, p.Process.Signal(os.Interrupt))
	code, rest := p.ended(t)
	assert.Equal(t, fault.CodeInterrupted, code, rest)
	assert.Contains(t, rest, "ended at once")
}
