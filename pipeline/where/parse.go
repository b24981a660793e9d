package where

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of an expression.
const (
	MaxLength     = 4096 // bytes
	MaxDepth      = 50   // of parentheses and nots
	MaxConditions = 500  // comparisons and members of lists
)

// Expr is a parsed expression. It does not change and may be used by several
// goroutines.
type Expr struct {
	source  string
	root    node
	columns []string
}

// String returns the text that was parsed.
func (e *Expr) String() string { return e.source }

// Columns returns the names of the columns that the expression reads, each
// once, in the order of the text.
func (e *Expr) Columns() []string { return slices.Clone(e.columns) }

type node any

type (
	both    struct{ left, right node } // and
	either  struct{ left, right node } // or
	negated struct{ of node }
	// condition compares one column with literals: with one by op, or with
	// several by equality to any of them.
	condition struct {
		column string
		op     string // = != < <= > >=; "=" for a list
		values []literal
	}
)

type literal struct {
	text    string
	number  float64
	numeric bool
}

// Parse reads an expression. An error is of type *Error.
func Parse(source string) (*Expr, error) {
	if len(source) > MaxLength {
		return nil, &Error{MaxLength + 1, fmt.Sprintf("the expression is longer than %d bytes; split the slice or add a column to the data", MaxLength)}
	}
	if !utf8.ValidString(source) {
		return nil, &Error{1, "the expression is not valid UTF-8"}
	}
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	if p.here().kind == end {
		return nil, &Error{1, "the expression is empty; write a condition such as distance > 1500"}
	}
	root, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if t := p.here(); t.kind != end {
		return nil, &Error{t.column, fmt.Sprintf("%s follows a complete expression; %s", t, joinHint(t))}
	}
	return &Expr{source: source, root: root, columns: p.columns}, nil
}

func joinHint(t token) string {
	switch t.kind {
	case closing:
		return "this parenthesis was never opened"
	case compare:
		return "compare one column with one value and join comparisons by and: 5 < x < 9 is x > 5 and x < 9"
	}
	return "join conditions by and or or"
}

type parser struct {
	tokens     []token
	pos        int
	conditions int
	columns    []string
}

func (p *parser) here() token { return p.tokens[p.pos] }

func (p *parser) take() token {
	t := p.tokens[p.pos]
	if t.kind != end {
		p.pos++
	}
	return t
}

func (p *parser) accept(k kind, text string) bool {
	if t := p.here(); t.kind == k && t.text == text {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expression(depth int) (node, error) {
	left, err := p.term(depth)
	for err == nil && p.accept(keyword, "or") {
		var right node
		right, err = p.term(depth)
		left = either{left, right}
	}
	return left, err
}

func (p *parser) term(depth int) (node, error) {
	left, err := p.factor(depth)
	for err == nil && p.accept(keyword, "and") {
		var right node
		right, err = p.factor(depth)
		left = both{left, right}
	}
	return left, err
}

func (p *parser) factor(depth int) (node, error) {
	t := p.here()
	if depth >= MaxDepth {
		return nil, &Error{t.column, fmt.Sprintf("more than %d parentheses and nots inside each other", MaxDepth)}
	}
	switch {
	case p.accept(keyword, "not"):
		of, err := p.factor(depth + 1)
		return negated{of}, err
	case t.kind == open:
		p.take()
		inner, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		if next := p.take(); next.kind != closing {
			return nil, &Error{next.column, fmt.Sprintf("a closing parenthesis is missing before %s (opened at column %d)", next, t.column)}
		}
		return inner, nil
	}
	return p.condition()
}

func (p *parser) condition() (node, error) {
	t := p.take()
	if t.kind != name {
		return nil, &Error{t.column, fmt.Sprintf("a column is expected, not %s%s", t, p.columnHint(t))}
	}
	c := condition{column: t.text, op: "="}
	next := p.take()
	switch {
	case next.kind == compare:
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		c.values = []literal{value}
		if next.text != "==" {
			c.op = next.text
		}
		return p.counted(t, c)
	case next.kind == keyword && next.text == "in":
		return p.list(t, c)
	case next.kind == keyword && next.text == "not" && p.accept(keyword, "in"):
		in, err := p.list(t, c)
		return negated{in}, err
	case next.kind == open:
		return nil, &Error{t.column, fmt.Sprintf("%s( looks like a call; there are no calls, add a column to the data instead", t.text)}
	}
	message := fmt.Sprintf("a comparison such as = or in is expected after %q, not %s", t.text, next)
	switch {
	case next.kind == name && strings.EqualFold(next.text, "is"):
		message += "; write = '' for an empty cell"
	case next.kind == name && strings.EqualFold(next.text, "like"), next.kind == name && strings.EqualFold(next.text, "between"):
		message += "; write comparisons joined by and"
	case next.kind == name:
		message += fmt.Sprintf("; a column whose name has a space is written in backquotes: `%s %s`", t.text, next.text)
	}
	return nil, &Error{next.column, message}
}

func (p *parser) columnHint(t token) string {
	if (t.kind == number || t.kind == text) && p.here().kind == compare {
		return "; write the column first, as in distance > 1500; a column's name takes no quotes, or backquotes"
	}
	return ""
}

func (p *parser) list(t token, c condition) (node, error) {
	if next := p.take(); next.kind != open {
		return nil, &Error{next.column, fmt.Sprintf("a list in parentheses is expected after in, not %s", next)}
	}
	for {
		value, err := p.literal()
		if err != nil {
			return nil, err
		}
		c.values = append(c.values, value)
		switch next := p.take(); next.kind {
		case comma:
		case closing:
			return p.counted(t, c)
		default:
			return nil, &Error{next.column, fmt.Sprintf("a comma or a closing parenthesis is expected in the list, not %s", next)}
		}
	}
}

func (p *parser) literal() (literal, error) {
	switch t := p.take(); t.kind {
	case number:
		return literal{text: t.text, number: t.number, numeric: true}, nil
	case text:
		return literal{text: t.text}, nil
	case name:
		return literal{}, &Error{t.column, fmt.Sprintf("a number or a text is expected, not %s; a text stands in quotes: '%s'", t, t.text)}
	default:
		return literal{}, &Error{t.column, fmt.Sprintf("a number or a text is expected, not %s", t)}
	}
}

// counted takes a condition into the books of the expression.
func (p *parser) counted(t token, c condition) (node, error) {
	p.conditions += len(c.values)
	if p.conditions > MaxConditions {
		return nil, &Error{t.column, "more than " + strconv.Itoa(MaxConditions) + " values are compared; add a column to the data"}
	}
	if !slices.Contains(p.columns, c.column) {
		p.columns = append(p.columns, c.column)
	}
	return c, nil
}
