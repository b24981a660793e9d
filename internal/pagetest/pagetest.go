// Package pagetest reads the tables of a page of documentation, so that a test
// can hold the code to what the page says.
package pagetest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Cell is one cell of a table.
type Cell struct {
	Text string // as it stands
	// Values are the pieces of code in it; "(empty)" and an empty cell are one
	// empty value.
	Values []string
}

var code = regexp.MustCompile("`([^`]*)`")

// Table returns the rows, the header left out, of the table that follows the
// comment <!-- test: name --> on the page at path.
func Table(t *testing.T, path, name string) [][]Cell {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "<!-- test: "+name+" -->\n")
	require.True(t, ok, "%s has no table %q", path, name)
	var rows [][]Cell
	for i, line := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if i < 2 {
			continue // the header and the line under it
		}
		var row []Cell
		for _, text := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") {
			cell := Cell{Text: strings.TrimSpace(text)}
			for _, m := range code.FindAllStringSubmatch(text, -1) {
				cell.Values = append(cell.Values, m[1])
			}
			if cell.Text == "(empty)" {
				cell.Values = []string{""}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	require.NotEmpty(t, rows, "table %q of %s has no rows", name, path)
	return rows
}
