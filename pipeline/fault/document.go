package fault

import (
	"fmt"
	"strings"
)

// Markdown returns docs/errors.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Errors

An error that you can act on ends with a code, such as (E0101). Each code has a
section here, and ` + "`dosirak help error E0101`" + ` prints it. With ` + "`--json`" + `, a command
that fails prints one object on standard output:

` + "```json" + `
{"error": {"code": "E0101", "message": "...", "where": "dosirak.yaml:3:1", "next": "..."}}
` + "```" + `

` + "`code` is empty for an error without a section, `where` where no place in a file" + `
is known. A code keeps its meaning for ever.

<!-- Made from the list in pipeline/fault by go test ./pipeline/fault -update. -->
`)
	area := Area{}
	for _, c := range Codes() {
		if c.Area != area {
			area = c.Area
			fmt.Fprintf(&b, "\n## %s\n", area.Name)
		}
		fmt.Fprintf(&b, "\n### %s: %s\n\n%s\n\n**Way out.** %s\n", c.ID, c.Title, c.Cause, c.WayOut)
	}
	return b.String()
}

// Page is the section of a code for a terminal, in lines of at most width
// characters.
func (c *Code) Page(width int) string {
	return fmt.Sprintf("%s: %s\n\n%s\n\nWay out:\n%s\n", c.ID, c.Title, wrapped(c.Cause, width), wrapped(c.WayOut, width))
}

// wrapped breaks text between words. A word that is longer than a line stands
// alone.
func wrapped(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		length := len([]rune(word))
		switch {
		case i == 0:
		case column+1+length > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}
