package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line    int    // from 1
	Column  int    // from 1, in characters
	Path    string // such as metrics[1].direction; empty for the file as a whole
	Message string
	Code    *fault.Code // nil: fault.ConfigInvalid
}

func (p Problem) text(file string) string {
	if p.Path == "" {
		return fmt.Sprintf("%s:%d:%d: %s", file, p.Line, p.Column, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", file, p.Line, p.Column, p.Path, p.Message)
}

// Problems is all that is wrong with a file, sorted by position.
type Problems struct {
	File string
	List []Problem
}

// mostShown bounds the error text of a file that is wrong everywhere.
const mostShown = 100

// Error returns one line a problem: file:line:column: path: message.
func (p *Problems) Error() string {
	lines := make([]string, 0, len(p.List))
	for i, problem := range p.List {
		if i == mostShown {
			lines = append(lines, fmt.Sprintf("%s: and %d more problems", p.File, len(p.List)-mostShown))
			break
		}
		lines = append(lines, problem.text(p.File))
	}
	return strings.Join(lines, "\n")
}

// Where is the place of the first problem.
func (p *Problems) Where() string {
	if len(p.List) == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.List[0].Line, p.List[0].Column)
}

// code is the one that all problems share; problems of several kinds are a
// config that does not fit together.
func (p *Problems) code() *fault.Code {
	shared := p.List[0].Code
	for _, problem := range p.List {
		if problem.Code != shared {
			return fault.ConfigInvalid
		}
	}
	return cmp.Or(shared, fault.ConfigInvalid)
}

func sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(list, func(a, b Problem) bool { return a == b })
}

// quote quotes text from a file for a message, shortened.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
