package smoke

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"
)

// Kind says what is tested.
type Kind string

const (
	KindContainer Kind = "container" // the image, in Docker
	KindProcess   Kind = "process"   // the server, as a child process
	KindAddress   Kind = "address"   // a server that ran already
)

// Target starts what is tested.
type Target interface {
	Start(ctx context.Context) (Instance, error)
}

// Instance is a server that was started, or was there. Its methods are called
// from one goroutine.
type Instance interface {
	Kind() Kind
	// URL is where it answers, without a slash at the end.
	URL() string
	// Owned reports whether this package started it, so that it may be loaded
	// and ended.
	Owned() bool
	// Started is when its process began; zero where that is unknown.
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
	// Logs is the end of what it wrote.
	Logs(ctx context.Context) string
	// Close ends it and removes every trace; ctx bounds how long that takes.
	Close(ctx context.Context) error
}

// Address is a Target that runs already, such as a deployed endpoint.
type Address string

// Start checks the address; nothing is started.
func (a Address) Start(context.Context) (Instance, error) { return address{string(a)}, nil }

type address struct{ url string }

var errNotOwned = errors.New("the server was not started by this test")

func (a address) Kind() Kind                                { return KindAddress }
func (a address) URL() string                               { return a.url }
func (a address) Owned() bool                               { return false }
func (a address) Started() time.Time                        { return time.Time{} }
func (a address) Exited(context.Context) (int, bool, error) { return 0, false, nil }
func (a address) Terminate(context.Context) error           { return errNotOwned }
func (a address) Wait(context.Context) (int, error)         { return 0, errNotOwned }
func (a address) Memory(context.Context) (int64, error)     { return 0, errNotOwned }
func (a address) Logs(context.Context) string               { return "" }
func (a address) Close(context.Context) error               { return nil }

// mayBeLoaded reports whether more than single requests may be sent: to what
// was started here, and to this machine.
func mayBeLoaded(i Instance) bool {
	if i.Owned() {
		return true
	}
	u, err := url.Parse(i.URL())
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}
