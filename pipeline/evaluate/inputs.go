package evaluate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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
		return nil, fault.Usage(fmt.Errorf("the model has no inputs"))
	}
	for _, spec := range s.Inputs {
		if data.Label != "" && spec.Name == data.Label {
			return nil, fault.Usage(fmt.Errorf("the model takes the label %q as an input; train it without", spec.Name))
		}
	}
	if one := s.Inputs[0]; len(s.Inputs) == 1 {
		if _, ok := t.Column(one.Name); !ok || width(one) != 1 {
			return matchMatrix(t, one, data)
		}
	}
	var (
		sources []source
		missing []string
		taken   = map[string]bool{}
	)
	for _, spec := range s.Inputs {
		if width(spec) != 1 {
			return nil, fault.Usage(fmt.Errorf("the model's input %q has the shape %v: of several inputs each must take one value a row, a column; join them in one [N,F] input, or split this one", spec.Name, spec.Shape))
		}
		c, ok := t.Column(spec.Name)
		if !ok {
			missing = append(missing, spec.Name)
			continue
		}
		taken[spec.Name] = true
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
		wanted[i] = strconv.Quote(name)
		if near, ok := spelling.Nearest(name, left); ok {
			wanted[i] += fmt.Sprintf(" (did you mean %q?)", near)
		}
	}
	return nil, fault.Usage(fmt.Errorf("the model does not fit %s: there is no column for its %s %s; columns that no input takes: %s",
		t.Path(), plural(len(missing), "input"), list(wanted), orNone(list(left))))
}

// matchMatrix finds the columns of the only input.
func matchMatrix(t *dataset.Table, spec bundle.TensorSpec, data exam.Data) ([]source, error) {
	features, from := data.Features, "data.features"
	if len(features) == 0 {
		from = "the columns without label, id, group, weight and time"
		with := []string{data.Label, data.ID, data.Group, data.Weight, data.Time}
		for _, name := range t.Columns() {
			if !slices.Contains(with, name) {
				features = append(features, name)
			}
		}
	}
	w := width(spec)
	if w == 0 {
		return nil, fault.Usage(fmt.Errorf("the model's input %q has the shape %v: inputs of a table are [N], [N,1] or [N,F]", spec.Name, spec.Shape))
	}
	if w > 0 && w != len(features) {
		near := ""
		if w == 1 {
			near = spelling.Hint(spec.Name, t.Columns())
		}
		return nil, fault.Usage(fmt.Errorf("the model does not fit %s: its input %q takes %s a row%s, but %s are %d: %s; name the model's columns in their order in data.features",
			t.Path(), spec.Name, count(w, "value"), near, from, len(features), list(features)))
	}
	one := source{spec: spec}
	for _, name := range features {
		if name == data.Label {
			return nil, fault.Usage(fmt.Errorf("data.features names the label %q", name))
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
