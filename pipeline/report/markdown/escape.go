package markdown

import (
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// zwsp is a zero-width space as an entity. GitHub looks for mentions,
// references and addresses in the rendered text, where a backslash or an
// entity for the character itself is gone again; what breaks them is
// something between the sign and the word (Renovate writes "@&#8203;name" for
// the same reason: lib/util/markdown.ts).
const zwsp = "&#8203;"

// prose writes s, a sentence that may hold text from outside, so that it reads
// as itself and does nothing. What Markdown, HTML or GitHub's mathematics give
// a meaning is written as a numeric entity, which CommonMark never reads as
// structure (section 2.5); mentions, references and addresses are broken up.
func prose(b *strings.Builder, s string) {
	start := true // only digits so far: "1." would begin a list
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case alphanumeric(c) || c >= 0x80 || c == ' ' && i > 0:
			b.WriteByte(c)
		case breaksUp(s, i):
			entity(b, c)
			b.WriteString(zwsp)
		case start, !harmless(s, i):
			entity(b, c)
		default:
			b.WriteByte(c)
		}
		start = start && c >= '0' && c <= '9'
	}
}

// breaksUp reports the characters after which a word would make a mention, a
// reference or an address.
func breaksUp(s string, i int) bool {
	switch s[i] {
	case '@', '#':
		return true
	case ':':
		return i+1 < len(s) && s[i+1] == '/'
	case '.':
		return i >= 3 && strings.EqualFold(s[i-3:i], "www")
	case '-':
		return i >= 2 && strings.EqualFold(s[i-2:i], "gh")
	}
	return false
}

// harmless reports the punctuation that has no meaning inside a line. An
// underscore between two letters or digits opens and closes no emphasis
// (CommonMark, section 6.2).
func harmless(s string, i int) bool {
	switch s[i] {
	case '_':
		return i > 0 && i+1 < len(s) && alphanumeric(s[i-1]) && alphanumeric(s[i+1])
	case ',', ';', '.', '-', '%', '(', ')', '=', '/', '\'', '"', '?', '!', '+', '^', ':':
		return true
	}
	return false
}

// code writes text from outside as code, where GitHub looks for no mentions,
// references and addresses. What a code span or a cell could end at is written
// in a <code> element instead, as entities; "<" too, so that a comment of HTML,
// by which a forge finds its own comments, cannot be forged.
func code(b *strings.Builder, s string) {
	switch {
	case strings.TrimSpace(s) == "":
		b.WriteString("–")
	case !strings.ContainsAny(s, "`|<"):
		b.WriteString("`" + s + "`")
	default:
		b.WriteString("<code>")
		for i := 0; i < len(s); i++ {
			if c := s[i]; c == ' ' || c >= 0x80 || alphanumeric(c) {
				b.WriteByte(c)
			} else {
				entity(b, c)
			}
			if breaksUp(s, i) {
				b.WriteString(zwsp)
			}
		}
		b.WriteString("</code>")
	}
}

// name writes a name. Its closed alphabet has nothing that ends a code span or
// a cell.
func name(b *strings.Builder, n report.Name) {
	b.WriteByte('`')
	b.WriteString(string(n))
	b.WriteByte('`')
}

func entity(b *strings.Builder, c byte) {
	b.WriteString("&#")
	if c >= 100 {
		b.WriteByte('0' + c/100)
	}
	b.WriteByte('0' + c/10%10)
	b.WriteByte('0' + c%10)
	b.WriteByte(';')
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
