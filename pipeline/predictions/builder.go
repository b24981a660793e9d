package predictions

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Options say what a file is expected to hold.
type Options struct {
	Task exam.Task
	// Positive is the positive class of a binary task. Empty: the later of the
	// two classes in sorted order ("1" of 0 and 1, "true", "yes").
	Positive string
	// Columns are the slice columns to keep; nil keeps all of them.
	Columns []string
	// Group and Weight name the columns of that meaning; empty: "group" and
	// "weight" where the file has them. A file that has a column "group" or
	// "weight" has that meaning for it whatever the name elsewhere.
	Group, Weight string
}

// means returns the column of the header that holds group or weight: the one
// of that very name, else the one that the options name.
func means(header []string, role, named string) string {
	if named == "" || slices.Contains(header, role) {
		return role
	}
	return named
}

// sumTolerance is how far the probabilities of a row may sum from 1: what
// float32 arithmetic and four printed digits leave.
const sumTolerance = 1e-3

// maxRows is the number of rows that an int32 can count.
const maxRows = math.MaxInt32

type role uint8

const (
	roleSkip role = iota
	roleID
	roleClass // label or prediction of a classification
	roleNumber
	roleScore // a number from 0 to 1
	roleWeight
	roleCode // group and slice columns
)

// field collects one column.
type field struct {
	name    string
	role    role
	numbers []float64
	codes   []int32
	dict    dictionary
	arena   strings.Builder // ids, end to end
	ends    []int
}

// builder collects the columns of a file and makes a Set of them. Readers of
// all formats end here, so that all check the same.
type builder struct {
	file   string
	opts   Options
	fields []*field // by column of the file
	rows   int
	group  string // name of the column of groups
	weight string // name of the column of weights
}

func usagef(format string, args ...any) error { return fault.Usage(fmt.Errorf(format, args...)) }

// rowError names file, row (from 1) and column.
func (b *builder) rowError(row int, column, format string, args ...any) error {
	return usagef("%s: row %d, column %q: %s", b.file, row+1, column, fmt.Sprintf(format, args...))
}

// newBuilder assigns a role to each column of the header.
func newBuilder(file string, header []string, opts Options) (*builder, error) {
	b := &builder{file: file, opts: opts}
	seen := map[string]bool{}
	b.group, b.weight = means(header, "group", opts.Group), means(header, "weight", opts.Weight)
	for _, name := range header {
		if seen[name] {
			return nil, usagef("%s: column %q stands there twice", file, name)
		}
		seen[name] = true
		f := &field{name: name}
		switch {
		case name == "id":
			f.role = roleID
		case (name == "label" || name == "prediction") && opts.Task == exam.Regression:
			f.role = roleNumber
		case name == "label" || name == "prediction":
			f.role = roleClass
		case name == "score" && opts.Task == exam.Binary,
			strings.HasPrefix(name, "p_") && opts.Task != exam.Regression:
			f.role = roleScore
		case name == b.weight:
			f.role = roleWeight
		case name == b.group:
			f.role = roleCode
		case opts.Columns == nil || slices.Contains(opts.Columns, name):
			f.role = roleCode
		}
		b.fields = append(b.fields, f)
	}
	for _, name := range []string{"label", "prediction"} {
		if !seen[name] {
			return nil, usagef("%s: there is no column %q; the header has %s", file, name, quoted(header))
		}
	}
	for option, name := range map[string]string{"group": opts.Group, "weight": opts.Weight} {
		if name != "" && !seen[name] && !seen[option] {
			return nil, usagef("%s: there is no column %q, which the config names as %s; the header has %s", file, name, option, quoted(header))
		}
	}
	for _, name := range opts.Columns {
		if !seen[name] {
			return nil, usagef("%s: there is no column %q, which a slice of the config names; the header has %s", file, name, quoted(header))
		}
	}
	return b, nil
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	if len(out) > 20 {
		out = append(out[:20], fmt.Sprintf("and %d more", len(names)-20))
	}
	return strings.Join(out, ", ")
}

