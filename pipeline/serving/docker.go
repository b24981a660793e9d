package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// Docker is the docker command line. No shell is involved: arguments are
// words, and every call is bounded in time.
type Docker struct {
	Command string // empty: docker
}

// dockerError is a docker command that failed, with what it said.
type dockerError struct {
	verb string
	said string
	err  error
}

func (e *dockerError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("docker %s: %v", e.verb, e.err)
	}
	return fmt.Sprintf("docker %s: %s", e.verb, e.said)
}

func (e *dockerError) Unwrap() error { return e.err }

// missing reports whether err says that a container, network or image is not
// there, which a removal is content with.
func missing(err error) bool {
	var e *dockerError
	return errors.As(err, &e) && (strings.Contains(strings.ToLower(e.said), "no such") || strings.Contains(e.said, "not found"))
}

// run runs docker with args and returns its trimmed output.
func (d Docker) run(ctx context.Context, bound time.Duration, stdin io.Reader, args ...string) (string, error) {
	var out, errs bytes.Buffer
	if err := d.stream(ctx, bound, stdin, &out, &errs, args...); err != nil {
		return "", &dockerError{verb: args[0], said: lastLine(errs.String()), err: err}
	}
	return strings.TrimSpace(out.String()), nil
}

func (d Docker) stream(ctx context.Context, bound time.Duration, stdin io.Reader, out, errs io.Writer, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	command := d.Command
	if command == "" {
		command = "docker"
	}
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.SysProcAttr = processAttributes()
	cmd.WaitDelay = 2 * time.Second
	cmd.Stdin = stdin
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// logs returns the end of what a container wrote to both of its streams.
func (d Docker) logs(ctx context.Context, name string) (string, error) {
	var log tailWriter
	err := d.stream(ctx, 10*time.Second, nil, &log, &log, "logs", "--tail", "50", name)
	return log.String(), err
}

// lastLine is the last line of what docker said: the ones before are progress
// and hints.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "See 'docker") || strings.HasPrefix(line, "Run 'docker") {
			continue
		}
		return quote.Clean(strings.TrimPrefix(line, "Error response from daemon: "))
	}
	return ""
}

// Engine is what is known of a daemon.
type Engine struct {
	Version string
	Arch    string // in Go's names
}

// Probe asks whether a daemon answers that can run the image and whose
// containers are reached from here. The error says why not.
func (d Docker) Probe(ctx context.Context) (Engine, error) {
	command := d.Command
	if command == "" {
		command = "docker"
	}
	if _, err := exec.LookPath(command); err != nil {
		return Engine{}, errors.New("there is no docker command")
	}
	out, err := d.run(ctx, 5*time.Second, nil, "version", "--format", "{{json .Server}}")
	switch {
	case err != nil && strings.Contains(err.Error(), "Cannot connect to the Docker daemon"):
		return Engine{}, errors.New("no Docker daemon answers")
	case err != nil:
		return Engine{}, fmt.Errorf("no Docker daemon answers (%w)", err)
	}
	var server struct{ Version, Os, Arch, KernelVersion string }
	if err := json.Unmarshal([]byte(out), &server); err != nil || server.Version == "" {
		return Engine{}, errors.New("no Docker daemon answers")
	}
	if server.Os != "linux" {
		return Engine{}, fmt.Errorf("the Docker daemon runs %s containers", quote.Text(server.Os))
	}
	// Containers of a daemon in a virtual machine or on another host have
	// addresses that lead nowhere from here.
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil || strings.TrimSpace(string(kernel)) != server.KernelVersion {
		return Engine{}, errors.New("the Docker daemon runs on another kernel, so its containers cannot be reached from here")
	}
	return Engine{Version: server.Version, Arch: server.Arch}, nil
}
