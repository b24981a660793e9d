package v2

import (
	"unicode/utf16"
	"unicode/utf8"
)

// parser reads JSON (RFC 8259) from a body that is whole in memory.
type parser struct {
	b        []byte
	i        int
	limits   Limits
	elements int    // that tensors have claimed so far
	lo, hi   uint64 // largest magnitudes, below and above zero, of the integers that are read
	scratch  []byte // of a string with escapes
}

func (p *parser) syntax(format string, args ...any) *Error {
	e := invalid(format, args...)
	e.Message = invalid("the body is not valid JSON: byte %d: %s", p.i, e.Message).Message
	return e
}

// next skips white space and returns the byte that follows, 0 at the end.
func (p *parser) next() byte {
	if p.i < len(p.b) && p.b[p.i] > ' ' {
		return p.b[p.i]
	}
	return p.space()
}

func (p *parser) space() byte {
	for p.i < len(p.b) {
		switch c := p.b[p.i]; c {
		case ' ', '\n', '\t', '\r':
			p.i++
		default:
			return c
		}
	}
	return 0
}

// found describes the next few bytes for a message.
func (p *parser) found() string {
	if p.i >= len(p.b) {
		return "the end"
	}
	return quote(p.b[p.i:])
}

const quoted = 24

// quote shows at most a few characters of outside text, on one line.
func quote(b []byte) string {
	if len(b) > quoted {
		b = b[:quoted]
		for len(b) > 0 && !utf8.Valid(b) {
			b = b[:len(b)-1]
		}
		return quoteASCII(b) + "..."
	}
	return quoteASCII(b)
}

// enter passes over the opening byte of an object or array and reports
// whether there is a first member, standing at it:
//
//	for more, err := p.enter('[', what); ; more, err = p.follow(']', what) {
//		if err != nil || !more {
//			return err
//		}
//		...
//	}
func (p *parser) enter(open byte, what string) (bool, error) {
	if p.next() != open || p.i >= len(p.b) {
		return false, p.syntax("expected %q at the start of %s, found %s", open, what, p.found())
	}
	p.i++
	if p.next() == open+2 { // ']' is '[' + 2, and so it is with braces
		p.i++
		return false, nil
	}
	return true, nil
}

// follow passes over what stands behind a member and reports whether there is
// another one, standing at it.
func (p *parser) follow(end byte, what string) (bool, error) {
	switch p.next() {
	case ',':
		p.i++
		p.next()
		return true, nil
	case end:
		p.i++
		return false, nil
	}
	return false, p.syntax("expected ',' or %q in %s, found %s", end, what, p.found())
}

// key reads a key and its colon and stands at the value. The key is valid
// until the parser moves on.
func (p *parser) key(what string) ([]byte, error) {
	if p.next() != '"' {
		return nil, p.syntax("expected a key in %s, found %s", what, p.found())
	}
	key, err := p.text()
	if err != nil {
		return nil, err
	}
	if p.next() != ':' {
		return nil, p.syntax("expected ':' after a key, found %s", p.found())
	}
	p.i++
	p.next()
	return key, nil
}

// text reads a string and returns its bytes, valid until the next call: a part
// of the body, or scratch where there are escapes.
func (p *parser) text() ([]byte, error) {
	if p.next() != '"' {
		return nil, p.syntax("expected a string, found %s", p.found())
	}
	start := p.i + 1
	ascii := byte(0)
	for i := start; i < len(p.b); i++ {
		switch c := p.b[i]; {
		case c == '"':
			p.i = i + 1
			if ascii >= utf8.RuneSelf && !utf8.Valid(p.b[start:i]) {
				p.i = start
				return nil, p.syntax("a string is not valid UTF-8")
			}
			return p.b[start:i], nil
		case c == '\\':
			return p.escaped(start, i)
		case c < ' ':
			p.i = i
			return nil, p.syntax("a control character in a string; write it as \\u%04x", c)
		default:
			ascii |= c
		}
	}
	p.i = len(p.b)
	return nil, p.syntax("a string does not end")
}

