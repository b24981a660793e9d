package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// sumTolerance is how far probabilities may sum from 1, as package predictions
// has it.
const sumTolerance = 1e-3

// classify gives labels and predictions one list of classes and fills in the
// scores.
func (a *answers) classify(o Options, set *predictions.Set) error {
	t := o.Table
	label, err := t.Need(o.Data.Label)
	if err != nil {
		return err
	}
	truth := predictions.NewColumn(o.Data.Label, cells(label))
	labelled := a.rows == nil
	if !labelled {
		truth.Levels = slices.DeleteFunc(truth.Levels, table.Missing)
	}
	model, err := a.modelClasses(truth.Levels)
	if err != nil {
		return err
	}
	answered := predictions.NewColumn("", a.label)
	if labelled {
		if err := a.missing(t, label, truth, model, answered.Levels); err != nil {
			return err
		}
	}
	spell, err := predictions.OneSpelling(o.Data.Positive,
		predictions.ClassNames{Where: fmt.Sprintf("column %q of %s", o.Data.Label, t.Path()), Names: truth.Levels},
		predictions.ClassNames{Where: "the model's signature", Names: model}, predictions.ClassNames{Where: "the model's answer", Names: answered.Levels})
	if err != nil {
		return fault.TwoReadings.Usage(err)
	}
	clean := func(names []string) []string {
		out := make([]string, len(names))
		for i, name := range names {
			out[i] = spell(name)
		}
		return out
	}
	set.Classes = predictions.SortClasses(slices.Concat(clean(truth.Levels), clean(model), clean(answered.Levels)))
	of := func(names []string) []int32 {
		out := make([]int32, len(names))
		for i, name := range clean(names) {
			out[i] = int32(slices.Index(set.Classes, name))
		}
		return out
	}
	codes := of(truth.Levels)
	columns := of(model)
	if labelled {
		if err := a.unknown(o, label.At, truth, codes, columns); err != nil {
			return err
		}
		set.Label = recode(truth.Code, codes)
	}
	if len(model) > 0 {
		for i, class := range of(answered.Levels) {
			if !slices.Contains(columns, class) {
				return fault.BadAnswer.Failed(fmt.Errorf("the model answers the class %q for %s, which is none of its classes %s",
					clip(answered.Levels[i]), a.at(slices.Index(answered.Code, int32(i))), quoted(model)))
			}
		}
	}
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

// missing refuses a label that is a missing value. A spelling of one, such as
// None, is a class where the model says that it is.
func (a *answers) missing(t *dataset.Table, label dataset.Column, truth predictions.Column, model, answered []string) error {
	first := -1
	for i, name := range truth.Levels {
		if !table.Missing(name) || name != "" && (slices.Contains(model, name) || slices.Contains(answered, name)) {
			continue
		}
		if row := slices.Index(truth.Code, int32(i)); first < 0 || row < first {
			first = row
		}
	}
	if first < 0 {
		return nil
	}
	return refuseCell(fault.BadLabels, t, first, label, "is no class, but a missing value; label the row or leave it out")
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
	spell, err := predictions.OneSpelling("", predictions.ClassNames{Where: "the label column of " + a.table.Path(), Names: labels})
	if err != nil {
		return nil, fault.TwoReadings.Usage(err)
	}
	labels = slices.Clone(labels)
	for i, name := range labels {
		labels[i] = spell(name)
	}
	if labels = predictions.SortClasses(labels); len(labels) != a.wide {
		return nil, fault.OutputsDoNotFit.Usage(fmt.Errorf("the model's output %q has %d classes without names, and the labels of %s are %d: %s; seal the model, so that its classes are named",
			a.roles.proba.Name, a.wide, a.table.Path(), len(labels), quoted(labels)))
	}
	return labels, nil
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
	model := a.roles.proba.Classes
	if o.Task == exam.Binary && strangers == len(codes) && len(codes) == 2 && len(model) == 2 {
		x, y := quoted(truth.Levels[:1]), quoted(truth.Levels[1:])
		return fault.BadLabels.Usage(fmt.Errorf("%s: column %q: the labels are %s and %s, the model's classes %s: either may be either; write the labels as the model's classes",
			at(o.Table, first), o.Data.Label, x, y, quoted(model)))
	}
	return fault.BadLabels.Usage(fmt.Errorf("%s: column %q: %q is none of the model's classes %s; train and label with the same names",
		at(o.Table, first), o.Data.Label, clip(cell(first)), quoted(model)))
}

// binary checks that there are two classes and finds the positive one.
func (a *answers) binary(o Options, set *predictions.Set, clean func([]string) []string, truth predictions.Column) error {
	var shown []string
	for _, name := range truth.Levels {
		if shown = predictions.SortClasses(append(shown, clean([]string{name})...)); len(shown) > 2 {
			row := rowOf(o, name)
			return fault.BadLabels.Usage(fmt.Errorf("%s: column %q: %q is a third class in a binary task (%s); use task: multiclass", at(o.Table, row), o.Data.Label, clip(name), quoted(truth.Levels)))
		}
	}
	if len(set.Classes) > 2 {
		return fault.BadLabels.Failed(fmt.Errorf("the model and the labels of %s have the classes %s together; a binary task has two", o.Table.Path(), quoted(set.Classes)))
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
			set.Classes = predictions.SortClasses(set.Classes)
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
		return fault.BadLabels.Usage(fmt.Errorf("data.positive is %q, and the classes are %s", o.Data.Positive, quoted(set.Classes)))
	}
	return nil
}

// rowOf is the first row with that label.
func rowOf(o Options, name string) int {
	label, _ := o.Table.Column(o.Data.Label)
	for i := range label.Len() {
		if label.At(i) == name {
			return i
		}
	}
	return 0
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
			return fault.BadLabels.Usage(fmt.Errorf("data.positive is %q, and the model's classes are %s", o.Data.Positive, quoted(a.roles.proba.Classes)))
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
			return fault.BadAnswer.Failed(fmt.Errorf("the model's probabilities in its output %q sum to %.6g for %s, not to 1", a.roles.proba.Name, sum, a.at(i)))
		}
	}
	return nil
}

// probabilities brings back what rounding took out of [0,1] and refuses the
// rest.
func (a *answers) probabilities(values []float64, name string, wide int) error {
	for i, v := range values {
		if v < -predictions.Rounding || v > 1+predictions.Rounding {
			return fault.BadAnswer.Failed(fmt.Errorf("the model answers %v in its output %q for %s, which is no probability; let the model apply a sigmoid or softmax", v, name, a.at(i/wide)))
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

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strconv.Quote(clip(name))
	}
	return list(out)
}
