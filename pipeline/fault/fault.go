// Package fault says what kind of failure an error is, so that the command
// line can end with the documented exit code without guessing from texts, and
// which documented fault it is, so that a person can look it up and a script
// can tell one from another.
//
// The kind is attached where it is known, at the place that failed; layers
// above only add context with %w. What a user can act on has a code of its
// own too: fault.Usage(err) becomes fault.ConfigAbsent.Usage(err). The list of
// codes is in the files codes_*.go, docs/errors.md is made from it, and a code
// never changes its meaning: one that nobody needs any more is retired.
//
// The package is a leaf: standard library only.
package fault

import (
	"context"
	"errors"
)

// Exit codes of every command.
const (
	CodeFailed      = 1   // FAIL, or a command of the user's that fails: the change does not train
	CodeUsage       = 2   // bad usage, config or data
	CodeEnvironment = 4   // network, Docker, a service: trying again may help
	CodeInterrupted = 130 // Ctrl-C
)

type fault struct {
	exit int
	code *Code // nil: a fault without a page
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// Usage marks err as bad usage, config or data: exit code 2.
func Usage(err error) error { return wrap(CodeUsage, nil, err) }

// Failed marks err as the change's own failure: exit code 1.
func Failed(err error) error { return wrap(CodeFailed, nil, err) }

// Environment marks err as a failure of what surrounds the run: exit code 4.
func Environment(err error) error { return wrap(CodeEnvironment, nil, err) }

func wrap(exit int, code *Code, err error) error {
	if err == nil {
		return nil
	}
	return &fault{exit: exit, code: code, err: err}
}

// ExitCode returns the exit code of err: 0 for nil, 130 when the run was
// interrupted, the code of the outermost mark otherwise. An unmarked error is
// a usage error, the kind that asks for a human.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		return CodeInterrupted
	}
	var f *fault
	if errors.As(err, &f) {
		return f.exit
	}
	return CodeUsage
}