// escaped goes on with a string whose first backslash is at i.
func (p *parser) escaped(start, i int) ([]byte, error) {
	out := append(p.scratch[:0], p.b[start:i]...)
	for i < len(p.b) {
		c := p.b[i]
		i++
		switch {
		case c == '"':
			p.i, p.scratch = i, out
			if !utf8.Valid(out) {
				p.i = start
				return nil, p.syntax("a string is not valid UTF-8")
			}
			return out, nil
		case c < ' ':
			p.i = i - 1
			return nil, p.syntax("a control character in a string; write it as \\u%04x", c)
		case c != '\\':
			out = append(out, c)
			continue
		}
		if i >= len(p.b) {
			break
		}
		c = p.b[i]
		i++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(p.b[i:])
			i += 4
			if ok && utf16.IsSurrogate(r) {
				// A pair of surrogates is one character, half of one is none.
				var low rune
				if low, ok = 0, false; i+6 <= len(p.b) && p.b[i] == '\\' && p.b[i+1] == 'u' {
					low, ok = hex4(p.b[i+2:])
					r = utf16.DecodeRune(r, low)
					ok = ok && r != utf8.RuneError
					i += 6
				}
			}
			if !ok {
				p.i = start
				return nil, p.syntax("a string has a \\u escape that is no character")
			}
			out = utf8.AppendRune(out, r)
		default:
			p.i = i - 1
			return nil, p.syntax("a string has the unknown escape \\%s", quote(p.b[i-1:i]))
		}
	}
	p.i = len(p.b)
	return nil, p.syntax("a string does not end")
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			r |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			r |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

// word reads a run of letters, such as true.
func (p *parser) word() []byte {
	start := p.i
	for p.i < len(p.b) && (p.b[p.i]|0x20 >= 'a' && p.b[p.i]|0x20 <= 'z') {
		p.i++
	}
	return p.b[start:p.i]
}

// skip passes over one value of any kind.
func (p *parser) skip(depth int) error {
	if depth > p.limits.Depth {
		return invalid("the body is nested more than %d levels deep", p.limits.Depth)
	}
	switch c := p.next(); {
	case c == '{':
		for more, err := p.enter('{', "an object"); ; more, err = p.follow('}', "an object") {
			if err != nil || !more {
				return err
			}
			if _, err := p.key("an object"); err != nil {
				return err
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	case c == '[':
		for more, err := p.enter('[', "an array"); ; more, err = p.follow(']', "an array") {
			if err != nil || !more {
				return err
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	case c == '"':
		_, err := p.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := p.number()
		return err
	default:
		start := p.i
		switch string(p.word()) {
		case "true", "false", "null", "NaN", "Infinity":
			return nil
		}
		p.i = start
		return p.syntax("expected a value, found %s", p.found())
	}
}

// number is a JSON number: the literal and, where small enough, its parts. The
// value is ±mantissa·10^exponent.
type number struct {
	literal  []byte
	mantissa uint64
	exponent int
	negative bool
	exact    bool // mantissa and exponent hold all of it
	integer  bool // no fraction and no exponent
	infinite bool // the word -Infinity
}

// number reads a number, standing at its first byte.
func (p *parser) number() (number, error) {
	n := number{exact: true, integer: true}
	b, i := p.b, p.i
	start := i
	if i < len(b) && b[i] == '-' {
		n.negative = true
		i++
		if i < len(b) && b[i] == 'I' {
			p.i = i
			if string(p.word()) == "Infinity" {
				n.infinite = true
				return n, nil
			}
		}
	}
	digits := 0
	first := i
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n.mantissa = n.mantissa*10 + uint64(b[i]-'0')
		digits++
	}
	if digits == 0 || digits > 1 && b[first] == '0' {
		p.i = start
		return n, p.syntax("expected a number, found %s", p.found())
	}
	if i < len(b) && b[i] == '.' {
		i++
		n.integer = false
		point := i
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			n.mantissa = n.mantissa*10 + uint64(b[i]-'0')
			digits++
		}
		n.exponent = point - i
		if i == point {
			p.i = start
			return n, p.syntax("a number needs a digit after its point, found %s", p.found())
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		n.integer = false
		sign := 1
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			if b[i] == '-' {
				sign = -1
			}
			i++
		}
		exponent, at := 0, i
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			if exponent < 100_000 {
				exponent = exponent*10 + int(b[i]-'0')
			}
		}
		if i == at {
			p.i = start
			return n, p.syntax("a number needs a digit in its exponent, found %s", p.found())
		}
		n.exponent += sign * exponent
	}
	n.exact = digits <= 19 // 19 nines fit a uint64
	n.literal = b[start:i]
	p.i = i
	return n, nil
}
