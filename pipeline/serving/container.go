package serving

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// Container is a Target that runs an image in Docker: on a network of its own
// without a route outside, read-only, without capabilities, as the image's
// user, with bounds on memory and processes. It is reached at its address on
// the network's bridge; no port is published. All names are this run's own.
type Container struct {
	Docker   Docker
	Archive  string   // what `dosirak image` or `docker save` wrote
	Memory   int64    // limit in bytes; 0: defaultMemory
	Port     int      // that the server listens on; 0: 8080
	Protocol Protocol // empty: V2
	Run      string   // ends the names of what is made in Docker; empty: random
}

const (
	defaultMemory = 512 << 20
	defaultPort   = 8080
	processes     = 256 // at most, threads included
	namePrefix    = "dosirak-smoke-"
	// leftBehind is how long after its start what a run has made counts as left
	// behind by one that was killed, and is removed by the next.
	leftBehind = 15 * time.Minute
)

// ErrUnreachable says that a container runs but its address leads nowhere from
// here: a rootless daemon, or one in another network namespace.
var ErrUnreachable = errors.New("the container's address cannot be reached from here")

// Start loads the archive, makes the network, and runs the container.
func (c Container) Start(ctx context.Context) (Server, error) {
	i, err := newContainer(c)
	if err != nil {
		return nil, err
	}
	if err := i.start(ctx, c); err != nil {
		return nil, classify(ctx, errors.Join(err, Stop(i)))
	}
	return i, nil
}

// classify tells Docker's failures from those of the image.
func classify(ctx context.Context, err error) error {
	var exit *exec.ExitError
	var docker *dockerError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &exit) && (exit.ExitCode() == 126 || exit.ExitCode() == 127):
		// https://docs.docker.com/reference/cli/docker/container/run/#exit-status
		return fault.ImageDoesNotRun.Failed(fmt.Errorf("the image cannot be run: %w", err))
	case errors.As(err, &docker), errors.Is(err, ErrUnreachable):
		return fault.Environment(err)
	}
	return err
}

type container struct {
	docker   Docker
	name     string // of container, network and image tag alike
	image    string // repository:tag of this run
	port     int
	url      string
	protocol Protocol
	started  time.Time
	pid      int

	swept sync.WaitGroup
}

func newContainer(c Container) (*container, error) {
	if c.Run == "" {
		var id [6]byte
		if _, err := rand.Read(id[:]); err != nil {
			return nil, fault.Environment(fmt.Errorf("naming the container: %w", err))
		}
		c.Run = hex.EncodeToString(id[:])
	}
	i := &container{docker: c.Docker, port: c.Port, protocol: c.Protocol}
	if i.port == 0 {
		i.port = defaultPort
	}
	i.name = namePrefix + strconv.FormatInt(time.Now().Add(leftBehind).Unix(), 10) + "-" + c.Run
	i.image = i.name + ":latest"
	return i, nil
}

func (i *container) start(ctx context.Context, c Container) error {
	i.swept.Add(1)
	go func() {
		defer i.swept.Done()
		i.sweep(ctx)
	}()
	networked := make(chan error, 1)
	go func() {
		_, err := i.docker.run(ctx, 30*time.Second, nil, "network", "create", "--internal", i.name)
		networked <- err
	}()
	loaded := i.load(ctx, c.Archive)
	if err := <-networked; err != nil {
		return err
	}
	if loaded != nil {
		return loaded
	}
	if err := i.create(ctx, c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return i.locate(ctx)
}

// create makes the container. Another run that loads the same image and removes
// it at the end can take it away between our load and here, since Docker keeps
// one image under all its names: then it is loaded again.
func (i *container) create(ctx context.Context, c Container) error {
	const tries = 3
	for try := 1; ; try++ {
		// Once asked for, a container is made: cutting the command off would leave
		// one that nobody knows of. So this call is not cut off by Ctrl-C.
		_, err := i.docker.run(context.WithoutCancel(ctx), 60*time.Second, nil, i.arguments(c.Memory)...)
		if err == nil || !missing(err) || try == tries || ctx.Err() != nil {
			return err
		}
		if err := i.load(ctx, c.Archive); err != nil {
			return err
		}
	}
}

// arguments is the docker command that runs the image.
func (i *container) arguments(memory int64) []string {
	if memory == 0 {
		memory = defaultMemory
	}
	limit := strconv.FormatInt(max(memory, 6<<20), 10) // Docker refuses less than 6 MB
	return []string{
		"run", "--detach", "--pull", "never", "--name", i.name, "--network", i.name,
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--memory", limit, "--memory-swap", limit, "--pids-limit", strconv.Itoa(processes),
		"--log-opt", "max-size=1m", "--log-driver", "json-file", "--restart", "no",
		i.image,
	}
}

// state is the part of `docker inspect` that is needed.
type state struct {
	State struct {
		Status    string
		Running   bool
		OOMKilled bool
		Pid       int
		ExitCode  int
		StartedAt time.Time
	}
	Config          struct{ User string }
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
	}
}

