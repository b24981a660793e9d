// Package quote makes text from outside fit for a sentence: what a server, a
// program or a file said is data, and a terminal or a reader is not to act on
// it.
package quote

import (
	"strconv"
	"strings"
	"unicode"
)

// longest is how many characters of a text are shown.
const longest = 160

// Text is text in quotation marks, cleaned.
func Text(text string) string { return strconv.Quote(Clean(text)) }

// Clean makes text one line, short, and free of what is not printed.
func Clean(text string) string { return Clip(Line(text), longest) }

// Clip shortens text to n characters.
func Clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n]) + "..."
	}
	return text
}

// Line makes text one line without what is not printed.
func Line(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.Join(strings.Fields(text), " ")
}
