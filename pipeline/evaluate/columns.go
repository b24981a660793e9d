package evaluate

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// Record returns the signature with the columns of the table that each input
// reads, in their order. By it the model is asked from then on, whatever the
// order of a table's columns is and whatever else it has.
func Record(t *dataset.Table, s bundle.Signature, data exam.Data) (bundle.Signature, error) {
	sources, err := match(t, s, data)
	if err != nil {
		return s, err
	}
	out := bundle.Signature{Inputs: slices.Clone(s.Inputs), Outputs: s.Outputs}
	for i, source := range sources {
		out.Inputs[i].Columns = nil
		for _, c := range source.columns {
			out.Inputs[i].Columns = append(out.Inputs[i].Columns, c.Name())
		}
	}
	return out, nil
}

// Places are the recorded columns of a model that takes them by their place:
// what data.features is for another model of the same training. Nil for one
// whose inputs are named after columns, or without recorded columns.
func Places(s bundle.Signature) []string {
	if len(s.Inputs) != 1 || len(s.Inputs[0].Columns) == 1 && plain(s.Inputs[0].Name) == plain(s.Inputs[0].Columns[0]) {
		return nil
	}
	return slices.Clone(s.Inputs[0].Columns)
}

// PlacesIn are the columns of the table that a model without recorded columns
// was judged by: what another table has more, or in another order, is none of
// its own. Nil where the signature says it, or the table does not fit it.
func PlacesIn(t *dataset.Table, s bundle.Signature, data exam.Data) []string {
	if !UnrecordedPlaces(s) {
		return nil
	}
	names, err := Reads(t, s, data)
	if err != nil {
		return nil
	}
	return names
}

// UnrecordedPlaces reports whether a model has one input for several columns,
// and nothing in its bundle says which.
func UnrecordedPlaces(s bundle.Signature) bool {
	return len(s.Inputs) == 1 && !recorded(s) && width(s.Inputs[0]) != 1
}

// recorded reports whether a signature says which columns each input reads.
func recorded(s bundle.Signature) bool {
	return !slices.ContainsFunc(s.Inputs, func(spec bundle.TensorSpec) bool { return len(spec.Columns) == 0 })
}

// matchRecorded finds the columns that the signature names.
func matchRecorded(t *dataset.Table, s bundle.Signature, data exam.Data) ([]source, error) {
	var sources []source
	var missing []string
	for _, spec := range s.Inputs {
		one := source{spec: spec}
		for _, name := range spec.Columns {
			if name == data.Label {
				return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model reads the column %q, which is the label here; train it without", name))
			}
			c, ok := t.Column(name)
			if !ok {
				missing = append(missing, sought(name, t.Columns()))
				continue
			}
			one.columns = append(one.columns, c)
		}
		if w := width(spec); len(missing) == 0 && w >= 0 && w != len(one.columns) {
			return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model's input %q has the shape %v and reads %s: seal it again", spec.Name, spec.Shape, count(len(one.columns), "column")))
		}
		sources = append(sources, one)
	}
	if len(missing) > 0 {
		return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model does not fit %s: it was sealed to read the %s %s, which %s not there; its columns are %s",
			t.Path(), plural(len(missing), "column"), list(missing), isAre(len(missing)), list(t.Columns())))
	}
	return sources, nil
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// takesPlaces reports whether the model takes the columns of a table by their
// place: it has one input, and that is not named after a column.
func takesPlaces(t *dataset.Table, s bundle.Signature) bool {
	if len(s.Inputs) != 1 {
		return false
	}
	return width(s.Inputs[0]) != 1 || byName(t, s.Inputs)[0] == ""
}

// CheckOrder refuses a table whose feature columns are not those of the
// training table in the same order, where the model takes them by their place:
// it would answer with one column in the place of another, and nothing else
// would show it. With data.features, or in a bundle that recorded its columns,
// the order is said. The training table may have further columns that the
// trainer left out.
func CheckOrder(train, asked *dataset.Table, s bundle.Signature, data exam.Data) error {
	if len(data.Features) > 0 || recorded(s) || !takesPlaces(asked, s) {
		return nil
	}
	of := features(asked, data)
	for _, name := range of {
		if _, ok := train.Column(name); !ok {
			return fault.InputsDoNotFit.Usage(fmt.Errorf("the model takes its columns by their place, and %q of %s is no column of %s%s: name the columns in the model's order in data.features",
				name, asked.Path(), train.Path(), spelling.Hint(name, train.Columns())))
		}
	}
	trained := slices.DeleteFunc(features(train, data), func(name string) bool { return !slices.Contains(of, name) })
	for i := range min(len(trained), len(of)) {
		if trained[i] != of[i] {
			return fault.InputsDoNotFit.Usage(fmt.Errorf("the model takes its columns by their place, and the %d. one is %q in %s and %q in %s: name the columns in the model's order in data.features",
				i+1, trained[i], train.Path(), of[i], asked.Path()))
		}
	}
	return nil
}

// features are the columns of a table that are inputs where nothing else is
// said: all that have no other meaning.
func features(t *dataset.Table, data exam.Data) []string {
	with := []string{data.Label, data.ID, data.Group, data.Weight, data.Time}
	return slices.DeleteFunc(t.Columns(), func(name string) bool { return name == "" || slices.Contains(with, name) })
}
