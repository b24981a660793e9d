package predictions

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// other stands for the class of a binary task that no row shows.
const other = "(other)"

// Align returns b with its rows in the order of a, after checking that both
// describe the same rows: the same ids, labels or targets, weights, groups,
// classes and slice columns. Where the order is the same, b itself is
// returned. A column that only one of the two has is left to the one that
// has it.
func Align(a, b *Set) (*Set, error) {
	if a.Task != b.Task {
		return nil, fault.BadLabels.Usage(fmt.Errorf("%s holds a %s task, %s a %s one", a.Name, a.Task, b.Name, b.Task))
	}
	for _, s := range []*Set{a, b} {
		if s.ID == nil {
			return nil, columnf("%s: there is no column \"id\", and rows are paired by it", s.Name)
		}
	}
	b, err := b.spelledAs(a)
	if err != nil {
		return nil, err
	}
	if err := sameClasses(a, b); err != nil {
		return nil, err
	}
	if !slices.Equal(a.ID, b.ID) {
		rows, err := rowsOf(a, b)
		if err != nil {
			return nil, err
		}
		b = b.reorder(rows)
	}
	return b, sameRows(a, b)
}

func rowsf(format string, args ...any) error {
	return fault.OtherRows.Usage(fmt.Errorf(format, args...))
}

// AlignValues returns values, one per row of b, in the order of a's rows.
func AlignValues(a, b *Set, values []float64) ([]float64, error) {
	if slices.Equal(a.ID, b.ID) {
		return values, nil
	}
	rows, err := rowsOf(a, b)
	if err != nil {
		return nil, err
	}
	return pick(values, rows), nil
}

// rowsOf returns for each row of a the row of b with its id.
func rowsOf(a, b *Set) ([]int32, error) {
	x, _, _, _ := newIndex(b.ID) // the reader has refused duplicates
	rows := make([]int32, a.N)
	for i, id := range a.ID {
		row := x.row(id)
		if row < 0 {
			return nil, rowsf("%s: row %d, column \"id\": id %q is not in %s; both files must hold the same rows",
				a.Name, i+1, clip([]byte(id)), b.Name)
		}
		rows[i] = int32(row)
	}
	if a.N == b.N {
		return rows, nil
	}
	taken := make([]bool, b.N)
	for _, row := range rows {
		taken[row] = true
	}
	i := slices.Index(taken, false)
	return nil, rowsf("%s: row %d, column \"id\": id %q is not in %s; both files must hold the same rows",
		b.Name, i+1, clip([]byte(b.ID[i])), a.Name)
}

// spelledAs returns the set with its classes spelled as those of a set that has
// the same by other names: True where it has true.
func (s *Set) spelledAs(a *Set) (*Set, error) {
	if slices.Equal(a.Classes, s.Classes) || a.Task == exam.Regression {
		return s, nil
	}
	shown := func(classes []string) []string {
		return slices.DeleteFunc(slices.Clone(classes), func(name string) bool { return name == other })
	}
	spell, err := OneSpelling("", ClassNames{a.Name, shown(a.Classes)}, ClassNames{s.Name, shown(s.Classes)})
	if err != nil {
		return nil, fault.TwoReadings.Usage(err)
	}
	as := make([]string, len(s.Classes))
	for k, class := range s.Classes {
		as[k] = class
		if class != other {
			as[k] = spell(class)
		}
	}
	if slices.Equal(as, s.Classes) {
		return s, nil
	}
	r := *s
	r.Classes = SortClasses(as)
	if len(r.Classes) < len(as) {
		return nil, fault.BadLabels.Usage(fmt.Errorf("%s has the classes %s, and %s has %s: some of them may be one class or two", s.Name, quoted(s.Classes), a.Name, quoted(a.Classes)))
	}
	if s.Classes[len(s.Classes)-1] == other {
		r.Classes = as // the place of the class that nobody showed stays
	}
	move := make([]int32, len(as))
	for k, class := range as {
		move[k] = int32(slices.Index(r.Classes, class))
	}
	r.Label, r.Pred, r.Positive = recoded(s.Label, move), recoded(s.Pred, move), int(move[s.Positive])
	if s.Proba != nil {
		r.Proba = make([][]float64, len(s.Proba))
		for k, p := range s.Proba {
			r.Proba[move[k]] = p
		}
	}
	return &r, nil
}

func recoded(codes, to []int32) []int32 {
	if codes == nil {
		return nil
	}
	out := make([]int32, len(codes))
	for i, c := range codes {
		out[i] = to[c]
	}
	return out
}

