package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/protocol/v2"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func refuse(format string, args ...any) error {
	return v2.Errorf(http.StatusBadRequest, format, args...)
}

// check returns the inputs in the signature's order, or a *v2.Error that names
// the input and what was expected.
func (s *Server) check(inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	specs := s.signature.Inputs
	ordered := make([]tensor.Tensor, len(specs))
	rows, first := -1, ""
	for i := range inputs {
		t := &inputs[i]
		at, known := s.inputs[t.Name]
		switch {
		case !known:
			return nil, refuse("input %q is unknown; the model's inputs are %s", clip(t.Name), listSpecs(specs))
		case ordered[at].Name != "":
			return nil, refuse("input %q is there twice", t.Name)
		}
		spec := &specs[at]
		if t.Datatype != spec.Datatype {
			return nil, refuse("input %q: the datatype is %s, expected %s", t.Name, t.Datatype, spec.Datatype)
		}
		t.Shape = columnShape(t.Shape, spec.Shape)
		if err := s.checkShape(t, spec); err != nil {
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

func (s *Server) checkShape(t *tensor.Tensor, spec *bundle.TensorSpec) error {
	if len(t.Shape) != len(spec.Shape) {
		return refuse("input %q: the shape is %v, expected %s", t.Name, t.Shape, shapeText(spec))
	}
	for i, want := range spec.Shape {
		switch got := t.Shape[i]; {
		case want >= 0 && got != want:
			return refuse("input %q: the shape is %v, expected %s", t.Name, t.Shape, shapeText(spec))
		case want < 0 && got == 0:
			return refuse("input %q: the shape %v has no rows or columns, expected at least 1", t.Name, t.Shape)
		case want < 0 && i == 0 && got > int64(s.options.MaxRows):
			return refuse("input %q has %d rows, at most %d are taken at a time", t.Name, got, s.options.MaxRows)
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

// choose returns the outputs that were asked for, in that order.
func (s *Server) choose(outputs []tensor.Tensor, names []string) []tensor.Tensor {
	if names == nil {
		return outputs
	}
	out := make([]tensor.Tensor, len(names))
	for i, name := range names {
		out[i] = outputs[s.outputs[name]]
	}
	return out
}

func (s *Server) checkNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if _, ok := s.outputs[name]; !ok {
			return refuse("output %q is unknown; the model's outputs are %s", clip(name), listSpecs(s.signature.Outputs))
		}
		if seen[name] {
			return refuse("output %q is asked for twice", name)
		}
		seen[name] = true
	}
	return nil
}

// clip shortens text of a request for a message.
func clip(text string) string {
	const most = 200
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}

// panicError is a bug that a request found.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return "the engine panicked" }

func stack() string { return string(debug.Stack()) }
