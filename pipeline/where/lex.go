package where

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is what is wrong with an expression, and where.
type Error struct {
	Column  int // 1-based, in characters
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

type kind int

const (
	end kind = iota
	name
	number
	text
	compare // = == != < <= > >=
	open
	closing
	comma
	keyword // and or not in
)

type token struct {
	kind   kind
	text   string // of a name or a text: its value; else as written
	number float64
	column int
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case text:
		return "the text '" + t.text + "'"
	case name:
		return fmt.Sprintf("the name %q", t.text)
	case number:
		return "the number " + t.text
	}
	return fmt.Sprintf("%q", t.text)
}

// lex splits an expression into tokens, the last of kind end.
func lex(input string) ([]token, error) {
	l := &lexer{input: input, column: 1}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, t)
		if t.kind == end {
			return l.tokens, nil
		}
	}
}

type lexer struct {
	input  string
	pos    int // in bytes
	column int // of pos, in characters from 1
	tokens []token
}

func (l *lexer) peek() rune {
	r, _ := utf8.DecodeRuneInString(l.input[l.pos:])
	return r
}

func (l *lexer) advance() {
	_, size := utf8.DecodeRuneInString(l.input[l.pos:])
	l.pos += size
	l.column++
}

func (l *lexer) done() bool { return l.pos >= len(l.input) }

func (l *lexer) next() (token, error) {
	for !l.done() && unicode.IsSpace(l.peek()) {
		l.advance()
	}
	t := token{column: l.column}
	if l.done() {
		return t, nil
	}
	start := l.pos
	switch r := l.peek(); {
	case r == '(' || r == ')' || r == ',':
		l.advance()
		t.kind = map[rune]kind{'(': open, ')': closing, ',': comma}[r]
	case strings.ContainsRune("=!<>&|", r):
		for !l.done() && strings.ContainsRune("=!<>&|", l.peek()) {
			l.advance()
		}
		t.kind = compare
		switch op := l.input[start:l.pos]; op {
		case "=", "==", "!=", "<", "<=", ">", ">=":
		default:
			return t, &Error{t.column, fmt.Sprintf("%q is no comparison; %s", op, operatorHint(op))}
		}
	case r == '\'' || r == '"' || r == '`':
		value, err := l.quoted(r)
		if err != nil {
			return t, err
		}
		t.text, t.kind = value, text
		if r == '`' {
			t.kind = name
			if value == "" {
				return t, &Error{t.column, "the name of the column is empty"}
			}
		}
		return t, nil
	case r >= '0' && r <= '9', r == '-', r == '+', r == '.':
		return l.number()
	case unicode.IsLetter(r) || r == '_':
		for !l.done() && (unicode.IsLetter(l.peek()) || unicode.IsDigit(l.peek()) || l.peek() == '_' || l.peek() == '.') {
			l.advance()
		}
		t.text, t.kind = l.input[start:l.pos], name
		switch lower := strings.ToLower(t.text); lower {
		case "and", "or", "not", "in":
			t.text, t.kind = lower, keyword
		}
		return t, nil
	default:
		return t, &Error{t.column, fmt.Sprintf("%q has no meaning here; write a column with such a character in backquotes, a text in quotes", r)}
	}
	t.text = l.input[start:l.pos]
	return t, nil
}

func operatorHint(op string) string {
	switch op {
	case "<>", "!", "!==", "=!":
		return `write !=`
	case "===":
		return `write =`
	case "=<":
		return `write <=`
	case "=>":
		return `write >=`
	case "&", "&&":
		return `write and`
	case "|", "||":
		return `write or`
	}
	return "there are = != < <= > >="
}

// quoted reads from an opening quote to its end; a doubled quote stands for
// one.
func (l *lexer) quoted(quote rune) (string, error) {
	column := l.column
	l.advance()
	var b strings.Builder
	for !l.done() {
		r, at := l.peek(), l.pos
		l.advance()
		if r == quote {
			if l.done() || l.peek() != quote {
				return b.String(), nil
			}
			l.advance()
		}
		b.WriteString(l.input[at : at+utf8.RuneLen(r)])
	}
	return "", &Error{column, fmt.Sprintf("the quote %c is never closed", quote)}
}

// number reads a decimal number: sign, digits, point, exponent.
func (l *lexer) number() (token, error) {
	t := token{kind: number, column: l.column}
	start := l.pos
	for !l.done() {
		r := l.peek()
		sign := (r == '-' || r == '+') && (l.pos == start || strings.ContainsRune("eE", rune(l.input[l.pos-1])))
		if !sign && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			break
		}
		l.advance()
	}
	t.text = l.input[start:l.pos]
	v, err := strconv.ParseFloat(t.text, 64)
	if err != nil || !decimal(t.text) {
		return t, &Error{t.column, fmt.Sprintf("%q is no finite decimal number; put a text in quotes, a column in backquotes", t.text)}
	}
	t.number = v
	return t, nil
}

// decimal keeps out the forms that only Go reads: 0x1p-2, 1_000, inf, nan.
func decimal(s string) bool {
	return strings.Trim(s, "0123456789+-.eE") == ""
}
