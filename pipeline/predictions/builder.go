package predictions

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
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

// Rounding is how far a probability may leave [0,1]: what a softmax or a sum in
// float32 leaves. It is brought back.
const Rounding = 1e-6

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
	// place names the row that is read; nil: by its number.
	place func() string
	// placeOf names a row, when all are read.
	placeOf func(file string, row int) string
}

func columnf(format string, args ...any) error {
	return fault.ColumnAbsent.Usage(fmt.Errorf(format, args...))
}

func labelsf(format string, args ...any) error {
	return fault.BadLabels.Usage(fmt.Errorf(format, args...))
}

func usagef(format string, args ...any) error {
	return fault.TableMalformed.Usage(fmt.Errorf(format, args...))
}

// cellError names the row that is read and a column.
func (b *builder) cellError(f *field, format string, args ...any) error {
	place := fmt.Sprintf("%s: row %d", b.file, f.length()+1)
	if b.place != nil {
		place = b.place()
	}
	code := fault.BadCell
	switch f.role {
	case roleID:
		code = fault.BadIDs
	case roleClass:
		code = fault.BadLabels
	}
	return fault.At(place, code.Usage(fmt.Errorf("%s: column %q: %w", place, f.name, fmt.Errorf(format, args...))))
}

// rowError names a row, from 0, and a column.
func (b *builder) rowError(row int, column, format string, args ...any) error {
	place, code := b.placeOf(b.file, row), fault.BadLabels
	if column == "id" {
		code = fault.BadIDs
	}
	return fault.At(place, code.Usage(fmt.Errorf("%s: column %q: %w", place, column, fmt.Errorf(format, args...))))
}

// newBuilder assigns a role to each column of the header.
func newBuilder(file string, head table.Header, opts Options) (*builder, error) {
	b := &builder{file: file, opts: opts}
	header := slices.DeleteFunc(slices.Clone(head.Names), func(name string) bool { return name == "" })
	b.group, b.weight = means(header, "group", opts.Group), means(header, "weight", opts.Weight)
	seen := map[string]bool{}
	scored := false
	for _, name := range head.Names {
		if seen[name] && name != "" {
			return nil, usagef("%s: column %q stands there twice", file, name)
		}
		seen[name] = true
		f := &field{name: name, role: b.role(name)}
		scored = scored || f.role == roleScore
		b.fields = append(b.fields, f)
	}
	lacks := func(name, why string) error {
		if kind, ok := head.Nested[name]; ok {
			return columnf("%s: column %q%s is %s, and predictions have one value a row and column", file, name, why, kind)
		}
		return columnf("%s: there is no column %q%s; the header has %s", file, name, why, quoted(header))
	}
	if !seen["label"] {
		return nil, lacks("label", "")
	}
	if !seen["prediction"] && !scored {
		return nil, lacks("prediction", "")
	}
	for _, c := range []struct{ role, name string }{{"group", opts.Group}, {"weight", opts.Weight}} {
		if c.name != "" && !seen[c.name] && !seen[c.role] {
			return nil, lacks(c.name, ", which the config names as "+c.role)
		}
	}
	for _, name := range opts.Columns {
		if !seen[name] {
			return nil, lacks(name, ", which a slice of the config names")
		}
	}
	return b, nil
}

// role says what a column is for; one without a name is for nothing.
func (b *builder) role(name string) role {
	task := b.opts.Task
	switch {
	case name == "":
		return roleSkip
	case name == "id":
		return roleID
	case (name == "label" || name == "prediction") && task == exam.Regression:
		return roleNumber
	case name == "label" || name == "prediction":
		return roleClass
	case name == "score" && task == exam.Binary, strings.HasPrefix(name, "p_") && task != exam.Regression:
		return roleScore
	case name == b.weight:
		return roleWeight
	case name == b.group, b.opts.Columns == nil, slices.Contains(b.opts.Columns, name):
		return roleCode
	}
	return roleSkip
}

