package where

import (
	"fmt"
	"math"
	"math/bits"
)

// Column is a column of a table. A column of package dataset is one.
type Column interface {
	// At returns the cell of row i, from 0, as text.
	At(i int) string
	// Float returns the cell of row i as a number, and whether it is one; a
	// missing value may be NaN.
	Float(i int) (float64, bool)
}

// Eval returns for each of the rows 0..rows-1 whether the expression holds.
// column returns the column of a name, with at least that many rows; its error
// is returned as it is, so that it can name the table and the columns there
// are.
func (e *Expr) Eval(rows int, column func(name string) (Column, error)) ([]bool, error) {
	if rows < 0 {
		return nil, fmt.Errorf("evaluating %q on %d rows", e.source, rows)
	}
	columns := make(map[string]Column, len(e.columns))
	for _, name := range e.columns {
		c, err := column(name)
		if err != nil {
			return nil, err
		}
		columns[name] = c
	}
	set := evaluation{rows: rows, columns: columns}.eval(e.root)
	holds := make([]bool, rows)
	for w, word := range set {
		for word != 0 {
			holds[w*64+bits.TrailingZeros64(word)] = true
			word &= word - 1
		}
	}
	return holds, nil
}

// bitset holds one bit a row; the bits past the last row are clear.
type bitset []uint64

type evaluation struct {
	rows    int
	columns map[string]Column
}

func (v evaluation) eval(n node) bitset {
	switch n := n.(type) {
	case both:
		left, right := v.eval(n.left), v.eval(n.right)
		for i := range left {
			left[i] &= right[i]
		}
		return left
	case either:
		left, right := v.eval(n.left), v.eval(n.right)
		for i := range left {
			left[i] |= right[i]
		}
		return left
	case negated:
		return v.complement(v.eval(n.of))
	case condition:
		return v.condition(n)
	}
	// Parse makes no other node.
	return make(bitset, v.words())
}

func (v evaluation) words() int { return (v.rows + 63) / 64 }

// complement flips the bits of the rows and leaves those past the last row
// clear.
func (v evaluation) complement(s bitset) bitset {
	for i := range s {
		s[i] = ^s[i]
	}
	if rest := v.rows % 64; rest != 0 {
		s[len(s)-1] &= 1<<rest - 1
	}
	return s
}

func (v evaluation) condition(c condition) bitset {
	column := v.columns[c.column]
	op, flip := c.op, false
	if op == "!=" {
		op, flip = "=", true
	}
	var numbers []float64
	var texts []string
	for _, value := range c.values {
		if value.numeric {
			numbers = append(numbers, value.number)
		} else {
			texts = append(texts, value.text)
		}
	}
	set := make(bitset, v.words())
	if len(numbers) > 0 {
		v.fill(set, numberTest(column, op, numbers))
	}
	if len(texts) > 0 {
		v.fill(set, textTest(column, op, texts))
	}
	if flip {
		return v.complement(set)
	}
	return set
}

// fill adds the rows for which holds returns true.
func (v evaluation) fill(set bitset, holds func(i int) bool) {
	for i := range v.rows {
		if holds(i) {
			set[i/64] |= 1 << (i % 64)
		}
	}
}

// numberTest compares cells as numbers. A cell that is no number becomes NaN,
// for which every comparison of floats is false.
func numberTest(c Column, op string, values []float64) func(i int) bool {
	cell := func(i int) float64 {
		if x, ok := c.Float(i); ok {
			return x
		}
		return math.NaN()
	}
	first := values[0]
	switch {
	case len(values) > 1:
		return member(cell, values)
	case op == "<":
		return func(i int) bool { return cell(i) < first }
	case op == "<=":
		return func(i int) bool { return cell(i) <= first }
	case op == ">":
		return func(i int) bool { return cell(i) > first }
	case op == ">=":
		return func(i int) bool { return cell(i) >= first }
	}
	return func(i int) bool { return cell(i) == first }
}

func textTest(c Column, op string, values []string) func(i int) bool {
	first := values[0]
	switch {
	case len(values) > 1:
		return member(c.At, values)
	case op == "<":
		return func(i int) bool { return c.At(i) < first }
	case op == "<=":
		return func(i int) bool { return c.At(i) <= first }
	case op == ">":
		return func(i int) bool { return c.At(i) > first }
	case op == ">=":
		return func(i int) bool { return c.At(i) >= first }
	}
	return func(i int) bool { return c.At(i) == first }
}

// member tests whether a cell is one of values; NaN is no key that a map would
// ever find again.
func member[T comparable](cell func(i int) T, values []T) func(i int) bool {
	in := make(map[T]struct{}, len(values))
	for _, value := range values {
		in[value] = struct{}{}
	}
	return func(i int) bool {
		_, ok := in[cell(i)]
		return ok
	}
}
