package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Text is text from outside: at most 128 runes in normal form C, without
// control, format and bidirectional characters. It says nothing about what it
// would do in HTML, Markdown or a shell: each rendering escapes it.
type Text string

// Prose is a sentence or two, by the same rule as Text, with at most 600 runes.
// It may quote text from outside and is escaped like Text.
type Prose string

// Name is the name of a model, a metric, a run: ASCII letters, digits and
// "._-+", starting with a letter or digit, at most 128 characters.
type Name string

// Digest is "sha256:" and 64 hexadecimal digits.
type Digest string

// Image is a digest, or "repository@digest".
type Image string

// Commit is the full hexadecimal name of a Git commit.
type Commit string

// Margin is the text of a margin: "0.01" or "2%".
type Margin string

const (
	textRunes  = 128
	proseRunes = 600
)

// NewText makes a Text of s: invalid UTF-8 is replaced, runs of white space
// become one space, forbidden characters are dropped, and what is too long
// ends with an ellipsis.
func NewText(s string) Text { return Text(clean(s, textRunes)) }

// NewProse makes a Prose of s, by the rules of NewText.
func NewProse(s string) Prose { return Prose(clean(s, proseRunes)) }

// Prosef formats a Prose.
func Prosef(format string, args ...any) Prose { return NewProse(fmt.Sprintf(format, args...)) }

func clean(s string, limit int) string {
	// Bound the work before normalising: a log may be handed in whole.
	if most := limit * 16; len(s) > most {
		s = s[:most]
	}
	s = norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	s = strings.Map(func(r rune) rune {
		if forbidden(r) {
			return -1
		}
		return r
	}, s)
	// Dropping a character may bring two together that compose.
	s = norm.NFC.String(strings.TrimSpace(s))
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	return strings.TrimRightFunc(norm.NFC.String(string(runes[:limit-1])), unicode.IsSpace) + "…"
}

// forbidden reports the characters that may not stand in a report: controls,
// format characters (bidirectional marks and invisible ones among them),
// surrogates, private use, and line and paragraph separators.
func forbidden(r rune) bool {
	if r < 0x7F {
		return r < 0x20
	}
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
}

func checkText(s string, limit int) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("has %d characters, at most %d are allowed", n, limit)
	}
	for _, r := range s {
		if forbidden(r) {
			return fmt.Errorf("holds the character %U, which may not stand in a report", r)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		return fmt.Errorf("is not in Unicode normal form C")
	}
	return nil
}

var (
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	imagePattern  = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._:/-]{0,254}@)?sha256:[0-9a-f]{64}$`)
	commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	marginPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?%?$`)
)

// checked is a leaf of a report that knows its own form.
type checked interface{ check() error }

func (t Text) check() error  { return checkText(string(t), textRunes) }
func (p Prose) check() error { return checkText(string(p), proseRunes) }

func (n Name) check() error {
	return match(string(n), namePattern, "a name of ASCII letters, digits and . _ + -")
}
func (d Digest) check() error {
	return match(string(d), digestPattern, "a digest such as sha256:<64 hexadecimal digits>")
}
func (i Image) check() error {
	return match(string(i), imagePattern, "an image such as repository@sha256:<64 hexadecimal digits>")
}
func (c Commit) check() error {
	return match(string(c), commitPattern, "the full hexadecimal name of a commit")
}

// Valid reports whether n is a name.
func (n Name) Valid() bool { return n.check() == nil }

// Valid reports whether c is the full name of a commit.
func (c Commit) Valid() bool { return c.check() == nil }

func (m Margin) check() error {
	if err := match(string(m), marginPattern, `a margin such as "0.01" or "2%"`); err != nil {
		return err
	}
	if v, relative := m.parse(); relative && v >= 1 || v > 1e300 {
		return fmt.Errorf("is %q, a relative margin must be under 100%%", m)
	}
	return nil
}

func match(s string, pattern *regexp.Regexp, what string) error {
	if !pattern.MatchString(s) {
		return fmt.Errorf("is %s, not %s", quote(s), what)
	}
	return nil
}

// quote bounds and quotes what is echoed into an error.
func quote(s string) string {
	return strconv.QuoteToASCII(string(NewText(s)))
}

// parse returns the margin's value; relative to the baseline where it ends
// with a percent sign. A margin that was never checked gives 0.
func (m Margin) parse() (value float64, relative bool) {
	text, relative := strings.CutSuffix(string(m), "%")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, relative
	}
	if relative {
		value /= 100
	}
	return value, relative
}

// Short returns the digest's first 12 hexadecimal digits, or "".
func (d Digest) Short() string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	if len(hex) > 12 {
		hex = hex[:12]
	}
	return hex
}

// Short returns the commit's first 10 hexadecimal digits.
func (c Commit) Short() string {
	if len(c) > 10 {
		return string(c[:10])
	}
	return string(c)
}
