package native

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// signature describes inputs and outputs. What the model leaves open about its
// outputs (shapes, whether scores are probabilities) is seen on a few rows
// that are computed for the purpose; where they cannot be, what the model
// declares stands.
func (p *plan) signature(m *onnx.Model) (bundle.Signature, error) {
	var s bundle.Signature
	for _, in := range p.inputs {
		spec, err := declared(in.info)
		if err != nil {
			return s, fmt.Errorf("input %q: %w", in.name, err)
		}
		if len(spec.Shape) == 0 {
			return s, fmt.Errorf("input %q has no row dimension; export the model with inputs of shape [N, ...]", in.name)
		}
		s.Inputs = append(s.Inputs, spec)
	}
	seen := p.probe(s.Inputs, len(probeValues))
	fewer := p.probe(s.Inputs, 3)
	if fewer == nil {
		fewer = seen
	}
	for i, out := range p.outputs {
		spec, err := declared(out.info)
		if seen != nil {
			t := seen.outputs[i]
			spec.Name, spec.Datatype = out.name, t.Datatype
			spec.Shape = openShape(t.Shape, fewer.outputs[i].Shape)
		} else if err != nil {
			return s, fmt.Errorf("output %q: %w", out.name, err)
		}
		s.Outputs = append(s.Outputs, spec)
	}
	p.assign(s.Outputs, seen)
	return s, nil
}

// declared reads a ValueInfo. A sequence of maps is ZipMap's output, which is
// a matrix here.
func declared(info *onnx.ValueInfo) (bundle.TensorSpec, error) {
	spec := bundle.TensorSpec{Name: info.Name, Shape: []int64{}}
	t := info.Type
	if t == nil {
		return spec, fmt.Errorf("has no type")
	}
	if t.Kind == onnx.KindSequence && t.Elem != nil && t.Elem.Kind == onnx.KindMap {
		spec.Datatype, spec.Shape = tensor.FP32, []int64{-1, -1}
		return spec, nil
	}
	if t.Kind != onnx.KindTensor {
		return spec, &UnsupportedError{fmt.Sprintf("has the type %s, the native engine has tensors only", t)}
	}
	kind, ok := datatypes[t.DataType]
	if !ok {
		return spec, &UnsupportedError{fmt.Sprintf("has the type %s, which the native engine lacks", t)}
	}
	spec.Datatype = kind
	for _, d := range t.Shape {
		size := int64(-1)
		if d.Known && d.Size > 0 { // 0 is how some exporters write "unknown"
			size = d.Size
		}
		spec.Shape = append(spec.Shape, size)
	}
	return spec, nil
}

// probed is what a model answers to the probe's rows.
type probed struct{ outputs []*tensor.Tensor }

// The values of the probe: no scores but probabilities stay within [0, 1] and
// sum to 1 over all of these rows.
var probeValues = []float64{0, 1, -1, 0.5, 3, -3, 10, -10, 2, 100, -100, 1000, 7, -0.5, -1000, 42}

// probe computes up to limit rows, or as many as the model is fixed to.
func (p *plan) probe(inputs []bundle.TensorSpec, limit int) *probed {
	rows := int64(limit)
	for _, spec := range inputs {
		if spec.Shape[0] >= 0 {
			rows = spec.Shape[0]
		}
	}
	var values []*tensor.Tensor
	for _, spec := range inputs {
		shape := slices.Clone(spec.Shape)
		shape[0] = rows
		if slices.Contains(shape, -1) || (spec.Shape[0] >= 0 && spec.Shape[0] != rows) {
			return nil
		}
		if n, err := tensor.Elements(shape, 1<<20); err != nil || n == 0 {
			return nil
		}
		t, err := newTensor(spec.Datatype, shape)
		if err != nil {
			return nil
		}
		width := t.Len() / int(rows)
		for i := range t.F32 {
			t.F32[i] = float32(probeValue(i/width, i%width))
		}
		for i := range t.F64 {
			t.F64[i] = probeValue(i/width, i%width)
		}
		for i := range t.I64 {
			t.I64[i] = int64(i / width % 3)
		}
		for i := range t.U64 {
			t.U64[i] = uint64(i / width % 3)
		}
		for i := range t.Strs {
			t.Strs[i] = "0" // no category, but a number where one is parsed
		}
		values = append(values, t)
	}
	outputs, err := p.run(context.Background(), values)
	if err != nil {
		return nil
	}
	return &probed{outputs}
}

// probeValue: the first three rows are constant, the rest mixed.
func probeValue(row, column int) float64 {
	if row < 3 {
		return probeValues[row]
	}
	return probeValues[(row*5+column*3)%len(probeValues)]
}

// openShape is the shape of an output that was a with more rows and b with
// fewer: what changed depends on the number of rows.
func openShape(a, b []int64) []int64 {
	shape := append([]int64{}, a...)
	for i := range shape {
		if i >= len(b) || a[i] != b[i] {
			shape[i] = -1
		}
	}
	return shape
}

// probabilities reports whether every row of t is a distribution. NaN, as a
// training that diverged gives it, says nothing about what an output means:
// whoever asks for probabilities must meet it there.
func (s *probed) probabilities(t *tensor.Tensor) bool {
	rows, columns, err := matrix(t)
	if err != nil || columns == 0 {
		return false
	}
	for r := range rows {
		sum := 0.0
		for c := range columns {
			v, ok := t.Float(r*columns + c)
			if math.IsNaN(v) {
				sum = 1
				break
			}
			if !ok || !(v >= -1e-5 && v <= 1+1e-5) {
				return false
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-3 {
			return false
		}
	}
	return true
}

// assign gives the outputs their roles.
func (p *plan) assign(specs []bundle.TensorSpec, seen *probed) {
	var classes []string
	classifier := false
	for i, out := range p.outputs {
		spec, origin := &specs[i], p.roles.of(out.slot)
		if spec.Datatype.Float() {
			continue
		}
		labels, ok := p.roles.labels[origin]
		_, winner := p.roles.winnerOf[origin]
		if (ok || winner) && rowwise(spec.Shape) {
			spec.Role, classifier = bundle.RoleLabel, true
			if labels != nil {
				classes = labels
			}
			// A label is one value a row, however the model shapes it.
			continue
		}
	}
	distributions := 0
	for i, out := range p.outputs {
		spec := &specs[i]
		if !spec.Datatype.Float() || len(spec.Shape) != 2 {
			continue
		}
		columns := p.roles.scores[p.roles.of(out.slot)]
		if columns == nil && classifier {
			columns = classes
		}
		if columns == nil && classifier && spec.Shape[1] > 1 {
			for c := range spec.Shape[1] {
				columns = append(columns, strconv.FormatInt(c, 10))
			}
		}
		if spec.Shape[1] < 0 {
			spec.Shape[1] = int64(len(columns))
		}
		if len(columns) == 0 || spec.Shape[1] != int64(len(columns)) || distributions > 0 {
			continue
		}
		if seen != nil && !seen.probabilities(seen.outputs[i]) {
			continue // a decision function
		}
		spec.Role, spec.Classes = bundle.RoleProbabilities, slices.Clone(columns)
		distributions++
	}
	if len(specs) == 1 && !classifier && specs[0].Role == "" && specs[0].Datatype.Float() && rowwise(specs[0].Shape) {
		specs[0].Role = bundle.RoleValue
	}
}

// rowwise: one value a row, [N] or [N, 1].
func rowwise(shape []int64) bool {
	return len(shape) == 1 || len(shape) == 2 && shape[1] == 1
}
