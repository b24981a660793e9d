package native

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// signature describes inputs and outputs. Datatypes follow from the graph.
// What the model leaves open about its outputs (shapes, whether scores are
// probabilities) is seen on a few rows that are computed for the purpose;
// where they cannot be, what the model declares stands. A model that fails on
// such rows whatever their number can answer nobody and is refused.
func (p *plan) signature(ctx context.Context) (bundle.Signature, error) {
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
	seen, fewer, err := p.look(ctx, s.Inputs)
	if err != nil {
		return s, err
	}
	for i, out := range p.outputs {
		spec, err := declared(out.info)
		if seen != nil {
			spec.Shape = openShape(seen.outputs[i].Shape, fewer.outputs[i].Shape)
		} else if err != nil {
			return s, fmt.Errorf("output %q: %w", out.name, err)
		}
		spec.Name, spec.Datatype = out.name, p.kinds[out.slot]
		s.Outputs = append(s.Outputs, spec)
	}
	p.assign(s.Outputs, seen)
	return s, nil
}

// look probes the model with many rows and with fewer. A model that takes one
// row only, as an export with a fixed batch does whose declaration says
// otherwise, gets inputs of one row.
func (p *plan) look(ctx context.Context, inputs []bundle.TensorSpec) (seen, fewer *probed, err error) {
	seen, err = p.probe(ctx, inputs, len(probeValues))
	if err == nil && seen != nil {
		if fewer, err = p.probe(ctx, inputs, 3); err != nil {
			fewer = seen
		}
		return seen, fewer, ctx.Err()
	}
	if err == nil || p.refusal(ctx, err) == nil {
		return nil, nil, nil
	}
	alone, failed := p.probe(ctx, inputs, 1)
	if limit := (*engine.LimitError)(nil); errors.As(err, &limit) {
		if failed == nil {
			return nil, nil, nil // fewer rows at a time are within the budget
		}
		return nil, nil, p.refusal(ctx, failed)
	}
	// With another number of rows it may fit: that of a constant that the rows
	// are multiplied by, say.
	for _, rows := range p.sizes(inputs) {
		switch some, failed := p.probe(ctx, inputs, rows); {
		case some == nil && failed == nil: // too much for a probe
		case failed == nil || p.refusal(ctx, failed) == nil:
			return nil, nil, ctx.Err()
		}
	}
	if failed != nil {
		return nil, nil, p.refusal(ctx, failed)
	}
	for i := range inputs {
		if inputs[i].Shape[0] < 0 {
			inputs[i].Shape[0] = 1
		}
	}
	return alone, alone, nil
}

// sizes are the dimensions above 1 of the constants and the inputs, as many as
// are worth a try.
func (p *plan) sizes(inputs []bundle.TensorSpec) []int {
	const most = 32
	sizes := []int{2, 3}
	add := func(shape []int64) {
		for _, d := range shape {
			if d > 1 && d < 1<<16 && len(sizes) < most && !slices.Contains(sizes, int(d)) {
				sizes = append(sizes, int(d))
			}
		}
	}
	for _, spec := range inputs {
		add(spec.Shape)
	}
	for _, t := range p.slots {
		if t != nil {
			add(t.Shape)
		}
	}
	return sizes
}

// refusal is what a failed probe says of every request, nil where it says
// nothing: the values were made up.
func (p *plan) refusal(ctx context.Context, err error) error {
	var (
		value *engine.InputError
		limit *engine.LimitError
	)
	switch {
	case ctx.Err() != nil, errors.As(err, &limit):
		return err
	case errors.As(err, &value), p.open:
		return nil
	}
	return &MismatchError{err.Error(), p.shapeAdvice()}
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
		return spec, &UnsupportedError{fmt.Sprintf("has the type %s, and only tensors are known here", t), ""}
	}
	kind, ok := op.Datatype(t.DataType)
	if !ok {
		return spec, &UnsupportedError{fmt.Sprintf("has the type %s, which is not known here", t), "export the model in float32"}
	}
	spec.Datatype = kind
	if err := op.CheckRank(len(t.Shape)); err != nil {
		return spec, err
	}
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

// probe computes made-up rows, or as many as the model is fixed to; nil where
// a width is not known.
func (p *plan) probe(ctx context.Context, inputs []bundle.TensorSpec, rows int) (*probed, error) {
	var values []*tensor.Tensor
	for _, spec := range inputs {
		shape := slices.Clone(spec.Shape)
		if shape[0] < 0 {
			shape[0] = int64(rows)
		}
		n, err := tensor.Elements(shape, 1<<20)
		if slices.Contains(shape, -1) || err != nil || n == 0 {
			return nil, nil
		}
		t := op.New(spec.Datatype, shape, n)
		width := n / int(shape[0])
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
	outputs, err := p.run(ctx, values)
	if err != nil {
		return nil, err
	}
	return &probed{outputs}, nil
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
	rows, columns, err := op.Matrix(t)
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
		if columns == nil && classifier && spec.Shape[1] > 1 && spec.Shape[1] <= maxClasses {
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

// maxClasses is the most columns that are taken for classes by their number
// alone.
const maxClasses = 1 << 12

// rowwise: one value a row, [N] or [N, 1].
func rowwise(shape []int64) bool {
	return len(shape) == 1 || len(shape) == 2 && shape[1] == 1
}
