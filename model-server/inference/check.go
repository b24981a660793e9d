package inference

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// check returns the inputs in the signature's order, or a *RequestError that names
// the input and what was expected.
func (m *Model) check(inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	specs := m.signature.Inputs
	ordered := make([]tensor.Tensor, len(specs))
	rows, first := -1, ""
	for i := range inputs {
		t := &inputs[i]
		at, known := m.inputs[t.Name]
		switch {
		case !known:
			return nil, refuse("input %q is unknown; the model's inputs are %s", Clip(t.Name), ListSpecs(specs))
		case ordered[at].Name != "":
			return nil, refuse("input %q is there twice", t.Name)
		}
		spec := &specs[at]
		if t.Datatype != spec.Datatype {
			return nil, refuse("input %q: the datatype is %s, expected %s", t.Name, t.Datatype, spec.Datatype)
		}
		t.Shape = columnShape(t.Shape, spec.Shape)
		if err := m.checkShape(t, spec); err != nil {
			return nil, err
		}
		if len(spec.Shape) > 0 && spec.Shape[0] < 0 {
			switch n := t.Rows(); {
			case rows < 0:
				rows, first = n, t.Name
			case n != rows:
				return nil, refuse("input %q has %d rows, input %q has %d; all inputs need the same number", t.Name, n, first, rows)
			}
		}
		ordered[at] = *t
	}
	for i := range specs {
		if ordered[i].Name == "" {
			return nil, refuse("input %q is missing; expected %s with shape %s", specs[i].Name, specs[i].Datatype, shapeText(&specs[i]))
		}
	}
	return ordered, nil
}

// columnShape reads [N] for [N, 1] and the other way round: a list and a column
// of as many elements can mean nothing else.
func columnShape(shape, want []int64) []int64 {
	switch {
	case len(shape) == 1 && len(want) == 2 && want[1] == 1:
		return []int64{shape[0], 1}
	case len(shape) == 2 && shape[1] == 1 && len(want) == 1:
		return shape[:1]
	}
	return shape
}

func (m *Model) checkShape(t *tensor.Tensor, spec *bundle.TensorSpec) error {
	if len(t.Shape) != len(spec.Shape) {
		return refuse("input %q: the shape is %v, expected %s", t.Name, t.Shape, shapeText(spec))
	}
	for i, want := range spec.Shape {
		switch got := t.Shape[i]; {
		case want >= 0 && got != want:
			return refuse("input %q: the shape is %v, expected %s", t.Name, t.Shape, shapeText(spec))
		case want < 0 && got == 0:
			return refuse("input %q: the shape %v has no rows or columns, expected at least 1", t.Name, t.Shape)
		case want < 0 && i == 0 && got > int64(m.options.MaxRows):
			return refuse("input %q has %d rows, at most %d are taken at a time", t.Name, got, m.options.MaxRows)
		}
	}
	return nil
}

// shapeText writes a shape for a caller: [N, 13].
func shapeText(spec *bundle.TensorSpec) string {
	parts := make([]string, len(spec.Shape))
	for i, d := range spec.Shape {
		switch {
		case d >= 0:
			parts[i] = fmt.Sprint(d)
		case i == 0:
			parts[i] = "N"
		default:
			parts[i] = "any"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (m *Model) checkNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if _, ok := m.outputs[name]; !ok {
			return refuse("output %q is unknown; the model's outputs are %s", Clip(name), ListSpecs(m.signature.Outputs))
		}
		if seen[name] {
			return refuse("output %q is asked for twice", name)
		}
		seen[name] = true
	}
	return nil
}

// Clip shortens text of a request for a message.
func Clip(text string) string {
	const most = 200
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}

// ListSpecs writes a side of a signature for a caller.
func ListSpecs(specs []bundle.TensorSpec) string {
	const most = 20
	parts := make([]string, 0, min(len(specs), most))
	for i, spec := range specs {
		if i == most {
			return strings.Join(parts, ", ") + fmt.Sprintf(" and %d more", len(specs)-most)
		}
		parts = append(parts, fmt.Sprintf("%q %s %s", spec.Name, spec.Datatype, shapeText(&spec)))
	}
	return strings.Join(parts, ", ")
}
