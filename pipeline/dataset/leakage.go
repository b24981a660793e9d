package dataset

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// maxExamples is the number of examples that a finding shows.
const maxExamples = 5

// LeakageOptions names the columns that have a meaning; all may be empty.
type LeakageOptions struct {
	// Features are the columns that the model sees. Empty: all columns that
	// both tables have but the others named here and running numbers.
	Features []string
	Label    string
	ID       string
	Group    string
	Weight   string
	Time     string
}

// LeakageReport is what the training and the evaluation table share.
type LeakageReport struct {
	TrainRows int `json:"train_rows"`
	EvalRows  int `json:"eval_rows"`
	// TrainUnit and EvalUnit are what the tables' examples are counted in:
	// "line" of a text, "row" of Parquet.
	TrainUnit string `json:"train_unit"`
	EvalUnit  string `json:"eval_unit"`
	// Rows are evaluation rows whose features and label a training row has too,
	// cell by cell, by what the cells say: 1 is 1.0.
	Rows Overlap `json:"rows"`
	// TrainRepeats is the number of training rows that another one equals. Where
	// rows repeat within one table, some repeat across two by chance: by
	// ByChance, as many of the evaluation rows.
	TrainRepeats int     `json:"train_repeats"`
	ByChance     float64 `json:"by_chance"`
	// BeyondChance says that more evaluation rows equal a training row than
	// chance gives; see beyondChance.
	BeyondChance bool `json:"beyond_chance,omitempty"`
	// IDs and Groups are nil where no such column was named, or the training
	// table lacks it: rows are paired and grouped for the evaluation, and a
	// trainer need not know by what. Empty cells are not compared.
	IDs    *Overlap `json:"ids,omitempty"`
	Groups *Overlap `json:"groups,omitempty"`
	// Time is nil where no such column was named.
	Time *TimeOrder `json:"time,omitempty"`
	// Unchecked are the columns by which nothing could be looked for.
	Unchecked []string `json:"unchecked,omitempty"`
	// LooksLikeGroup lists columns that look like the id of a group, when none
	// was named.
	LooksLikeGroup []GroupLike `json:"looks_like_group,omitempty"`
}

// Found reports whether anything leaks. Columns that only look like a group
// do not count.
func (r LeakageReport) Found() bool {
	return r.Rows.Rows > 0 || (r.IDs != nil && r.IDs.Rows > 0) || (r.Groups != nil && r.Groups.Rows > 0) || (r.Time != nil && r.Time.After > 0)
}

// Overlap counts the rows of the evaluation table that meet a training row.
type Overlap struct {
	Rows     int       `json:"rows"`   // evaluation rows
	Levels   int       `json:"levels"` // different keys among them
	Examples []Example `json:"examples,omitempty"`
}

// Example is one evaluation row and the first training row that it meets.
type Example struct {
	TrainLine int    `json:"train_line"`
	EvalLine  int    `json:"eval_line"`
	Value     string `json:"value,omitempty"` // of the id or group, shortened; text from outside
}

// TimeOrder counts the training rows that are later than the first evaluation
// row.
type TimeOrder struct {
	After        int    `json:"after"`
	FirstEval    string `json:"first_eval"` // text from outside
	FirstLine    int    `json:"first_eval_line"`
	LastTrain    string `json:"last_train"` // text from outside
	LastLine     int    `json:"last_train_line"`
	ExampleLines []int  `json:"example_lines,omitempty"` // of training rows
}

// Leakage looks for what train and eval share. It takes time linear in the
// rows. A column that is named and not there is an error, but for an id or group
// that only the evaluation table has.
func Leakage(ctx context.Context, train, eval *Table, o LeakageOptions) (LeakageReport, error) {
	r := LeakageReport{TrainRows: train.Rows(), EvalRows: eval.Rows(), TrainUnit: train.Unit(), EvalUnit: eval.Unit()}
	if err := r.rows(ctx, train, eval, o); err != nil {
		return LeakageReport{}, err
	}
	for _, c := range []struct {
		name string
		into **Overlap
	}{{o.ID, &r.IDs}, {o.Group, &r.Groups}} {
		if c.name == "" {
			continue
		}
		if _, ok := train.Column(c.name); !ok {
			if _, err := eval.Need(c.name); err != nil {
				return LeakageReport{}, err
			}
			r.Unchecked = append(r.Unchecked, c.name)
			continue
		}
		a, b, err := pair(train, eval, c.name)
		if err != nil {
			return LeakageReport{}, err
		}
		a.names, b.names = true, true
		overlap, _, _ := shared(ctx, a, train, b, eval, table.Missing)
		*c.into = &overlap
	}
	if o.Time != "" {
		order, err := timeOrder(ctx, train, eval, o.Time)
		if err != nil {
			return LeakageReport{}, err
		}
		r.Time = &order
	}
	if o.Group == "" {
		r.LooksLikeGroup = groupLike(ctx, train, eval, o)
	}
	return r, ctx.Err()
}

