package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timeouts of a connection. A body or an answer of the largest size takes
// seconds; a caller that takes minutes holds a place for nothing.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 60 * time.Second
	writeTimeout  = 120 * time.Second
	idleTimeout   = 120 * time.Second
	maxHeader     = 32 << 10
)

// newGrace is how long a connection without a first byte may hold up the end.
const newGrace = 50 * time.Millisecond

// newConnections are those on which nothing has come yet. Callers open them in
// reserve; http.Server.Shutdown waits five seconds for each.
type newConnections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func (n *newConnections) changed(c net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if state != http.StateNew {
		delete(n.open, c)
		return
	}
	if n.open == nil {
		n.open = map[net.Conn]struct{}{}
	}
	n.open[c] = struct{}{}
}

func (n *newConnections) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		_ = c.Close() // http.Server notices and counts it as closed
	}
}

// CutOffError says that requests were still in flight when the time to drain
// was over.
type CutOffError struct{ Requests int64 }

func (e *CutOffError) Error() string {
	return fmt.Sprintf("%d requests were cut off: they did not finish within the drain timeout", e.Requests)
}

// Serve answers on l until ctx ends, then drains: readiness turns false, for
// DrainDelay requests are still taken, then the listener closes and what is in
// flight has DrainTimeout to finish. It returns nil when all of it did, a
// *CutOffError when not. l is closed. A server serves once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var unused newConnections
	h := &http.Server{
		ConnState:         unused.changed,
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		s.model.SetReady(false)
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.model.SetReady(false)
	h.SetKeepAlivesEnabled(false) // callers come back on a new connection, elsewhere
	s.log.Info("draining", "in_flight", s.inFlight.Load())
	if s.options.DrainDelay > 0 {
		select {
		case <-time.After(s.options.DrainDelay):
		case err := <-failed:
			return fmt.Errorf("serving on %s: %w", l.Addr(), err)
		}
	}
	// ctx has ended; the time to drain is counted from here.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.DrainTimeout)
	defer cancel()
	silent := time.AfterFunc(newGrace, unused.close)
	defer silent.Stop()
	if err := h.Shutdown(bounded); err != nil {
		left := s.inFlight.Load()
		return errors.Join(&CutOffError{left}, h.Close())
	}
	s.log.Info("drained")
	return nil
}

// ListenError says that the address cannot be had.
type ListenError struct {
	Addr string
	Err  error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("listening on %s: %v; choose another address with --addr", e.Addr, e.Err)
}
func (e *ListenError) Unwrap() error { return e.Err }

// Run opens the model at path, listens on addr and serves until ctx ends. When
// it is ready it prints one line to stdout, which begins with "ready " and the
// URL: with port 0 in addr that is where a caller learns the port. A model that
// is still loading when ctx ends is given up, without an error.
func Run(ctx context.Context, path, addr string, o Options, stdout io.Writer) error {
	start := time.Now()
	s, err := Open(ctx, path, o)
	if err != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return nil // asked to end while it was loading
	}
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(&ListenError{addr, err}, s.Close())
	}
	what := s.what.Digest
	if what == "" {
		what = "none"
	}
	s.log.Info("ready", "model", s.what.Name, "engine", s.what.Engine, "bundle", what, "addr", l.Addr().String(), "ms", time.Since(start).Milliseconds())
	fmt.Fprintf(stdout, "ready http://%s model=%s engine=%s bundle=%s\n", l.Addr(), s.what.Name, s.what.Engine, what)
	err = s.Serve(ctx, l)
	if cut := (*CutOffError)(nil); errors.As(err, &cut) {
		return err // what was cut off may still be computing: the model is not taken from under it
	}
	return errors.Join(err, s.Close())
}

// Logger returns a log as JSON lines of the levels from level on: debug, info,
// warn or error.
func Logger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	switch level {
	case "debug":
		l = slog.LevelDebug
	case "info":
	case "warn":
		l = slog.LevelWarn
	case "error":
		l = slog.LevelError
	default:
		return nil, fmt.Errorf("the log level %q is none of debug, info, warn, error", level)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
}

// Exit codes of a program that serves: those of every command of dosirak.
const (
	ExitDrained     = 0 // asked to stop; everything in flight was answered
	ExitSelfTest    = 1 // the model does not give its golden answers
	ExitUsage       = 2 // bad flags, no model, a damaged one, one that is not served
	ExitEnvironment = 4 // no such address, or requests cut off while draining
)

// ExitCode returns the exit code for an error of Run.
func ExitCode(err error) int {
	var (
		selfTest *SelfTestError
		listen   *ListenError
		cut      *CutOffError
		network  *net.OpError
	)
	switch {
	case err == nil:
		return ExitDrained
	case errors.As(err, &selfTest):
		return ExitSelfTest
	case errors.As(err, &listen), errors.As(err, &cut), errors.As(err, &network):
		return ExitEnvironment
	}
	return ExitUsage
}
