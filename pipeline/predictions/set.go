package predictions

import (
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// Set is the predictions of one model on N rows, by column. What a task or a
// file does not have is nil. Rows are counted from 0 here and from 1 in
// messages, the header not counted.
type Set struct {
	Task     exam.Task
	Name     string // the file, for messages; may be empty
	N        int
	ID       []string    // nil: the file has none
	Classes  []string    // sorted: by number where all are numbers, else by text
	Positive int         // index in Classes of the positive class (binary)
	Label    []int32     // index in Classes by row
	Pred     []int32     // index in Classes by row
	Target   []float64   // regression
	Value    []float64   // regression
	Score    []float64   // binary: P(positive), 0 to 1
	Proba    [][]float64 // multiclass: [class][row]
	Weight   []float64
	Group    []int32  // index in Groups by row
	Groups   []string // in order of first occurrence
	Columns  []Column // slice columns, in the order of the file
}

// Column is a slice column: categorical, with numbers on demand.
type Column struct {
	Name   string
	Code   []int32  // index in Levels by row
	Levels []string // in order of first occurrence
}

// Column returns the slice column of a name, or nil.
func (s *Set) Column(name string) *Column {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

// Numbers returns the levels as numbers, NaN where a level is none. The value
// of row i is Numbers()[Code[i]].
func (c *Column) Numbers() []float64 {
	out := make([]float64, len(c.Levels))
	for i, level := range c.Levels {
		out[i], _ = table.Number(level) // NaN where it is none
	}
	return out
}

// NewColumn codes the values of a slice column.
func NewColumn(name string, values []string) Column {
	c := Column{Name: name, Code: make([]int32, len(values))}
	var d dictionary
	for i, v := range values {
		c.Code[i] = d.code([]byte(v))
	}
	c.Levels = d.names
	return c
}

// dictionary numbers the distinct texts of a column in order of first
// occurrence.
type dictionary struct {
	names []string
	index map[string]int32
	last  int32 // equal neighbours are the common case
}

func (d *dictionary) code(text []byte) int32 {
	if len(d.names) > 0 && d.names[d.last] == string(text) {
		return d.last
	}
	if at, ok := d.index[string(text)]; ok {
		d.last = at
		return at
	}
	if d.index == nil {
		d.index = map[string]int32{}
	}
	d.last = int32(len(d.names))
	name := string(text)
	d.names = append(d.names, name)
	d.index[name] = d.last
	return d.last
}
