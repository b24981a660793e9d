package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
)

const labelColumn = "delayed"

// table is a CSV file by column.
type table struct {
	path    string
	columns map[string][]string
	rows    int
}

// readTable reads a CSV with a header, in gzip or plain: the first two bytes
// tell.
func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if magic, _ := r.(*bufio.Reader).Peek(2); string(magic) == "\x1f\x8b" {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	records, err := csv.NewReader(r).ReadAll() // a ragged row is an error with its line
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(records) < 2 {
		return nil, fmt.Errorf("%s: no rows", path)
	}
	t := &table{path: path, columns: map[string][]string{}, rows: len(records) - 1}
	for c, name := range records[0] {
		cells := make([]string, t.rows)
		for i, record := range records[1:] {
			cells[i] = record[c]
		}
		t.columns[name] = cells
	}
	return t, nil
}

// column returns the cells of a column.
func (t *table) column(name string) ([]string, error) {
	cells, ok := t.columns[name]
	if !ok {
		return nil, fmt.Errorf("%s: no column %q", t.path, name)
	}
	return cells, nil
}

// labels returns a column of "0" and "1" as numbers.
func (t *table) labels(name string) ([]float64, error) {
	cells, err := t.column(name)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(cells))
	for i, cell := range cells {
		switch cell {
		case "0":
		case "1":
			y[i] = 1
		default:
			return nil, fmt.Errorf("%s: row %d: %s is %q, want 0 or 1", t.path, i+1, name, cell)
		}
	}
	return y, nil
}
