package engine

import "fmt"

// InputError says that a request is well formed and yet holds a value that the
// model does not take, such as a category that it was not trained on. Its text
// is for the caller and may quote the value. Any other error of an engine goes
// to the log, so it must not quote what a request holds.
type InputError struct{ What string }

func (e *InputError) Error() string { return e.What }

// InputErrorf returns an InputError.
func InputErrorf(format string, args ...any) error {
	return &InputError{What: fmt.Sprintf(format, args...)}
}