// text adds the value of one column to the current row.
func (b *builder) text(column int, text []byte) error {
	f := b.fields[column]
	switch f.role {
	case roleSkip:
	case roleID:
		if len(text) == 0 {
			return b.rowError(b.rows, f.name, "the id is empty")
		}
		f.arena.Write(text)
		f.ends = append(f.ends, f.arena.Len())
	case roleClass:
		if len(text) == 0 {
			return b.rowError(b.rows, f.name, "the class is empty")
		}
		f.codes = append(f.codes, f.dict.code(text))
	case roleCode:
		f.codes = append(f.codes, f.dict.code(text))
	default:
		v, ok := parseFloat(text)
		if !ok {
			if len(text) == 0 {
				return b.rowError(b.rows, f.name, "the value is empty")
			}
			return b.rowError(b.rows, f.name, "%q is not a number", clip(text))
		}
		return b.number(column, v)
	}
	return nil
}

// number adds a numeric value of one column to the current row.
func (b *builder) number(column int, v float64) error {
	f := b.fields[column]
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return b.rowError(b.rows, f.name, "the value is %v; only finite numbers can be judged", v)
	case f.role == roleScore && (v < 0 || v > 1):
		return b.rowError(b.rows, f.name, "%v is not a probability, which is between 0 and 1", v)
	case f.role == roleWeight && v < 0:
		return b.rowError(b.rows, f.name, "the weight %v is negative", v)
	}
	f.numbers = append(f.numbers, v)
	return nil
}

// endRow counts the row whose columns have been added.
func (b *builder) endRow() error {
	if b.rows == maxRows {
		return usagef("%s: there are more than %d rows", b.file, maxRows)
	}
	b.rows++
	return nil
}

func clip(text []byte) string {
	if len(text) > 40 {
		return string(text[:40]) + "..."
	}
	return string(text)
}

