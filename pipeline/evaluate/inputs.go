package evaluate

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// Rows returns the inputs of a model for rows of a table, counted from 0; nil
// means all of them. The tensors are in the signature's order. Every error is
// of kind fault.Usage and names both sides, or file, line and column.
func Rows(t *dataset.Table, s bundle.Signature, data exam.Data, rows []int) ([]tensor.Tensor, error) {
	sources, err := match(t, s, data)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = make([]int, t.Rows())
		for i := range rows {
			rows[i] = i
		}
	}
	out := make([]tensor.Tensor, len(sources))
	for i, source := range sources {
		if out[i], err = source.tensor(t, rows); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// source is where the values of one input come from: a column for each value
// of a row.
type source struct {
	spec    bundle.TensorSpec
	columns []dataset.Column
}

// match finds the columns of every input.
func match(t *dataset.Table, s bundle.Signature, data exam.Data) ([]source, error) {
	if len(s.Inputs) == 0 {
		return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model has no inputs"))
	}
	for _, spec := range s.Inputs {
		if data.Label != "" && spec.Name == data.Label {
			return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model takes the label %q as an input; train it without", spec.Name))
		}
	}
	if recorded(s) {
		return matchRecorded(t, s, data)
	}
	named := byName(t, s.Inputs)
	for i, spec := range s.Inputs {
		if name := named[i]; name != "" && name == data.Label {
			return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model takes the label %q as an input, %q; train it without", name, spec.Name))
		}
	}
	if len(s.Inputs) == 1 && takesPlaces(t, s) {
		return matchMatrix(t, s.Inputs[0], data)
	}
	var (
		sources []source
		missing []string
		taken   = map[string]bool{}
	)
	for i, spec := range s.Inputs {
		if width(spec) != 1 {
			return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model's input %q has the shape %v: of several inputs each must take one value a row, a column; join them in one [N,F] input, or split this one", spec.Name, spec.Shape))
		}
		c, ok := t.Column(named[i])
		if !ok {
			missing = append(missing, spec.Name)
			continue
		}
		taken[c.Name()] = true
		sources = append(sources, source{spec, []dataset.Column{c}})
	}
	if len(missing) == 0 {
		return sources, nil
	}
	var left []string
	for _, name := range t.Columns() {
		if !taken[name] {
			left = append(left, name)
		}
	}
	wanted := make([]string, len(missing))
	for i, name := range missing {
		wanted[i] = sought(name, left)
	}
	return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model does not fit %s: there is no column for its %s %s; columns that no input takes: %s",
		t.Path(), plural(len(missing), "input"), list(wanted), orNone(list(left))))
}

// sought is the name of a column that is not there, with the nearest that is.
func sought(name string, columns []string) string {
	if near, ok := spelling.Nearest(name, columns); ok {
		return fmt.Sprintf("%q (did you mean %q?)", name, near)
	}
	return strconv.Quote(name)
}

// byName finds for each input the column that it is named after, "" where
// there is none. Exporters write an underscore for what may not stand in a name
// of theirs, so a column whose name is the same but for that is taken, where
// only one is and no other input is named after it.
func byName(t *dataset.Table, inputs []bundle.TensorSpec) []string {
	out := make([]string, len(inputs))
	taken := map[string]bool{}
	for i, spec := range inputs {
		if _, ok := t.Column(spec.Name); ok {
			out[i], taken[spec.Name] = spec.Name, true
		}
	}
	columns := map[string][]string{}
	for _, name := range t.Columns() {
		if !taken[name] {
			columns[plain(name)] = append(columns[plain(name)], name)
		}
	}
	wanted := map[string]int{}
	for i, spec := range inputs {
		if out[i] == "" {
			wanted[plain(spec.Name)]++
		}
	}
	for i, spec := range inputs {
		like := columns[plain(spec.Name)]
		if out[i] == "" && len(like) == 1 && wanted[plain(spec.Name)] == 1 {
			out[i] = like[0]
		}
	}
	return out
}

// plain is a name with an underscore for everything but letters and digits.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, name)
}

// matchMatrix finds the columns of the only input.
func matchMatrix(t *dataset.Table, spec bundle.TensorSpec, data exam.Data) ([]source, error) {
	columns, from := data.Features, "data.features"
	if len(columns) == 0 {
		from = "the columns without label, id, group, weight and time"
		columns = features(t, data)
	}
	w := width(spec)
	if w == 0 {
		return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model's input %q has the shape %v: inputs of a table are [N], [N,1] or [N,F]", spec.Name, spec.Shape))
	}
	if w > 0 && w != len(columns) {
		near := ""
		if w == 1 {
			near = spelling.Hint(spec.Name, t.Columns())
		}
		return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("the model does not fit %s: its input %q takes %s a row%s, but %s are %d: %s; name the model's columns in their order in data.features",
			t.Path(), spec.Name, count(w, "value"), near, from, len(columns), list(columns)))
	}
	one := source{spec: spec}
	for _, name := range columns {
		if name == data.Label {
			return nil, fault.InputsDoNotFit.Usage(fmt.Errorf("data.features names the label %q", name))
		}
		c, err := t.Need(name)
		if err != nil {
			return nil, err
		}
		one.columns = append(one.columns, c)
	}
	return []source{one}, nil
}

// width is the number of values that an input takes for a row: -1 where it
// takes any, 0 where the shape has no rows.
func width(spec bundle.TensorSpec) int {
	switch s := spec.Shape; {
	case len(s) == 1:
		return 1
	case len(s) == 2 && s[1] != 0:
		return int(max(s[1], -1))
	}
	return 0
}

// at names a row: file and line, or file and row.
func at(t *dataset.Table, row int) string { return t.Place(row) }

func list(names []string) string {
	const most = 30
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

func count(n int, what string) string { return strconv.Itoa(n) + " " + plural(n, what) }

func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
