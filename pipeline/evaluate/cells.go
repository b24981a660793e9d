package evaluate

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// tensor reads the cells of rows.
func (s source) tensor(t *dataset.Table, rows []int) (tensor.Tensor, error) {
	out := tensor.Tensor{Name: s.spec.Name, Datatype: s.spec.Datatype, Shape: []int64{int64(len(rows))}}
	if len(s.spec.Shape) == 2 {
		out.Shape = append(out.Shape, int64(len(s.columns)))
	}
	n := len(rows) * len(s.columns)
	var err error
	switch d := out.Datatype; {
	case d == tensor.FP32:
		out.F32, err = read(s, t, rows, n, single)
	case d == tensor.FP64:
		out.F64, err = read(s, t, rows, n, double)
	case d == tensor.Bytes:
		out.Strs, err = read(s, t, rows, n, text)
	case d == tensor.Bool:
		out.Bools, err = read(s, t, rows, n, func(c dataset.Column, row int) (bool, bool) { return table.Bool(c.At(row)) })
	case d.Unsigned():
		bits := d.Size() * 8
		out.U64, err = read(s, t, rows, n, func(c dataset.Column, row int) (uint64, bool) { return unsigned(c.At(row), bits) })
	default:
		bits := d.Size() * 8
		out.I64, err = read(s, t, rows, n, func(c dataset.Column, row int) (int64, bool) { return integer(c.At(row), bits) })
	}
	return out, err
}

// read reads the cells of rows, column by column. Where a column that is read
// as numbers has truth words, it has nothing but them, 0 and 1: among other
// numbers they would be text to whoever trained.
func read[T any](s source, t *dataset.Table, rows []int, n int, parse func(c dataset.Column, row int) (T, bool)) ([]T, error) {
	out := make([]T, n)
	step := len(s.columns)
	numbers := s.spec.Datatype != tensor.Bytes && s.spec.Datatype != tensor.Bool
	for j, c := range s.columns {
		word := -1
		for i, row := range rows {
			v, ok := parse(c, row)
			if !ok {
				if b, boolean := table.TrueFalse(c.At(row)); !boolean || !numbers {
					return nil, s.refuse(t, row, c)
				} else if v, ok = one[T](b); !ok {
					return nil, s.refuse(t, row, c)
				}
				if word < 0 {
					word = row
				}
			}
			out[i*step+j] = v
		}
		if word >= 0 {
			if err := onlyTruth(t, c, rows, word); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// one is a truth value as a number.
func one[T any](b bool) (v T, ok bool) {
	n := 0
	if b {
		n = 1
	}
	switch p := any(&v).(type) {
	case *float32:
		*p = float32(n)
	case *float64:
		*p = float64(n)
	case *int64:
		*p = int64(n)
	case *uint64:
		*p = uint64(n)
	default:
		return v, false
	}
	return v, true
}

// onlyTruth refuses a number other than 0 and 1 in a column that has a truth
// word in row word.
func onlyTruth(t *dataset.Table, c dataset.Column, rows []int, word int) error {
	for _, row := range rows {
		cell := c.At(row)
		if _, ok := table.Bool(cell); ok || c.Missing(row) {
			continue
		}
		return fault.At(at(t, row), fault.BadCell.Usage(fmt.Errorf("%s: column %q: %q is a number where %s %d has %q; write one of them throughout",
			at(t, row), c.Name(), clip(cell), t.Unit(), t.Line(word), clip(c.At(word)))))
	}
	return nil
}

func (s source) refuse(t *dataset.Table, row int, c dataset.Column) error {
	cell, hint := c.At(row), ""
	v, number := table.Number(cell)
	why := table.WhyNoNumber(cell)
	switch d := s.spec.Datatype; {
	case number && math.IsNaN(v):
		hint = ": it is a missing value, and only FP32 and FP64 inputs take one; export the model with a float input, or fill the column"
	case d.Float() && number:
		hint = ", whose largest number is smaller"
	case !number && why != "" && d != tensor.Bool:
		hint = ": " + why
	case d.Float() && len(s.columns) > 1:
		hint = "; leave the column out with data.features, or let the model take it as text"
	case d == tensor.Bool:
		hint = "; it takes true or false, yes or no, 1 or 0"
	case number && v != math.Trunc(v):
		hint = ": it has a fraction"
	case number && v < 0 && d.Unsigned():
		hint = ": it is negative"
	case number:
		hint = ": it is out of range"
	}
	return fault.At(at(t, row), fault.BadCell.Usage(fmt.Errorf("%s: column %q: %s is no %s, which the model's input %q takes%s",
		at(t, row), c.Name(), strconv.Quote(clip(cell)), s.spec.Datatype, s.spec.Name, hint)))
}

func double(c dataset.Column, row int) (float64, bool) { return c.Float(row) }

func single(c dataset.Column, row int) (float32, bool) {
	v, ok := c.Float(row)
	f := float32(v)
	return f, ok && (!math.IsInf(float64(f), 0) || math.IsInf(v, 0))
}

// text is the cell as it stands, and empty for every spelling of a missing
// value, of which a text tensor has none.
func text(c dataset.Column, row int) (string, bool) {
	if c.Missing(row) {
		return "", true
	}
	return c.At(row), true
}

func unsigned(cell string, bits int) (uint64, bool) {
	negative, v, ok := table.Integer(cell)
	return v, ok && !negative && (bits == 64 || v < 1<<bits)
}

func integer(cell string, bits int) (int64, bool) {
	negative, v, ok := table.Integer(cell)
	most := uint64(1) << (bits - 1)
	switch {
	case !ok, v > most, v == most && !negative:
		return 0, false
	case negative:
		return -int64(v), true // of 1<<63 it is itself
	}
	return int64(v), true
}
