package native

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Name is the engine's name in metadata and configuration.
const Name = "native"

var _ engine.Engine = (*Engine)(nil)

// Engine is a loaded model.
type Engine struct {
	plan      *plan
	signature bundle.Signature
}

// Load parses and plans an ONNX model within budget, which then bounds every
// answer too. An *UnsupportedError says that the model needs what is not known
// here, an *onnx.ParseError that it is damaged, a *MismatchError that it can
// answer no request, an *engine.LimitError that it needs more than the budget;
// any other error that it contradicts itself. model must not be changed
// afterwards.
func Load(ctx context.Context, model []byte, budget engine.Budget) (engine.Engine, error) {
	parsed, err := onnx.Parse(model)
	if err != nil {
		return nil, err
	}
	call := op.NewCall(ctx, budget)
	p, err := newPlan(parsed, call)
	if err != nil {
		return nil, &loadError{err}
	}
	p.budget = budget.WithDefaults()
	signature, err := p.signature(ctx)
	if err != nil {
		return nil, &loadError{err}
	}
	return &Engine{p, signature}, nil
}

// Name implements engine.Engine.
func (e *Engine) Name() string { return Name }

// Signature implements engine.Engine.
func (e *Engine) Signature() bundle.Signature { return e.signature }

// Close implements engine.Engine; there is nothing to give back.
func (e *Engine) Close() error { return nil }

// Infer implements engine.Engine. Inputs are found by name, in any order.
func (e *Engine) Infer(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	ordered := make([]*tensor.Tensor, len(e.signature.Inputs))
	for i, spec := range e.signature.Inputs {
		t := find(inputs, spec.Name, i)
		if t == nil {
			return nil, fmt.Errorf("input %q is missing", spec.Name)
		}
		if t.Datatype != spec.Datatype {
			return nil, fmt.Errorf("input %q is %s, the model takes %s", spec.Name, t.Datatype, spec.Datatype)
		}
		if err := fits(t, spec); err != nil {
			return nil, err
		}
		ordered[i] = t
	}
	results, err := e.plan.run(ctx, ordered)
	if err != nil {
		return nil, e.blame(ctx, err)
	}
	out := make([]tensor.Tensor, len(results))
	for i, t := range results {
		spec := &e.signature.Outputs[i]
		if t.Datatype != spec.Datatype {
			return nil, fmt.Errorf("output %q came out as %s, the model declares %s", spec.Name, t.Datatype, spec.Datatype)
		}
		out[i] = *t
		out[i].Name = spec.Name
	}
	return out, nil
}

// blame tells whose fault an error of a run is. Where the signature leaves a
// width open, or values decide shapes, what does not fit is the request's: the
// model was loaded because others may fit. The text names nodes and shapes, no
// values.
func (e *Engine) blame(ctx context.Context, err error) error {
	var (
		value *engine.InputError
		limit *engine.LimitError
	)
	if errors.As(err, &value) || errors.As(err, &limit) || ctx.Err() != nil {
		return err
	}
	open := e.plan.open
	for _, spec := range e.signature.Inputs {
		open = open || slices.Contains(spec.Shape[1:], -1)
	}
	if !open {
		return err
	}
	return engine.InputErrorf("its shapes do not fit the model: %s", err)
}

func find(inputs []tensor.Tensor, name string, likely int) *tensor.Tensor {
	if likely < len(inputs) && inputs[likely].Name == name {
		return &inputs[likely]
	}
	for i := range inputs {
		if inputs[i].Name == name {
			return &inputs[i]
		}
	}
	return nil
}

// fits keeps a caller that skipped its checks from reading past an end.
func fits(t *tensor.Tensor, spec bundle.TensorSpec) error {
	n, err := tensor.Elements(t.Shape, op.MaxElements)
	if err != nil {
		return fmt.Errorf("input %q: %w", spec.Name, err)
	}
	if n != t.Len() {
		return fmt.Errorf("input %q has %d elements, its shape %v needs %d", spec.Name, t.Len(), t.Shape, n)
	}
	ok := len(t.Shape) == len(spec.Shape)
	for i := 0; ok && i < len(t.Shape); i++ {
		ok = spec.Shape[i] < 0 || spec.Shape[i] == t.Shape[i]
	}
	if !ok {
		return fmt.Errorf("input %q has shape %v, the model takes %v", spec.Name, t.Shape, spec.Shape)
	}
	return nil
}