func (i *container) inspect(ctx context.Context) (state, error) {
	out, err := i.docker.run(ctx, 10*time.Second, nil, "container", "inspect", i.name)
	if err != nil {
		return state{}, err
	}
	var states []state
	if err := json.Unmarshal([]byte(out), &states); err != nil || len(states) != 1 {
		return state{}, fmt.Errorf("docker inspect: unexpected answer %s", quote.Text(out))
	}
	return states[0], nil
}

// locate learns the container's address and whether it leads there.
func (i *container) locate(ctx context.Context) error {
	s, err := i.inspect(ctx)
	if err != nil {
		return err
	}
	i.started, i.pid = s.State.StartedAt, s.State.Pid
	if user, _, _ := strings.Cut(s.Config.User, ":"); user == "" || user == "0" || user == "root" {
		return fault.ImageDoesNotRun.Failed(errors.New("the image runs as root; give it a USER, such as 65532:65532"))
	}
	address := s.NetworkSettings.Networks[i.name].IPAddress
	if address == "" {
		// It has ended already. The check `ready` says so.
		i.url = "http://127.0.0.1:0"
		return nil
	}
	host := net.JoinHostPort(address, strconv.Itoa(i.port))
	i.url = "http://" + host
	return i.reach(ctx, host)
}

// reach connects once. A refusal is an answer too, of a server that does not
// listen yet; silence is none.
func (i *container) reach(ctx context.Context, host string) error {
	dialer := net.Dialer{Timeout: time.Second}
	for range 2 {
		conn, err := dialer.DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close()
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ended, err := i.Exited(ctx); err == nil && ended {
		return nil
	}
	return fmt.Errorf("%s: %w", host, ErrUnreachable)
}

func (i *container) Kind() Kind           { return KindContainer }
func (i *container) URL() string          { return i.url }
func (i *container) Why() string          { return "" }
func (i *container) Protocol() Protocol   { return i.protocol }
func (i *container) Lifecycle() Lifecycle { return i }
func (i *container) Started() time.Time   { return i.started }

func (i *container) Exited(ctx context.Context) (int, bool, error) {
	s, err := i.inspect(ctx)
	if err != nil {
		return 0, false, err
	}
	return s.State.ExitCode, s.State.Status == "exited" || s.State.Status == "dead", nil
}

func (i *container) Terminate(ctx context.Context) error {
	_, err := i.docker.run(ctx, 10*time.Second, nil, "kill", "--signal", "TERM", i.name)
	return err
}

func (i *container) Wait(ctx context.Context) (int, error) {
	out, err := i.docker.run(ctx, 2*time.Minute, nil, "wait", i.name)
	if err != nil {
		return 0, err
	}
	code, err := strconv.Atoi(out)
	if err != nil {
		return 0, fmt.Errorf("docker wait: unexpected answer %s", quote.Text(out))
	}
	return code, nil
}

// Memory is the peak of the container's first process, which this machine's
// kernel knows. (The kernel's own count for the container includes the cache
// of files that it read; and docker stats takes two seconds.)
func (i *container) Memory(context.Context) (int64, error) {
	if i.pid == 0 {
		return 0, errors.New("the container has no process")
	}
	return peakMemory(i.pid)
}

func (i *container) Logs(ctx context.Context) string {
	out, err := i.docker.logs(ctx, i.name)
	if err != nil {
		return ""
	}
	return out
}

// Stop removes the container, then its network and image.
func (i *container) Stop(ctx context.Context) error {
	i.swept.Wait()
	var failed []error
	remove := func(args ...string) {
		if _, err := i.docker.run(ctx, 20*time.Second, nil, args...); err != nil && !missing(err) {
			failed = append(failed, err)
		}
	}
	remove("rm", "--force", "--volumes", i.name)
	remove("network", "rm", i.name)
	remove("image", "rm", i.image)
	return errors.Join(failed...)
}

// sweep removes what runs left behind that were killed. It is best effort: the
// next run sweeps again.
func (i *container) sweep(ctx context.Context) {
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "--all", "--filter", "name=" + namePrefix, "--format", "{{.Names}}"}, []string{"rm", "--force", "--volumes"}},
		{[]string{"network", "ls", "--filter", "name=" + namePrefix, "--format", "{{.Name}}"}, []string{"network", "rm"}},
		{[]string{"image", "ls", "--filter", "reference=" + namePrefix + "*", "--format", "{{.Repository}}"}, []string{"image", "rm"}},
	} {
		out, err := i.docker.run(ctx, 10*time.Second, nil, kind.list...)
		if err != nil {
			return
		}
		for _, name := range strings.Fields(out) {
			if expired(name, time.Now()) {
				_, _ = i.docker.run(ctx, 10*time.Second, nil, append(kind.remove, name)...)
			}
		}
	}
}

// expired reports whether name is one of ours whose time is over.
func expired(name string, now time.Time) bool {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return false
	}
	until, _, ok := strings.Cut(rest, "-")
	at, err := strconv.ParseInt(until, 10, 64)
	return ok && err == nil && now.Unix() > at
}
