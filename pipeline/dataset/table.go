package dataset

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// Table is a table that was read whole. It does not change and may be used by
// several goroutines.
type Table struct {
	path    string
	digest  string
	header  []string
	index   map[string]int
	text    string   // all cells, row by row, each followed by one separator
	offsets []uint32 // cell k of row-major order is text[offsets[k]:offsets[k+1]-1]
	rows    int
	breaks  []lineBreak
}

// lineBreak says that rows from row on stand extra lines further down than
// one line a row would put them: an earlier row had line breaks in its cells.
type lineBreak struct{ row, extra int }

// Path returns the path that was read.
func (t *Table) Path() string { return t.path }

// Digest returns "sha256:" and the digest of the file's bytes, as they lie on
// disk (compressed, if they are).
func (t *Table) Digest() string { return t.digest }

// Rows returns the number of rows, the header not counted.
func (t *Table) Rows() int { return t.rows }

// Columns returns the names of the columns in the order of the file.
func (t *Table) Columns() []string { return slices.Clone(t.header) }

// Column returns the column of that name.
func (t *Table) Column(name string) (Column, bool) {
	j, ok := t.index[name]
	return Column{t, j}, ok
}

// Need returns the column of that name, or an error that names the columns
// there are.
func (t *Table) Need(name string) (Column, error) {
	if c, ok := t.Column(name); ok {
		return c, nil
	}
	there := "; its columns are "
	if hint := spelling.Hint(name, t.header); hint != "" {
		there = hint + " Its columns are "
	}
	return Column{}, fault.Usage(fmt.Errorf("%s has no column %q%s%s", t.path, name, there, listed(t.header)))
}

// listed joins names, and counts those past a screenful.
func listed(names []string) string {
	const most = 60
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// Line returns the line of the file, from 1, on which row i begins.
func (t *Table) Line(i int) int {
	line := i + 2 // after the header, from 1
	if k := sort.Search(len(t.breaks), func(k int) bool { return t.breaks[k].row > i }); k > 0 {
		line += t.breaks[k-1].extra
	}
	return line
}

// Column is one column of a table.
type Column struct {
	table *Table
	index int
}

// Name returns the column's name.
func (c Column) Name() string { return c.table.header[c.index] }

// Len returns the number of rows.
func (c Column) Len() int { return c.table.rows }

// At returns the cell of row i, from 0, as it stands in the file, quotes
// taken off. It allocates nothing.
func (c Column) At(i int) string {
	t := c.table
	k := i*len(t.header) + c.index
	return t.text[t.offsets[k] : t.offsets[k+1]-1]
}

// Float returns the cell of row i as a number. A missing value is NaN and
// true; text that is no number is NaN and false. See the package's comment
// for what is a number and what is missing.
func (c Column) Float(i int) (float64, bool) { return Number(c.At(i)) }

// Number reads a cell as Column.Float does.
func Number(cell string) (float64, bool) {
	if missing(cell) {
		return math.NaN(), true
	}
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		trimmed := strings.Trim(cell, " \t")
		if len(trimmed) < len(cell) {
			return Number(trimmed)
		}
		return math.NaN(), false
	}
	// ParseFloat reads hexadecimal numbers and those with underscores, which
	// no other tool that touches a CSV does.
	if strings.ContainsAny(cell, "xX_") {
		return math.NaN(), false
	}
	return v, true
}

// missing reports whether a cell is one of the spellings of "no value".
func missing(cell string) bool {
	switch cell {
	case "", "NA", "NaN", "nan", "null", "None":
		return true
	}
	return false
}

// builder collects the cells of a table. A format fills it with header, then
// cell and endRow in turns.
type builder struct {
	name    string // for messages
	limits  limits
	size    int64 // of the whole text, where it is known
	header  []string
	text    strings.Builder
	offsets []uint32
	rows    int
	breaks  []lineBreak
}

// setHeader takes the names of the columns, which are on the given line.
func (b *builder) setHeader(line int, names []string) error {
	if len(names) > b.limits.columns {
		return b.refuse(line, "%d columns; at most %d are read", len(names), b.limits.columns)
	}
	seen := make(map[string]int, len(names))
	for j, name := range names {
		if strings.Trim(name, " \t") == "" {
			return b.refuse(line, "the name of column %d is empty; every column needs a name", j+1)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return b.refuse(line, "the name of column %d, %q, has a control character", j+1, clip(name))
		}
		if first, twice := seen[name]; twice {
			return b.refuse(line, "columns %d and %d are both named %q; rename one", first+1, j+1, clip(name))
		}
		seen[name] = j
	}
	b.header = names
	b.offsets = append(b.offsets, 0)
	return nil
}

// endCell ends the cell whose text was written to b.text.
func (b *builder) endCell() {
	b.text.WriteByte(',')
	b.offsets = append(b.offsets, uint32(b.text.Len()))
}

// endRow ends the row that began on the given line and spans that many lines.
// cells is its number of cells.
func (b *builder) endRow(line, spans, cells int) error {
	if cells != len(b.header) {
		return b.refuse(line, "row has %s, header has %d", plural(cells, "field"), len(b.header))
	}
	if len(b.offsets) > b.limits.cells {
		return b.refuse(line, "more than %d cells; split the file", b.limits.cells)
	}
	b.rows++
	if b.rows == 1000 && b.size > 0 {
		// One allocation for the rest, judging by the rows so far.
		more := float64(b.size)/float64(b.text.Len())*1.01 - 1
		b.offsets = slices.Grow(b.offsets, int(min(more*float64(len(b.offsets)), float64(b.limits.cells))))
	}
	if spans > 1 {
		b.breaks = append(b.breaks, lineBreak{row: b.rows, extra: line + spans - (b.rows + 2)})
	}
	return nil
}

func (b *builder) refuse(line int, format string, args ...any) error {
	return fault.Usage(fmt.Errorf("%s:%d: %s", b.name, line, fmt.Sprintf(format, args...)))
}

func (b *builder) table(digest string) *Table {
	t := &Table{path: b.name, digest: digest, header: b.header, text: b.text.String(), offsets: b.offsets, rows: b.rows, breaks: b.breaks}
	t.index = make(map[string]int, len(t.header))
	for j, name := range t.header {
		t.index[name] = j
	}
	return t
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// clip shortens text from a file for a message.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