// rows looks for equal rows.
func (r *LeakageReport) rows(ctx context.Context, train, eval *Table, o LeakageOptions) error {
	names := o.Features
	if len(names) == 0 {
		names = comparable(train, eval, o)
	}
	if len(names) == 0 {
		return nil
	}
	if o.Label != "" && !slices.Contains(names, o.Label) {
		names = append(slices.Clone(names), o.Label)
	}
	a, b, err := pair(train, eval, names...)
	if err != nil {
		return err
	}
	overlap, index, squares := shared(ctx, a, train, b, eval, nil)
	repeated, trainSquares := index.repeats()
	r.Rows, r.TrainRepeats = overlap, repeated
	if train.Rows() > 0 {
		r.ByChance = float64(repeated) / float64(train.Rows()) * float64(eval.Rows())
	}
	r.BeyondChance = beyondChance(
		met{rows: overlap.Rows, of: eval.Rows(), squares: squares},
		met{rows: repeated, of: train.Rows(), squares: trainSquares})
	return nil
}

// comparable are the columns by which rows are compared where no features are
// named: all that both tables have but those of another meaning. A running
// number says nothing about a row; with it no row would equal another.
func comparable(train, eval *Table, o LeakageOptions) []string {
	var names []string
	for _, name := range eval.Columns() {
		a, both := train.Column(name)
		if !both || slices.Contains([]string{o.Label, o.ID, o.Group, o.Weight, o.Time}, name) {
			continue
		}
		if b, _ := eval.Column(name); running(a) || running(b) {
			continue
		}
		names = append(names, name)
	}
	return names
}

// running reports whether each cell of a column is the one before it plus one.
func running(c Column) bool {
	const least = 10
	if c.Len() < least {
		return false
	}
	before, ok := c.Float(0)
	for i := 1; ok && i < c.Len(); i++ {
		var v float64
		if v, ok = c.Float(i); ok {
			ok, before = v == before+1, v
		}
	}
	return ok
}

// pair returns the key of the same columns in both tables.
func pair(train, eval *Table, names ...string) (a, b key, err error) {
	seed := maphash.MakeSeed()
	a.seed, b.seed = seed, seed
	for _, name := range names {
		c, err := train.Need(name)
		if err != nil {
			return a, b, err
		}
		d, err := eval.Need(name)
		if err != nil {
			return a, b, err
		}
		a.columns, b.columns = append(a.columns, c), append(b.columns, d)
	}
	return a, b, nil
}

// shared counts the rows of eval whose key is in train, and adds up the squares
// of how many there are of each such key. A key of one column is left out where
// skip holds, and shown in the examples.
func shared(ctx context.Context, a key, train *Table, b key, eval *Table, skip func(cell string) bool) (Overlap, *rowIndex, float64) {
	var skipTrain, skipEval func(i int) bool
	if skip != nil {
		skipTrain = func(i int) bool { return skip(a.columns[0].At(i)) }
		skipEval = func(i int) bool { return skip(b.columns[0].At(i)) }
	}
	index := newRowIndex(ctx, a, train.Rows(), skipTrain)
	var o Overlap
	hits := make([]uint32, train.Rows()) // by the first training row of the key
	squares := 0.0
	for i := range eval.Rows() {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			break // the caller looks
		}
		if skipEval != nil && skipEval(i) {
			continue
		}
		j, ok := index.find(b, i)
		if !ok {
			continue
		}
		o.Rows++
		if hits[j] == 0 {
			o.Levels++
		}
		squares += 2*float64(hits[j]) + 1 // (n+1)² - n²
		hits[j]++
		if len(o.Examples) < maxExamples {
			e := Example{TrainLine: train.Line(j), EvalLine: eval.Line(i)}
			if skip != nil {
				e.Value = clip(b.columns[0].At(i))
			}
			o.Examples = append(o.Examples, e)
		}
	}
	return o, index, squares
}

// CheckTimes returns what is wrong with a column of times, by which Leakage
// would end.
func CheckTimes(ctx context.Context, train, eval *Table, name string) error {
	_, err := timeOrder(ctx, train, eval, name)
	return err
}

func timeOrder(ctx context.Context, train, eval *Table, name string) (TimeOrder, error) {
	a, b, err := pair(train, eval, name)
	if err != nil {
		return TimeOrder{}, err
	}
	if train.Rows() == 0 || eval.Rows() == 0 {
		return TimeOrder{}, nil
	}
	var clock clock
	var first, last instant
	o := TimeOrder{}
	for i := range eval.Rows() {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return TimeOrder{}, ctx.Err()
		}
		at, err := clock.read(b.columns[0].At(i))
		if err != nil {
			return TimeOrder{}, fault.At(eval.Place(i), fault.BadCell.Usage(fmt.Errorf("%s: column %q: %w", eval.Place(i), name, err)))
		}
		if i == 0 || at.before(first) {
			first, o.FirstEval, o.FirstLine = at, b.columns[0].At(i), eval.Line(i)
		}
	}
	for i := range train.Rows() {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return TimeOrder{}, ctx.Err()
		}
		at, err := clock.read(a.columns[0].At(i))
		if err != nil {
			return TimeOrder{}, fault.At(train.Place(i), fault.BadCell.Usage(fmt.Errorf("%s: column %q: %w", train.Place(i), name, err)))
		}
		if i == 0 || last.before(at) {
			last, o.LastTrain, o.LastLine = at, a.columns[0].At(i), train.Line(i)
		}
		if first.before(at) {
			o.After++
			if len(o.ExampleLines) < maxExamples {
				o.ExampleLines = append(o.ExampleLines, train.Line(i))
			}
		}
	}
	return o, nil
}
