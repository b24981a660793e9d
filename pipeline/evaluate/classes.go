package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

const (
	// roundingOf is how far a probability in single precision may leave [0,1].
	roundingOf = 1e-6
	// sumTolerance is how far probabilities may sum from 1, as package
	// predictions has it.
	sumTolerance = 1e-3
)

// classify gives labels and predictions one list of classes and fills in the
// scores.
func (a *answers) classify(o Options, set *predictions.Set) error {
	t := o.Table
	label, err := t.Need(o.Data.Label)
	if err != nil {
		return err
	}
	truth := predictions.NewColumn(o.Data.Label, cells(label))
	if empty := slices.Index(truth.Levels, ""); empty >= 0 {
		return refuseCell(t, slices.Index(truth.Code, int32(empty)), label, "is no class")
	}
	model, err := a.modelClasses(truth.Levels)
	if err != nil {
		return err
	}
	answered := predictions.NewColumn("", a.label)
	names := slices.Concat(truth.Levels, model, answered.Levels)
	if o.Data.Positive != "" {
		names = append(names, o.Data.Positive)
	}
	clean := canonical(names)
	set.Classes = distinct(clean(truth.Levels), clean(model), clean(answered.Levels))
	of := func(names []string) []int32 {
		out := make([]int32, len(names))
		for i, name := range clean(names) {
			out[i] = int32(slices.Index(set.Classes, name))
		}
		return out
	}
	codes := of(truth.Levels)
	columns := of(model)
	if err := a.unknown(o, label.At, truth, codes, columns); err != nil {
		return err
	}
	if len(model) > 0 {
		for i, class := range of(answered.Levels) {
			if !slices.Contains(columns, class) {
				return fault.Failed(fmt.Errorf("the model answers the class %q for %s, which is none of its classes %s",
					clip(answered.Levels[i]), at(t, slices.Index(answered.Code, int32(i))), quoted(model)))
			}
		}
	}
	set.Label = recode(truth.Code, codes)
	if o.Task == exam.Binary {
		if err := a.binary(o, set, clean, truth); err != nil {
			return err
		}
	}
	if err := a.scores(o, set, columns); err != nil {
		return err
	}
	set.Pred = a.predict(set, recode(answered.Code, of(answered.Levels)))
	return nil
}

// modelClasses are the classes that the model can answer: what its signature
// names, else the table's where their number is that of the probabilities.
func (a *answers) modelClasses(labels []string) ([]string, error) {
	if a.roles.proba == nil {
		return nil, nil
	}
	if len(a.roles.proba.Classes) > 0 {
		return a.roles.proba.Classes, nil
	}
	if len(labels) != a.wide {
		return nil, fault.Usage(fmt.Errorf("the model's output %q has %d classes without names, and the labels of %s are %d: %s; seal the model, so that its classes are named",
			a.roles.proba.Name, a.wide, a.table.Path(), len(labels), quoted(labels)))
	}
	return distinct(canonical(labels)(labels)), nil
}

// unknown refuses labels that are not the model's classes. In a multiclass
// task a model may lack a class that is new in the data (it is wrong on those
// rows), but not all of them.
func (a *answers) unknown(o Options, cell func(int) string, truth predictions.Column, codes, columns []int32) error {
	if len(columns) == 0 {
		return nil
	}
	first, strangers := -1, 0
	for i, class := range codes {
		if slices.Contains(columns, class) {
			continue
		}
		strangers++
		if row := slices.Index(truth.Code, int32(i)); first < 0 || row < first {
			first = row
		}
	}
	if strangers == 0 || o.Task == exam.Multiclass && strangers < len(codes) {
		return nil
	}
	return fault.Usage(fmt.Errorf("%s: column %q: %q is none of the model's classes %s; train and label with the same names",
		at(o.Table, first), o.Data.Label, clip(cell(first)), quoted(a.roles.proba.Classes)))
}

// binary checks that there are two classes and finds the positive one.
func (a *answers) binary(o Options, set *predictions.Set, clean func([]string) []string, truth predictions.Column) error {
	if len(truth.Levels) > 2 {
		row := slices.Index(truth.Code, 2)
		return fault.Usage(fmt.Errorf("%s: column %q: %q is a third class in a binary task (%s); use task: multiclass", at(o.Table, row), o.Data.Label, clip(truth.Levels[2]), quoted(truth.Levels)))
	}
	if len(set.Classes) > 2 {
		return fault.Failed(fmt.Errorf("the model and the labels of %s have the classes %s together; a binary task has two", o.Table.Path(), quoted(set.Classes)))
	}
	positive := o.Data.Positive
	if positive != "" {
		positive = clean([]string{positive})[0]
	}
	if len(set.Classes) == 1 {
		// A place for the class that nobody showed, as package predictions has it.
		other := "(other)"
		if positive != "" && positive != set.Classes[0] {
			other = positive
		}
		shown := set.Classes[0]
		set.Classes = []string{shown, other}
		if other != "(other)" {
			set.Classes = distinct(set.Classes)
		}
		if at := int32(slices.Index(set.Classes, shown)); at > 0 {
			for i := range set.Label {
				set.Label[i] = at
			}
		}
	}
	set.Positive = len(set.Classes) - 1
	if positive == "" {
		return nil
	}
	if set.Positive = slices.Index(set.Classes, positive); set.Positive < 0 {
		return fault.Usage(fmt.Errorf("data.positive is %q, and the classes are %s", o.Data.Positive, quoted(set.Classes)))
	}
	return nil
}

