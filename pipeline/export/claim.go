package export

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// File is the name of the file that a trainer leaves beside its model.
const File = "predictions.csv"

const (
	// MaxSize is how many bytes the file may have.
	MaxSize = 64 << 20
	// mostRows is how many rows are asked.
	mostRows = 20_000
)

// Claim is what a trainer says that its model said.
type Claim struct {
	Rows  []int    // of the training table, from 0
	Names []string // what the file calls them
	Of    int      // rows that the file has; Rows may be fewer

	label   []string    // predicted classes
	value   []float64   // regression
	score   []float64   // binary: of the positive class; nil where the file has none
	classes []string    // of proba
	proba   [][]float64 // by class
	digits  int         // after the point at most, in the numbers of the file; -1: many

	numbered bool // rows are named by their number
	zero     bool // and counted from 0
}

// file is the file while it is read.
type file struct {
	*dataset.Table
	train *dataset.Table
	data  exam.Data
}

// Read reads the predictions file at path, which speaks of rows of the
// training table.
func Read(ctx context.Context, path string, train *dataset.Table, task exam.Task, data exam.Data) (*Claim, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, fault.Environment(fmt.Errorf("reading %s: %w", File, err))
	case !info.Mode().IsRegular():
		return nil, refuse("is no regular file")
	case info.Size() > MaxSize:
		return nil, refuse("has %d bytes, at most %d are read: write a sample of the rows", info.Size(), MaxSize)
	}
	t, err := dataset.Read(ctx, path, dataset.Options{Usual: true})
	if err != nil {
		return nil, fmt.Errorf("reading what the trained model said: %w", err)
	}
	if t.Rows() == 0 {
		return nil, refuse("has a header and no rows: write what the model says of some rows of %s, or leave the file out", train.Path())
	}
	f := file{t, train, data}
	c := &Claim{Of: t.Rows()}
	if err := f.rows(c); err != nil {
		return nil, err
	}
	kept := f.sample(c)
	if task == exam.Regression {
		err = f.values(c, kept)
	} else {
		err = f.answers(c, kept, task)
	}
	return c, err
}

// refuse is the error of a file that the trainer wrote wrongly.
func refuse(format string, args ...any) error {
	return fault.BadClaim.Failed(fmt.Errorf("the trainer's %s %s", File, fmt.Sprintf(format, args...)))
}

// at refuses a cell.
func (f file) at(row int, c dataset.Column, format string, args ...any) error {
	return refuse("line %d, column %q: %q %s", f.Line(row), c.Name(), clip(c.At(row)), fmt.Sprintf(format, args...))
}

// rows finds for each row of the file the row of the training table.
func (f file) rows(c *Claim) error {
	if f.Rows() > f.train.Rows() {
		return refuse("has %d rows, and %s has %d: it speaks of rows of the training table, each once", f.Rows(), f.train.Path(), f.train.Rows())
	}
	if f.data.ID != "" {
		for _, name := range []string{f.data.ID, "id"} {
			if column, ok := f.Column(name); ok {
				return f.byID(c, column)
			}
		}
	}
	for _, name := range []string{"row", "id", "Unnamed: 0"} {
		if column, ok := f.Column(name); ok {
			return f.byNumber(c, column)
		}
	}
	if f.Rows() < f.train.Rows() {
		return refuse("has %d rows for the %d of %s and no column that names them: write %s", f.Rows(), f.train.Rows(), f.train.Path(), f.wanted())
	}
	c.numbered = true
	for i := range f.Rows() {
		c.Rows, c.Names = append(c.Rows, i), append(c.Names, strconv.Itoa(i+1))
	}
	return nil
}

// wanted is the column that names rows, for a message.
func (f file) wanted() string {
	if f.data.ID != "" {
		return fmt.Sprintf("the column %q, as the training table has it", f.data.ID)
	}
	return "the column row with their numbers, from 1"
}

func (f file) byID(c *Claim, column dataset.Column) error {
	there, err := f.train.Need(f.data.ID)
	if err != nil {
		return err
	}
	// Both sides have one spelling of a whole number: 1 is 1.0.
	known, asked := texts(there), texts(column)
	all := predictions.IDs(slices.Concat(known, asked))
	known, asked = all[:len(known)], all[len(known):]
	index := make(map[string]int, len(known))
	for row, id := range known {
		if _, twice := index[id]; twice {
			index[id] = -1
			continue
		}
		index[id] = row
	}
	seen := make(map[int]int, len(asked))
	for i, id := range asked {
		row, ok := index[id]
		switch {
		case !ok:
			return f.at(i, column, "is no %s of %s%s", f.data.ID, f.train.Path(), f.perhapsEval())
		case row < 0:
			return f.at(i, column, "stands in several rows of %s, so nobody can tell which one is meant", f.train.Path())
		}
		if before, twice := seen[row]; twice {
			return f.at(i, column, "stands on line %d already", f.Line(before))
		}
		seen[row] = i
		c.Rows, c.Names = append(c.Rows, row), append(c.Names, id)
	}
	return nil
}