func (b *builder) field(name string) *field {
	for _, f := range b.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// finish checks what only the whole file shows and returns the set.
func (b *builder) finish() (*Set, error) {
	if b.rows == 0 {
		return nil, usagef("%s: there are no rows", b.file)
	}
	s := &Set{Task: b.opts.Task, Name: b.file, N: b.rows}
	if f := b.field("id"); f != nil {
		s.ID = make([]string, b.rows)
		all, from := f.arena.String(), 0
		for i, end := range f.ends {
			s.ID[i], from = all[from:end], end
		}
		if first, second, dup := duplicate(s.ID); dup {
			return nil, b.rowError(second, "id", "id %q stands in row %d already; ids must be unique", clip([]byte(s.ID[second])), first+1)
		}
	}
	if f := b.field(b.weight); f != nil {
		s.Weight = f.numbers
		if !slices.ContainsFunc(s.Weight, func(w float64) bool { return w > 0 }) {
			return nil, usagef("%s: column %q: all weights are zero", b.file, b.weight)
		}
	}
	for _, f := range b.fields {
		switch {
		case f.role != roleCode:
		case f.name == b.group:
			s.Group, s.Groups = f.codes, f.dict.names
			if slices.Contains(b.opts.Columns, f.name) {
				s.Columns = append(s.Columns, Column{Name: f.name, Code: f.codes, Levels: f.dict.names})
			}
		default:
			s.Columns = append(s.Columns, Column{Name: f.name, Code: f.codes, Levels: f.dict.names})
		}
	}
	if s.Task == exam.Regression {
		s.Target, s.Value = b.field("label").numbers, b.field("prediction").numbers
		return s, nil
	}
	return s, b.classes(s)
}

// classes gives label, prediction and p_<class> one list of classes.
func (b *builder) classes(s *Set) error {
	label, pred := b.field("label"), b.field("prediction")
	var proba []*field
	names := map[string]bool{}
	for _, name := range slices.Concat(label.dict.names, pred.dict.names) {
		names[name] = true
	}
	for _, f := range b.fields {
		if class, ok := strings.CutPrefix(f.name, "p_"); ok && f.role == roleScore {
			proba = append(proba, f)
			names[class] = true
		}
	}
	clean := canonicalClasses(names)
	index := map[string]int32{}
	for _, name := range clean {
		if _, ok := index[name]; !ok {
			index[name] = 0
		}
	}
	if s.Task == exam.Binary && b.opts.Positive != "" && len(index) < 2 {
		index[b.opts.Positive] = 0
	}
	s.Classes = sortedClasses(index)
	for i, name := range s.Classes {
		index[name] = int32(i)
	}
	recode := func(f *field) []int32 {
		to := make([]int32, len(f.dict.names))
		for i, name := range f.dict.names {
			to[i] = index[clean[name]]
		}
		for i, c := range f.codes {
			f.codes[i] = to[c]
		}
		return f.codes
	}
	s.Label, s.Pred = recode(label), recode(pred)
	if s.Task == exam.Binary {
		if err := b.binary(s); err != nil {
			return err
		}
	}
	if len(proba) == 0 {
		return nil
	}
	byClass := make([][]float64, len(s.Classes))
	for _, f := range proba {
		byClass[index[clean[strings.TrimPrefix(f.name, "p_")]]] = f.numbers
	}
	for k, class := range s.Classes {
		if byClass[k] != nil {
			continue
		}
		if s.Task == exam.Binary && len(proba) == 1 {
			break // p_<positive> alone is a score
		}
		row, column := firstOf(s, int32(k))
		return b.rowError(row, column, "class %q has no column %q", class, "p_"+class)
	}
	if len(proba) > 1 {
		if err := b.sums(proba); err != nil {
			return err
		}
	}
	if s.Task == exam.Multiclass {
		s.Proba = byClass
		return nil
	}
	if s.Score == nil {
		s.Score = byClass[s.Positive]
	}
	return nil
}

// binary finds the positive class and refuses a third.
func (b *builder) binary(s *Set) error {
	if len(s.Classes) > 2 {
		row, column := firstOf(s, int32(len(s.Classes)-1))
		return b.rowError(row, column, "%d classes (%s) in a binary task; use task multiclass, or mend the file",
			len(s.Classes), quoted(s.Classes))
	}
	if len(s.Classes) == 1 {
		// One class only: metrics that need both are undefined. The other
		// class needs a place, not a true name.
		switch strings.ToLower(s.Classes[0]) {
		case "1", "true", "yes", "positive", "t", "y":
			s.Classes = append(s.Classes, "(other)")
			s.Positive = 0
		default:
			s.Classes = append(s.Classes, "(other)")
			s.Positive = 1
		}
	} else {
		s.Positive = 1
	}
	if p := b.opts.Positive; p != "" {
		at := slices.Index(s.Classes, p)
		if at < 0 {
			return usagef("%s: the positive class %q is not among the classes %s", b.file, p, quoted(s.Classes))
		}
		s.Positive = at
	}
	if f := b.field("score"); f != nil {
		s.Score = f.numbers
	}
	return nil
}

// sums refuses a row whose probabilities do not sum to 1.
func (b *builder) sums(proba []*field) error {
	for i := range b.rows {
		var sum float64
		for _, f := range proba {
			sum += f.numbers[i]
		}
		if math.Abs(sum-1) > sumTolerance {
			return b.rowError(i, proba[0].name, "the probabilities p_<class> sum to %.6g, not to 1", sum)
		}
	}
	return nil
}

// firstOf returns the first row and column that hold class k.
func firstOf(s *Set, k int32) (int, string) {
	at, column := s.N, "prediction"
	if i := slices.Index(s.Pred, k); i >= 0 {
		at = i
	}
	if i := slices.Index(s.Label, k); i >= 0 && i <= at {
		at, column = i, "label"
	}
	if at == s.N {
		at = 0
	}
	return at, column
}

// canonicalClasses maps each name to the one that it stands for: where all
// names are whole numbers, "1.0" is "1", as one tool writes integers and
// another floats.
func canonicalClasses(names map[string]bool) map[string]string {
	clean := make(map[string]string, len(names))
	whole := true
	for name := range names {
		head, frac, _ := strings.Cut(name, ".")
		_, err := strconv.Atoi(head)
		whole = whole && err == nil && strings.Trim(frac, "0") == ""
		clean[name] = head
	}
	if !whole {
		for name := range names {
			clean[name] = name
		}
	}
	return clean
}

func sortedClasses(index map[string]int32) []string {
	names := make([]string, 0, len(index))
	numeric := true
	for name := range index {
		names = append(names, name)
		_, err := strconv.ParseFloat(name, 64)
		numeric = numeric && err == nil
	}
	slices.SortFunc(names, func(a, b string) int {
		if numeric {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			if x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return strings.Compare(a, b)
	})
	return names
}