// scores fills in Score or Proba. columns are the classes of the
// probabilities, by column.
func (a *answers) scores(o Options, set *predictions.Set, columns []int32) error {
	switch {
	case a.value != nil:
		set.Score = a.value
		return a.probabilities(set.Score, a.roles.value.Name, 1)
	case a.proba == nil:
		return nil
	}
	if err := a.probabilities(a.proba, a.roles.proba.Name, a.wide); err != nil {
		return err
	}
	if o.Task == exam.Binary {
		column := slices.Index(columns, int32(set.Positive))
		if column < 0 {
			return fault.Usage(fmt.Errorf("data.positive is %q, and the model's classes are %s", o.Data.Positive, quoted(a.roles.proba.Classes)))
		}
		set.Score = make([]float64, set.N)
		for i := range set.Score {
			set.Score[i] = a.proba[i*a.wide+column]
		}
		return nil
	}
	set.Proba = make([][]float64, len(set.Classes))
	for k := range set.Proba {
		set.Proba[k] = make([]float64, set.N)
	}
	for i := range set.N {
		sum := 0.0
		for j, class := range columns {
			p := a.proba[i*a.wide+j]
			set.Proba[class][i] = p
			sum += p
		}
		if math.Abs(sum-1) > sumTolerance {
			return fault.Failed(fmt.Errorf("the model's probabilities in its output %q sum to %.6g for %s, not to 1", a.roles.proba.Name, sum, at(a.table, i)))
		}
	}
	return nil
}

// probabilities brings back what rounding took out of [0,1] and refuses the
// rest.
func (a *answers) probabilities(values []float64, name string, wide int) error {
	for i, v := range values {
		if v < -roundingOf || v > 1+roundingOf {
			return fault.Failed(fmt.Errorf("the model answers %v in its output %q for %s, which is no probability; let the model apply a sigmoid or softmax", v, name, at(a.table, i/wide)))
		}
		values[i] = min(max(v, 0), 1)
	}
	return nil
}

// predict returns the predicted classes: the model's labels, else what its
// scores say.
func (a *answers) predict(set *predictions.Set, labels []int32) []int32 {
	if a.label != nil {
		return labels
	}
	out := make([]int32, set.N)
	for i := range out {
		switch {
		case set.Score != nil:
			// The other of two classes is 1 - positive.
			out[i] = int32(1 - set.Positive)
			if set.Score[i] >= 0.5 {
				out[i] = int32(set.Positive)
			}
		default:
			for k := range set.Proba {
				if set.Proba[k][i] > set.Proba[out[i]][i] {
					out[i] = int32(k)
				}
			}
		}
	}
	return out
}

func recode(codes, to []int32) []int32 {
	out := make([]int32, len(codes))
	for i, c := range codes {
		out[i] = to[c]
	}
	return out
}

// canonical returns what maps names to those that they stand for: where all of
// names are whole numbers, "1.0" is "1".
func canonical(names []string) func([]string) []string {
	whole := func(name string) (string, bool) {
		head, fraction, _ := strings.Cut(name, ".")
		_, err := strconv.Atoi(head)
		return head, err == nil && strings.Trim(fraction, "0") == ""
	}
	for _, name := range names {
		if _, ok := whole(name); !ok {
			return slices.Clone[[]string]
		}
	}
	return func(names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i], _ = whole(name)
		}
		return out
	}
}

// distinct returns the distinct names, sorted by number where all are numbers,
// else by text, as package predictions sorts classes.
func distinct(lists ...[]string) []string {
	out := slices.Concat(lists...)
	numeric := !slices.ContainsFunc(out, func(s string) bool {
		_, err := strconv.ParseFloat(s, 64)
		return err != nil
	})
	slices.SortFunc(out, func(a, b string) int {
		if numeric {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			if c := cmp.Compare(x, y); c != 0 {
				return c
			}
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(out)
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strconv.Quote(clip(name))
	}
	return list(out)
}
