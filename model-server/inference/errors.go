package inference

import "fmt"

// Kind says in which way a request is wrong. Protocols map it to their codes.
type Kind int

const (
	Invalid  Kind = iota // it cannot be answered as it is
	TooLarge             // fewer rows at a time could be answered
)

// RequestError says what is wrong with a request. Its text is for the caller.
type RequestError struct {
	Kind    Kind
	Message string
}

func (e *RequestError) Error() string { return e.Message }

func refuse(format string, args ...any) error {
	return &RequestError{Invalid, fmt.Sprintf(format, args...)}
}

// ModelError says that the model failed on a request that was in order. Its
// text is for whoever serves the model; a caller is told Public.
type ModelError struct {
	Err    error
	Logged bool // there is a log, and it says why
}

func (e *ModelError) Error() string { return e.Err.Error() }
func (e *ModelError) Unwrap() error { return e.Err }

// Public is what a caller may know.
func (e *ModelError) Public() string {
	if e.Logged {
		return "the model failed on this request; the server's log says why"
	}
	return "the model failed on this request"
}

// panicError is a bug that a request found.
type panicError struct {
	value any // may quote data
	stack string
}

func (e *panicError) Error() string { return "the engine panicked" }
