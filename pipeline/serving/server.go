package serving

import (
	"context"
	"time"
)

// Kind says what runs a server.
type Kind string

const (
	KindContainer Kind = "container" // an image, in Docker
	KindProcess   Kind = "process"   // a child process
	KindLocal     Kind = "local"     // this process
	KindAddress   Kind = "address"   // something else: it ran already
)

// Target starts a server.
type Target interface {
	Start(ctx context.Context) (Server, error)
}

// Server is a server that was started, or was there. Its methods are called
// from one goroutine.
type Server interface {
	Kind() Kind
	// Why says why it is of this kind, "" where nobody had to choose.
	Why() string
	// URL is where it answers, without a slash at the end.
	URL() string
	// Protocol is what it speaks.
	Protocol() Protocol
	// Lifecycle is that of its process; nil where it has none of its own, or
	// somebody else's.
	Lifecycle() Lifecycle
	// Logs is the end of what it wrote, "" where that cannot be read.
	Logs(ctx context.Context) string
	// Stop ends it if it was started here and removes every trace; ctx bounds
	// how long that takes.
	Stop(ctx context.Context) error
}

// Lifecycle is what a server has that runs as a process of its own.
type Lifecycle interface {
	// Started is when its process began.
	Started() time.Time
	// Exited returns the exit code of a server that has ended, without waiting.
	Exited(ctx context.Context) (code int, ended bool, err error)
	// Terminate sends SIGTERM.
	Terminate(ctx context.Context) error
	// Wait waits until it has ended and returns its exit code; a signal's is
	// 128 and its number.
	Wait(ctx context.Context) (code int, err error)
	// Memory is the most that it has held, in bytes.
	Memory(ctx context.Context) (int64, error)
}

// Address is a Target that runs already, such as a deployed endpoint.
type Address struct {
	URL      string
	Protocol Protocol // empty: V2
}

// Start returns the server; nothing is started.
func (a Address) Start(context.Context) (Server, error) { return address{a}, nil }

type address struct{ of Address }

func (a address) Kind() Kind                  { return KindAddress }
func (a address) Why() string                 { return "it runs already" }
func (a address) URL() string                 { return a.of.URL }
func (a address) Protocol() Protocol          { return a.of.Protocol }
func (a address) Lifecycle() Lifecycle        { return nil }
func (a address) Logs(context.Context) string { return "" }
func (a address) Stop(context.Context) error  { return nil }

// stopBound is how long removing what was started may take, whatever ended it.
const stopBound = 30 * time.Second

// Stop ends a server within a bound of its own, also after the caller's
// context has ended.
func Stop(s Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopBound)
	defer cancel()
	return s.Stop(ctx)
}