// sameClasses refuses a class that only one file knows: it is another
// encoding of the label, or a model that was trained on other classes.
func sameClasses(a, b *Set) error {
	for _, pair := range [2][2]*Set{{a, b}, {b, a}} {
		has, lacks := pair[0], pair[1]
		for k, class := range has.Classes {
			if slices.Contains(lacks.Classes, class) || class == other {
				continue
			}
			if len(lacks.Classes) == 2 && slices.Contains(lacks.Classes, other) && len(has.Classes) <= 2 {
				continue
			}
			row, column := firstOf(has, int32(k))
			return rowsf("%s: row %d, column %q: class %q is unknown in %s, whose classes are %s",
				has.Name, row+1, column, class, lacks.Name, quoted(lacks.Classes))
		}
	}
	if len(a.Classes) > 0 && (!slices.Equal(a.Classes, b.Classes) || a.Positive != b.Positive) {
		// One file of a binary task never shows the other class.
		from, to := b, a
		if slices.Contains(a.Classes, other) {
			from, to = a, b
		}
		from.adopt(to)
	}
	return nil
}

// adopt recodes s, which holds one class of a binary task, by the classes of
// the set that knows both.
func (s *Set) adopt(full *Set) {
	move := make([]int32, len(s.Classes))
	for k, class := range s.Classes {
		move[k] = int32(max(slices.Index(full.Classes, class), 0))
	}
	s.Label, s.Pred = recoded(s.Label, move), recoded(s.Pred, move)
	s.Classes, s.Positive = full.Classes, full.Positive
}

// sameRows checks that what describes the rows agrees; orders are equal.
func sameRows(a, b *Set) error {
	differ := func(i int, column string, x, y any) error {
		return rowsf("%s: row %d (id %q), column %q: %v, but %s has %v; both files must describe the same rows",
			a.Name, i+1, clip([]byte(a.ID[i])), column, x, b.Name, y)
	}
	for i := range a.Label {
		if a.Label[i] != b.Label[i] {
			return differ(i, "label", a.Classes[a.Label[i]], b.Classes[b.Label[i]])
		}
	}
	for i := range a.Target {
		if a.Target[i] != b.Target[i] {
			return differ(i, "label", a.Target[i], b.Target[i])
		}
	}
	if a.Weight != nil && b.Weight != nil {
		for i := range a.Weight {
			if a.Weight[i] != b.Weight[i] {
				return differ(i, "weight", a.Weight[i], b.Weight[i])
			}
		}
	}
	if a.Group != nil && b.Group != nil {
		if i := codesDiffer(a.Group, b.Group, a.Groups, b.Groups); i >= 0 {
			return differ(i, "group", a.Groups[a.Group[i]], b.Groups[b.Group[i]])
		}
	}
	for _, c := range a.Columns {
		other := b.Column(c.Name)
		if other == nil {
			continue
		}
		if i := codesDiffer(c.Code, other.Code, c.Levels, other.Levels); i >= 0 {
			return differ(i, c.Name, c.Levels[c.Code[i]], other.Levels[other.Code[i]])
		}
	}
	return nil
}

// codesDiffer returns the first row whose texts differ, or -1; each pair of
// codes is compared as text once.
func codesDiffer(a, b []int32, aNames, bNames []string) int {
	to := make([]int32, len(aNames))
	for i := range to {
		to[i] = -1
	}
	for i, x := range a {
		if to[x] == b[i] {
			continue
		}
		if !sameText(aNames[x], bNames[b[i]]) {
			return i
		}
		to[x] = b[i]
	}
	return -1
}

// sameText reports whether two cells say the same: as text, as numbers (1 and
// 1.0), or as the truth words that pandas writes and others spell otherwise.
func sameText(a, b string) bool {
	if a == b {
		return true
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	x, ok := table.TrueFalse(a)
	y, too := table.TrueFalse(b)
	return ok && too && x == y
}

// reorder returns the set with row i taken from rows[i].
func (s *Set) reorder(rows []int32) *Set {
	r := *s
	r.ID = pick(s.ID, rows)
	r.Label, r.Pred = pick(s.Label, rows), pick(s.Pred, rows)
	r.Target, r.Value = pick(s.Target, rows), pick(s.Value, rows)
	r.Score, r.Weight, r.Group = pick(s.Score, rows), pick(s.Weight, rows), pick(s.Group, rows)
	r.N = len(rows)
	if s.Proba != nil {
		r.Proba = make([][]float64, len(s.Proba))
		for k, p := range s.Proba {
			r.Proba[k] = pick(p, rows)
		}
	}
	r.Columns = make([]Column, len(s.Columns))
	for i, c := range s.Columns {
		r.Columns[i] = Column{Name: c.Name, Code: pick(c.Code, rows), Levels: c.Levels}
	}
	return &r
}

func pick[T any](x []T, rows []int32) []T {
	if x == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = x[r]
	}
	return out
}
