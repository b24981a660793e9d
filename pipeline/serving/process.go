//go:build unix

package serving

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Process is a Target that runs a server as a child process in a process group
// of its own, on a free loopback port.
type Process struct {
	// Argv returns the command for an address to listen on. The command prints
	// a line "ready http://host:port ..." to stdout when it listens there.
	Argv func(addr string) []string
	// Environ is the environment of the server; nil: none at all, as in the image.
	Environ  []string
	Protocol Protocol // empty: V2
}

// ServerArgv is the Argv of this project's server for a bundle.
func ServerArgv(binary, model, bundleDir string) func(addr string) []string {
	return func(addr string) []string {
		return []string{binary, "--addr", addr, "--name", model, bundleDir}
	}
}

// listenBound is how long a process may take until it says where it listens.
const listenBound = 30 * time.Second

// Start runs the command and waits for its line, or for its end.
func (p Process) Start(ctx context.Context) (Server, error) {
	argv := p.Argv("127.0.0.1:0")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append([]string{}, p.Environ...) // never nil, which would mean ours
	cmd.SysProcAttr = processAttributes()
	cmd.WaitDelay = 2 * time.Second // a grandchild that holds stdout does not hold us
	i := &process{cmd: cmd, protocol: p.Protocol, log: &tailWriter{}, done: make(chan struct{})}
	cmd.Stderr = i.log
	stdout, write := io.Pipe()
	cmd.Stdout = io.MultiWriter(i.log, write)
	address := make(chan string, 1)
	go announce(stdout, address)

	i.started = time.Now()
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, fault.Environment(fmt.Errorf("starting the server: %w", err))
	}
	go func() {
		i.err = cmd.Wait()
		write.Close()
		close(i.done)
	}()
	select {
	case i.url = <-address:
	case <-i.done:
		// The check `ready` says that it ended, and with which code.
		i.url = "http://127.0.0.1:0"
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), Stop(i))
	case <-time.After(listenBound):
		// It may listen without saying so; nobody knows where.
		i.url = "http://127.0.0.1:0"
	}
	return i, nil
}

// announce reads the line with the address and drains the rest.
func announce(r io.Reader, address chan<- string) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "ready http://"); ok {
			host, _, _ := strings.Cut(rest, " ")
			select {
			case address <- "http://" + host:
			default:
			}
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line too long for the scanner
}

type process struct {
	cmd      *exec.Cmd
	url      string
	protocol Protocol
	started  time.Time
	log      *tailWriter
	done     chan struct{}
	err      error // of Wait; read after done
}

func (p *process) Kind() Kind                  { return KindProcess }
func (p *process) URL() string                 { return p.url }
func (p *process) Why() string                 { return "" }
func (p *process) Protocol() Protocol          { return p.protocol }
func (p *process) Lifecycle() Lifecycle        { return p }
func (p *process) Started() time.Time          { return p.started }
func (p *process) Logs(context.Context) string { return p.log.String() }

func (p *process) Exited(context.Context) (int, bool, error) {
	select {
	case <-p.done:
		return p.code(), true, nil
	default:
		return 0, false, nil
	}
}

func (p *process) code() int {
	state := p.cmd.ProcessState
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func (p *process) Terminate(context.Context) error {
	return p.cmd.Process.Signal(syscall.SIGTERM)
}

func (p *process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.code(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (p *process) Memory(context.Context) (int64, error) { return peakMemory(p.cmd.Process.Pid) }

// Stop kills the whole group, which is there as long as its leader is.
func (p *process) Stop(ctx context.Context) error {
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing the server: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the server, process %d, does not end: %w", p.cmd.Process.Pid, ctx.Err())
	}
}