// number reports whether the field collects numbers.
func (f *field) number() bool {
	return f.role == roleNumber || f.role == roleScore || f.role == roleWeight
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
			return b.cellError(f, "the id is empty")
		}
		f.arena.Write(text)
		f.ends = append(f.ends, f.arena.Len())
	case roleClass:
		if len(text) == 0 {
			return b.cellError(f, "the class is empty")
		}
		f.codes = append(f.codes, f.dict.code(text))
	case roleCode:
		f.codes = append(f.codes, f.dict.code(text))
	default:
		v, ok := table.Number(text)
		if !ok {
			if why := table.WhyNoNumber(string(text)); why != "" {
				return b.cellError(f, "%q is not a number: %s", clip(text), why)
			}
			return b.cellError(f, "%q is not a number", clip(text))
		}
		if math.IsNaN(v) {
			if len(text) == 0 {
				return b.cellError(f, "the value is empty")
			}
			return b.cellError(f, "the value is %s, which is none", clip(text))
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
		return b.cellError(f, "the value is %v; only finite numbers can be judged", v)
	case f.role == roleScore && (v < -Rounding || v > 1+Rounding):
		return b.cellError(f, "%v is not a probability, which is between 0 and 1", v)
	case f.role == roleScore:
		v = min(max(v, 0), 1)
	case f.role == roleWeight && v < 0:
		return b.cellError(f, "the weight %v is negative", v)
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
func (b *builder) finish(place func(file string, row int) string) (*Set, error) {
	b.placeOf = place
	if b.rows == 0 {
		return nil, fault.NoRows.Usage(fmt.Errorf("%s: there are no rows", b.file))
	}
	s := &Set{Task: b.opts.Task, Name: b.file, N: b.rows}
	if f := b.field("id"); f != nil {
		s.ID = make([]string, b.rows)
		all, from := f.arena.String(), 0
		for i, end := range f.ends {
			s.ID[i], from = all[from:end], end
		}
		s.ID = IDs(s.ID)
		if first, second, dup := duplicate(s.ID); dup {
			return nil, b.rowError(second, "id", "id %q stands at %s already; ids must be unique", clip([]byte(s.ID[second])), b.placeOf(b.file, first))
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
	var named []string
	for _, f := range b.fields {
		if class, ok := strings.CutPrefix(f.name, "p_"); ok && f.role == roleScore {
			proba = append(proba, f)
			named = append(named, class)
		}
	}
	from := []ClassNames{{"the column \"label\"", label.dict.names}, {"the columns p_<class>", named}}
	if pred != nil {
		from = append(from, ClassNames{"the column \"prediction\"", pred.dict.names})
	}
	spell, err := OneSpelling(b.opts.Positive, from...)
	if err != nil {
		return fault.TwoReadings.Usage(fmt.Errorf("%s: %w", b.file, err))
	}
	for _, source := range from {
		for _, name := range source.Names {
			s.Classes = append(s.Classes, spell(name))
		}
	}
	s.Classes = SortClasses(s.Classes)
	if p := b.opts.Positive; s.Task == exam.Binary && p != "" && len(s.Classes) < 2 {
		s.Classes = SortClasses(append(s.Classes, spell(p)))
	}
	index := map[string]int32{}
	for i, name := range s.Classes {
		index[name] = int32(i)
	}
	recode := func(f *field) []int32 {
		to := make([]int32, len(f.dict.names))
		for i, name := range f.dict.names {
			to[i] = index[spell(name)]
		}
		for i, c := range f.codes {
			f.codes[i] = to[c]
		}
		return f.codes
	}
	s.Label = recode(label)
	if pred != nil {
		s.Pred = recode(pred)
	}
	if s.Task == exam.Binary {
		if err := b.binary(s, spell); err != nil {
			return err
		}
	}
	if len(proba) == 0 {
		return nil
	}
	byClass := make([][]float64, len(s.Classes))
	for i, f := range proba {
		at := index[spell(named[i])]
		if byClass[at] != nil {
			return usagef("%s: more than one column holds the probability of class %q", b.file, s.Classes[at])
		}
		byClass[at] = f.numbers
	}
	return b.probabilities(s, proba, byClass)
}

// probabilities fills in Score or Proba from the columns p_<class>.
func (b *builder) probabilities(s *Set, proba []*field, byClass [][]float64) error {
	if s.Task == exam.Binary && len(proba) == 1 {
		// One of two: it is the score, or what is left to 1.
		if s.Score == nil {
			s.Score = byClass[s.Positive]
		}
		if s.Score == nil {
			s.Score = make([]float64, s.N)
			for i, p := range proba[0].numbers {
				s.Score[i] = 1 - p
			}
		}
		return nil
	}
	for k, class := range s.Classes {
		if byClass[k] == nil {
			row, column := firstOf(s, int32(k))
			return b.rowError(row, column, "class %q has no column %q", class, "p_"+class)
		}
	}
	if err := b.sums(proba); err != nil {
		return err
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
func (b *builder) binary(s *Set, spell func(string) string) error {
	if len(s.Classes) > 2 {
		row, column := firstOf(s, int32(len(s.Classes)-1))
		return b.rowError(row, column, "%d classes (%s) in a binary task; use task multiclass, or mend the file",
			len(s.Classes), quoted(s.Classes))
	}
	if len(s.Classes) == 1 {
		// One class only: metrics that need both are undefined. The other
		// class needs a place, not a true name.
		s.Positive = 1
		if yes, ok := truth(s.Classes[0]); ok && yes || strings.EqualFold(s.Classes[0], "positive") {
			s.Positive = 0
		}
		s.Classes = append(s.Classes, other)
	} else {
		s.Positive = 1
	}
	if p := b.opts.Positive; p != "" {
		at := slices.Index(s.Classes, spell(p))
		if at < 0 {
			return labelsf("%s: the positive class %q is not among the classes %s", b.file, p, quoted(s.Classes))
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