// perhapsEval reminds of what is asked for.
func (f file) perhapsEval() string {
	return "; the file speaks of rows that the model was trained on, not of the evaluation's"
}

func (f file) byNumber(c *Claim, column dataset.Column) error {
	c.numbered = true
	numbers := make([]int, column.Len())
	for i := range numbers {
		negative, n, ok := table.Integer(column.At(i))
		if !ok || negative || n > uint64(f.train.Rows()) {
			return f.at(i, column, "is no number of a row of %s, which has %d%s", f.train.Path(), f.train.Rows(), f.otherwise(column))
		}
		numbers[i] = int(n)
		c.zero = c.zero || n == 0
	}
	seen := make(map[int]int, len(numbers))
	for i, n := range numbers {
		row := n - 1
		if c.zero {
			row = n
		}
		if row >= f.train.Rows() {
			return f.at(i, column, "is no row of %s: it has %d, and they are counted from 0 here, since a 0 is among them", f.train.Path(), f.train.Rows())
		}
		if before, twice := seen[row]; twice {
			return f.at(i, column, "stands on line %d already", f.Line(before))
		}
		seen[row] = i
		c.Rows, c.Names = append(c.Rows, row), append(c.Names, strconv.Itoa(n))
	}
	return nil
}

// otherwise says how rows that have ids are named.
func (f file) otherwise(column dataset.Column) string {
	if f.data.ID == "" && column.Name() == "id" {
		return "; to name rows by an id, set data.id in the config"
	}
	return ""
}

// sample keeps mostRows of the rows, evenly spread, and returns which lines of
// the file these are.
func (f file) sample(c *Claim) []int {
	n := len(c.Rows)
	kept := make([]int, min(n, mostRows))
	for i := range kept {
		kept[i] = i
		if n > mostRows {
			kept[i] = i * (n - 1) / (mostRows - 1)
		}
	}
	rows, names := make([]int, len(kept)), make([]string, len(kept))
	for i, k := range kept {
		rows[i], names[i] = c.Rows[k], c.Names[k]
	}
	c.Rows, c.Names = rows, names
	return kept
}

// values reads the predictions of a regression.
func (f file) values(c *Claim, kept []int) error {
	column, err := f.prediction()
	if err != nil {
		return err
	}
	c.value, err = f.numbers(c, column, kept, false)
	return err
}

func (f file) prediction() (dataset.Column, error) {
	column, ok := f.Column("prediction")
	if !ok {
		return column, refuse("has no column prediction%s Its columns are %s", hint("prediction", f.Columns()), strings.Join(f.Columns(), ", "))
	}
	return column, nil
}

func hint(name string, columns []string) string {
	if near, ok := spelling.Nearest(name, columns); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "."
}

// answers reads predicted classes and their probabilities.
func (f file) answers(c *Claim, kept []int, task exam.Task) error {
	column, err := f.prediction()
	if err != nil {
		return err
	}
	for _, i := range kept {
		if column.Missing(i) {
			return f.at(i, column, "is no class")
		}
		c.label = append(c.label, column.At(i))
	}
	c.digits = 0
	if score, ok := f.Column("score"); ok && task == exam.Binary {
		c.score, err = f.numbers(c, score, kept, true)
		return err
	}
	for _, name := range f.Columns() {
		class, ok := strings.CutPrefix(name, "p_")
		if !ok {
			continue
		}
		column, _ := f.Column(name)
		values, err := f.numbers(c, column, kept, true)
		if err != nil {
			return err
		}
		c.classes, c.proba = append(c.classes, class), append(c.proba, values)
	}
	return nil
}

// numbers reads finite numbers, and notes with how many digits they are
// written.
func (f file) numbers(c *Claim, column dataset.Column, kept []int, probability bool) ([]float64, error) {
	out := make([]float64, len(kept))
	for i, row := range kept {
		v, ok := column.Float(row)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, f.at(row, column, "is no finite number")
		}
		if probability {
			if v < -predictions.Rounding || v > 1+predictions.Rounding {
				return nil, f.at(row, column, "is no probability: write what predict_proba gives, not a decision function or a logit; where the model has no probabilities, leave the column out")
			}
			v = min(max(v, 0), 1)
		}
		out[i] = v
		c.digits = more(c.digits, decimals(column.At(row)))
	}
	return out, nil
}

// decimals is how many digits of a number stand after the point, -1 for one
// that is written otherwise.
func decimals(cell string) int {
	if strings.ContainsAny(cell, "eE") {
		return -1
	}
	_, fraction, _ := strings.Cut(cell, ".")
	return len(fraction)
}

func more(a, b int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return max(a, b)
}

func texts(c dataset.Column) []string {
	out := make([]string, c.Len())
	for i := range out {
		out[i] = c.At(i)
	}
	return out
}

func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
