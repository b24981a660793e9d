package serving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// Client calls one server in its protocol. It is safe for concurrent use.
type Client interface {
	// URL is where the server is.
	URL() string
	// Ready returns nil where the server says that it is ready.
	Ready(ctx context.Context) error
	// Describe returns what the server says about a model.
	Describe(ctx context.Context, model string) (Description, error)
	// Infer asks a model and returns its outputs in the server's order.
	Infer(ctx context.Context, model string, inputs []tensor.Tensor) ([]tensor.Tensor, error)
	// Prepare writes a request once, to be sent many times or in two halves.
	Prepare(model string, inputs []tensor.Tensor) (Call, error)
	// BadInputs spoils a good request in every way that the protocol knows;
	// large adds a request that is too large for any server.
	BadInputs(model string, good []tensor.Tensor, large bool) ([]BadInput, error)
	// Close closes idle connections; the client can be used again.
	Close()
}

// Description is what a server says about a model.
type Description struct {
	Name      string
	Signature bundle.Signature
	Bundle    string // digest of the bundle that it serves; "" where it does not say
}

// Call is a request that is written.
type Call interface {
	// Send sends it and reads the answer, without looking into it: an answer
	// that is no success is an error.
	Send(ctx context.Context) error
	// Begin sends its first half over a connection of its own, and returns when
	// the server has taken it up.
	Begin(ctx context.Context) (Half, error)
}

// Half is a request in flight whose second half is not sent.
type Half interface {
	// Finish sends the rest and reads the answer.
	Finish() ([]tensor.Tensor, error)
	Close() error
}

// BadInput is a request that no server may answer with success.
type BadInput struct {
	Name string
	// Send sends it. Nil means that it was refused as the protocol wants it;
	// an error says what is wrong with the answer.
	Send func(ctx context.Context) error
}

// Protocol names how callers and servers speak with each other.
type Protocol string

// V2 is the Open Inference Protocol over JSON.
const V2 Protocol = "v2"

// protocols are the adapters. A new one is a file and a row.
var protocols = map[Protocol]func(url string) Client{
	V2: func(url string) Client { return newV2(url) },
}

// Dial returns a client of the server at url. No connection is made.
func Dial(url string, p Protocol) (Client, error) {
	if p == "" {
		p = V2
	}
	dial, ok := protocols[p]
	if !ok {
		return nil, fault.Usage(fmt.Errorf("the protocol %q is none of %v", p, slices.Sorted(maps.Keys(protocols))))
	}
	return dial(strings.TrimRight(url, "/")), nil
}

// Connect returns a client of a server. Where a server fails on a request and
// its log can be read here, the error says what the log says.
func Connect(s Server) (Client, error) {
	c, err := Dial(s.URL(), s.Protocol())
	if err != nil {
		return nil, err
	}
	return explaining{c, s}, nil
}

// StatusError is an answer that is no success.
type StatusError struct {
	URL     string
	Status  int    // of HTTP
	Message string // what the server says, shortened
	Reason  string // what its log says, where that can be read
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d: %s", e.URL, e.Status, e.said())
}

// Answer is what came, without the address.
func (e *StatusError) Answer() string { return fmt.Sprintf("%d %s", e.Status, e.said()) }

func (e *StatusError) said() string {
	if e.Reason == "" {
		return e.Message
	}
	return strings.TrimSuffix(e.Message, seeLog) + ": " + e.Reason
}

// seeLog is what this project's server tells callers, who may not know what
// its log holds.
const seeLog = "; the server's log says why"

// unreadableError is an answer of success that does not hold what it should.
type unreadableError struct {
	url  string
	what string // that it should be
	err  error
}

func (e *unreadableError) Error() string {
	return fmt.Sprintf("reading the answer of %s: it is no %s: %v", e.url, e.what, e.err)
}
func (e *unreadableError) Unwrap() error { return e.err }

var (
	ErrNoAnswer = errors.New("no answer in time")
	ErrClosed   = errors.New("the connection was closed without an answer")
	ErrRefused  = errors.New("nobody listens there")
)

// Plain says in words, without addresses that differ from run to run, what an
// exchange came to: for tests of a server, where all of its answers are about
// the same one.
func Plain(err error) error {
	var (
		timeout    net.Error
		status     *StatusError
		unreadable *unreadableError
	)
	switch {
	case errors.As(err, &status):
		return fmt.Errorf("the answer is %s", quote.Clean(status.Answer()))
	case errors.As(err, &unreadable):
		return fmt.Errorf("the answer is no %s: %s", unreadable.what, quote.Clean(unreadable.err.Error()))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrNoAnswer
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ErrClosed
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrRefused
	}
	return err
}

// statusKind marks an answer that is no success with who can mend it.
func statusKind(e *StatusError) error {
	switch e.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return fault.Environment(e)
	case http.StatusInternalServerError:
		return fault.ServerMisbehaves.Failed(e)
	}
	return fault.ServerMisbehaves.Usage(e)
}
