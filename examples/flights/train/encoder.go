package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// kind says how a column becomes numbers.
type kind int

const (
	text    kind = iota // one 0/1 number for each level; an unknown or empty cell is all 0
	integer             // the same for whole numbers that are names rather than amounts, such as hours
	number              // scaled to mean 0 and deviation 1; a missing cell becomes the mean
)

// column is one input of the model: a column of the table, and what the
// training rows say about it.
type column struct {
	name string
	kind kind

	levels      []string // text and integer: in the order of the encoded numbers
	mean, scale float64  // number: (x - mean) * scale
}

// featureSets are the values of --features. The month is in none of them:
// October to December never occur in the training rows.
var (
	featureSets = map[string][]column{"first": first, "base": base, "weather": weather}

	// first takes the hour for an amount: a line from morning to evening.
	first = []column{
		{name: "dep_hour", kind: number}, {name: "carrier"}, {name: "origin"}, {name: "distance", kind: number},
	}
	// base gives every hour its own weight.
	base = []column{
		{name: "dep_hour", kind: integer}, {name: "arr_hour", kind: integer},
		{name: "carrier"}, {name: "origin"}, {name: "distance", kind: number},
	}
	// weather leaves out the direction of the wind, which no line fits.
	weather = append(slices.Clip(base),
		column{name: "temp", kind: number}, column{name: "dewp", kind: number}, column{name: "humid", kind: number},
		column{name: "wind_speed", kind: number}, column{name: "wind_gust", kind: number},
		column{name: "precip", kind: number}, column{name: "pressure", kind: number}, column{name: "visib", kind: number})
)

// encoder turns rows into vectors.
type encoder struct {
	columns []column
}

// fitEncoder learns levels, means and scales from the training rows.
func fitEncoder(t *table, columns []column) (*encoder, error) {
	e := &encoder{columns: slices.Clone(columns)}
	for i := range e.columns {
		c := &e.columns[i]
		cells, err := t.column(c.name)
		if err != nil {
			return nil, err
		}
		if c.kind == number {
			values, err := c.numbers(cells)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.path, err)
			}
			if c.mean, c.scale, err = standardise(values); err != nil {
				return nil, fmt.Errorf("%s: column %s: %w", t.path, c.name, err)
			}
			continue
		}
		if c.levels, err = c.distinct(cells); err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
	}
	return e, nil
}

// distinct returns the levels of a column in a fixed order: text by bytes,
// integers by value.
func (c *column) distinct(cells []string) ([]string, error) {
	levels := slices.Clone(cells)
	slices.Sort(levels)
	levels = slices.DeleteFunc(slices.Compact(levels), func(s string) bool { return s == "" })
	if c.kind != integer {
		return levels, nil
	}
	for _, s := range levels {
		if n, err := strconv.ParseInt(s, 10, 64); err != nil || strconv.FormatInt(n, 10) != s {
			return nil, fmt.Errorf("column %s: %q is not a whole number", c.name, s)
		}
	}
	slices.SortFunc(levels, func(a, b string) int { return cmp.Compare(mustInt(a), mustInt(b)) })
	return levels, nil
}

// mustInt reads a level that distinct has checked.
func mustInt(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// numbers reads the cells of a column; an empty cell is NaN.
func (c *column) numbers(cells []string) ([]float64, error) {
	values := make([]float64, len(cells))
	for i, cell := range cells {
		if cell == "" {
			values[i] = math.NaN()
			continue
		}
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("row %d: column %s: %q is not a number", i+1, c.name, cell)
		}
		values[i] = v
	}
	return values, nil
}

// standardise returns the mean of the values that are there, and what to
// multiply by so that their standard deviation is 1. Both are rounded to
// float32, as the model holds them, so that the trainer sees what it ships.
func standardise(values []float64) (mean, scale float64, err error) {
	sum, n := 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return 0, 0, fmt.Errorf("every cell is empty")
	}
	mean = sum / n
	squares := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			squares += (v - mean) * (v - mean)
		}
	}
	scale = 1
	if squares > 0 {
		scale = 1 / math.Sqrt(squares/n)
	}
	return float64(float32(mean)), float64(float32(scale)), nil
}

// width is the length of an encoded row.
func (e *encoder) width() int {
	w := 0
	for _, c := range e.columns {
		w += max(1, len(c.levels))
	}
	return w
}

// encode returns one vector for each row: the one-hot numbers of the text and
// integer columns first, then the scaled ones, as the ONNX graph joins them.
func (e *encoder) encode(t *table) ([][]float64, error) {
	width := e.width()
	flat := make([]float64, t.rows*width)
	x := make([][]float64, t.rows)
	for i := range x {
		x[i] = flat[i*width : (i+1)*width]
	}
	offset := 0
	for _, c := range e.ordered() {
		cells, err := t.column(c.name)
		if err != nil {
			return nil, err
		}
		if c.kind == number {
			values, err := c.numbers(cells)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.path, err)
			}
			for i, v := range values {
				if !math.IsNaN(v) {
					x[i][offset] = (v - c.mean) * c.scale
				}
			}
			offset++
			continue
		}
		position := map[string]int{}
		for i, level := range c.levels {
			position[level] = i
		}
		for i, cell := range cells {
			if p, ok := position[cell]; ok {
				x[i][offset+p] = 1
			}
		}
		offset += len(c.levels)
	}
	return x, nil
}

// ordered returns the columns in the order of the encoded row.
func (e *encoder) ordered() []column {
	return append(e.categories(), e.numeric()...)
}

func (e *encoder) categories() []column {
	return slices.DeleteFunc(slices.Clone(e.columns), func(c column) bool { return c.kind == number })
}

func (e *encoder) numeric() []column {
	return slices.DeleteFunc(slices.Clone(e.columns), func(c column) bool { return c.kind != number })
}
