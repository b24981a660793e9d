package engine

import (
	"fmt"
	"time"
)

// Budget is what a model may use: for loading it, and for each answer. A model
// comes from outside; a few bytes of it can ask for any amount of memory or
// time. Zeros stand for the defaults.
type Budget struct {
	Memory     int64 // bytes: of constants when loading, of values when answering
	Operations int64 // multiplications, elements, steps in trees
	Time       time.Duration
}

// DefaultBudget is for models that one chose to serve: room for the largest
// request to a network of some million weights, and an end before the server's
// own timeouts.
func DefaultBudget() Budget {
	return Budget{Memory: 2 << 30, Operations: 1 << 38, Time: 100 * time.Second}
}

// UntrustedBudget is for models of strangers that are judged, as a pull
// request from a fork brings them.
func UntrustedBudget() Budget {
	return Budget{Memory: 512 << 20, Operations: 1 << 34, Time: 20 * time.Second}
}

// WithDefaults returns b with every zero replaced by its default.
func (b Budget) WithDefaults() Budget {
	d := DefaultBudget()
	if b.Memory == 0 {
		b.Memory = d.Memory
	}
	if b.Operations == 0 {
		b.Operations = d.Operations
	}
	if b.Time == 0 {
		b.Time = d.Time
	}
	return b
}

// LimitError says that a model, or a request to it, needs more than its
// budget.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// LimitErrorf returns a LimitError.
func LimitErrorf(format string, args ...any) error {
	return &LimitError{What: fmt.Sprintf(format, args...)}
}
