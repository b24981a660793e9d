package fault

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Code is a documented fault: what a user can look up, and act on.
type Code struct {
	ID     string // E and four digits; never used again for something else
	Area   Area
	Title  string // what is wrong, in one line without a full stop
	Cause  string // how it comes about, and what the message names
	WayOut string // what to do
}

// Area is what a code is about. The first two digits of an ID tell the area.
type Area struct {
	Digits string // the first two of its codes
	Name   string
}

// The areas, in the order of their codes.
var (
	CommandLine = Area{"00", "Command line"}
	Config      = Area{"01", "Config"}
	Data        = Area{"02", "Data"}
	Training    = Area{"03", "Training"}
	Model       = Area{"04", "Model and bundle"}
	Git         = Area{"05", "Git"}
	Promotion   = Area{"06", "Promotion"}
	Docker      = Area{"07", "Image and Docker"}
	GitHub      = Area{"08", "GitHub"}
	Service     = Area{"09", "Registry, endpoint and other services"}
	Machine     = Area{"10", "This machine"}
)

// list holds all codes, in the order of their declaration.
var list []*Code

// declare adds a code to the list.
func declare(id string, area Area, title, cause, wayOut string) *Code {
	c := &Code{ID: id, Area: area, Title: title, Cause: cause, WayOut: wayOut}
	list = append(list, c)
	return c
}

// Codes returns all codes, by ID.
func Codes() []*Code {
	return slices.SortedFunc(slices.Values(list), func(a, b *Code) int { return cmp.Compare(a.ID, b.ID) })
}

// Find returns the code with that ID, in either case.
func Find(id string) (*Code, bool) {
	for _, c := range list {
		if strings.EqualFold(c.ID, id) {
			return c, true
		}
	}
	return nil, false
}

// Usage marks err as this fault, of bad usage, config or data: exit code 2.
func (c *Code) Usage(err error) error { return wrap(CodeUsage, c, err) }

// Failed marks err as this fault, of the change's own: exit code 1.
func (c *Code) Failed(err error) error { return wrap(CodeFailed, c, err) }

// Environment marks err as this fault, of what surrounds the run: exit code 4.
func (c *Code) Environment(err error) error { return wrap(CodeEnvironment, c, err) }

// CodeOf returns the code of err: that of the outermost mark that has one. It
// is nil where there is none.
func CodeOf(err error) *Code {
	for err != nil {
		var f *fault
		if !errors.As(err, &f) {
			return nil
		}
		if f.code != nil {
			return f.code
		}
		err = f.err
	}
	return nil
}

// Message is what a person reads of err: its text, and its code at the end.
func Message(err error) string {
	text := strings.TrimRight(err.Error(), "\n")
	if c := CodeOf(err); c != nil {
		return fmt.Sprintf("%s (%s)", text, c.ID)
	}
	return text
}

// located is an error of which it is known where it is.
type located struct {
	where string
	err   error
}

func (l *located) Error() string { return l.err.Error() }
func (l *located) Unwrap() error { return l.err }
func (l *located) Where() string { return l.where }

// At says where err is, such as "data/eval.csv:7". The text of err names the
// place by itself; this is for those who read Description.
func At(where string, err error) error {
	if err == nil {
		return nil
	}
	return &located{where: where, err: err}
}

// Description is an error as --json prints it.
type Description struct {
	Code    string `json:"code"`    // empty: a fault without a page
	Message string `json:"message"` // as a person reads it, without the code
	Where   string `json:"where"`   // file:line:column, as far as it is known
	Next    string `json:"next"`    // the way out
}

// Describe returns what is known of err.
func Describe(err error) Description {
	d := Description{Message: strings.TrimRight(err.Error(), "\n")}
	if c := CodeOf(err); c != nil {
		d.Code, d.Next = c.ID, c.WayOut
	}
	var where interface{ Where() string }
	if errors.As(err, &where) {
		d.Where = where.Where()
	}
	return d
}
