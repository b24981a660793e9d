package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// Table is a table that was read whole. It does not change and may be used by
// several goroutines.
type Table struct {
	path   string
	info   table.Info
	header []string          // "" for a column without a name
	nested map[string]string // what Parquet has beside flat columns, by name
	single []bool            // columns of float32; nil: none
	index  map[string]int
	// Cell (i, j) is cell k = i*rowStep + j*columnStep: row by row from text,
	// column by column from Parquet. text[offsets[k]:offsets[k+1]-1] is it.
	text                string
	offsets             []uint32
	rows                int
	rowStep, columnStep int
}

// Path returns the path that was read.
func (t *Table) Path() string { return t.path }

// Digest returns "sha256:" and the digest of the file's bytes, as they lie on
// disk (compressed, if they are).
func (t *Table) Digest() string { return t.info.Digest }

// Rows returns the number of rows, the header not counted.
func (t *Table) Rows() int { return t.rows }

// Columns returns the names of the columns in the order of the file. A column
// without a name is left out; Column finds it by pandas' name for it, such as
// "Unnamed: 0".
func (t *Table) Columns() []string {
	return slices.DeleteFunc(slices.Clone(t.header), func(name string) bool { return name == "" })
}

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
	if kind, ok := t.nested[name]; ok {
		return Column{}, fault.ColumnAbsent.Usage(fmt.Errorf("%s: column %q is %s, and a table has one value a row and column; write its parts as columns", t.path, name, kind))
	}
	columns := t.Columns()
	there := "; its columns are "
	if hint := spelling.Hint(name, columns); hint != "" {
		there = hint + " Its columns are "
	}
	return Column{}, fault.ColumnAbsent.Usage(fmt.Errorf("%s has no column %q%s%s", t.path, name, there, listed(columns)))
}

// listed joins names, and counts those past a screenful.
func listed(names []string) string {
	const most = 60
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// Place names row i for a message: file and line, or file and row where the
// format has no lines.
func (t *Table) Place(i int) string { return t.info.Place(t.path, i) }

// Unit is what Line counts: "line", or "row" in a format without lines.
func (t *Table) Unit() string {
	if t.info.Text {
		return "line"
	}
	return "row"
}

// Line returns the line of the file, from 1, on which row i begins; in a format
// without lines, the number of the row.
func (t *Table) Line(i int) int {
	if !t.info.Text {
		return i + 1
	}
	return t.info.Lines.Line(i)
}

// Column is one column of a table.
type Column struct {
	table *Table
	index int
}

// Name returns the column's name.
func (c Column) Name() string {
	if name := c.table.header[c.index]; name != "" {
		return name
	}
	return fmt.Sprintf("Unnamed: %d", c.index)
}

// Len returns the number of rows.
func (c Column) Len() int { return c.table.rows }

// At returns the cell of row i, from 0, as it stands in the file, quotes
// taken off. It allocates nothing.
func (c Column) At(i int) string {
	t := c.table
	k := i*t.rowStep + c.index*t.columnStep
	return t.text[t.offsets[k] : t.offsets[k+1]-1]
}

// Float returns the cell of row i as a number. A missing value is NaN and
// true; text that is no number is NaN and false. See table.Number.
func (c Column) Float(i int) (float64, bool) {
	v, ok := table.Number(c.At(i))
	if ok && c.table.single != nil && c.table.single[c.index] {
		// The text is the shortest that reads back as the float32.
		if x, err := strconv.ParseFloat(c.At(i), 32); err == nil {
			return x, true
		}
	}
	return v, ok
}

// Missing reports whether row i has no value, by table.Missing.
func (c Column) Missing(i int) bool { return table.Missing(c.At(i)) }

// whole returns the number that a cell is where it is a whole one.
func whole(v float64) bool { return v == math.Trunc(v) && !math.IsInf(v, 0) }

// clip shortens text from a file for a message.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
