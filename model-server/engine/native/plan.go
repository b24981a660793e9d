package native

import (
	"context"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// plan is a model ready to run: values are numbered slots, steps are in order.
type plan struct {
	slots   []*tensor.Tensor  // by slot: constants, nil where a step computes it
	kinds   []tensor.Datatype // by slot
	inputs  []port
	outputs []port
	steps   []step
	roles   *roles
	budget  engine.Budget
	// open: some shape depends on the values of a request, so that what a few
	// made-up rows show does not hold for others.
	open    bool
	imputes bool // there is an Imputer: a known cause of missing columns
}

type port struct {
	name string
	slot int
	info *onnx.ValueInfo
}

type step struct {
	label  string // for messages: node 3 "Concat" (name)
	run    op.Kernel
	in     []int // -1: left out
	out    []int // -1: left out
	unused []int // slots that nothing reads after this step
}

// dropUnneeded leaves out steps that no output depends on.
func (p *plan) dropUnneeded() {
	needed := map[int]bool{}
	for _, o := range p.outputs {
		needed[o.slot] = true
	}
	var kept []step
	for _, s := range slices.Backward(p.steps) {
		if !slices.ContainsFunc(s.out, func(at int) bool { return needed[at] }) {
			continue
		}
		for _, at := range s.in {
			needed[at] = true
		}
		kept = append(kept, s)
	}
	slices.Reverse(kept)
	p.steps = kept
}

// markUnused notes after which step a value is no longer needed, so that a
// large batch does not hold every intermediate value until its end.
func (p *plan) markUnused() {
	last := map[int]int{}
	for i, s := range p.steps {
		for _, at := range append(slices.Clone(s.in), s.out...) {
			last[at] = i
		}
	}
	for _, o := range p.outputs {
		delete(last, o.slot)
	}
	for at, i := range last {
		if at >= 0 && p.slots[at] == nil {
			p.steps[i].unused = append(p.steps[i].unused, at)
		}
	}
}

// run computes the outputs for inputs in the order of p.inputs.
func (p *plan) run(ctx context.Context, inputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	c := op.NewCall(ctx, p.budget)
	slots := slices.Clone(p.slots)
	for i, in := range p.inputs {
		if err := c.Take(op.Size(inputs[i])); err != nil {
			return nil, err
		}
		slots[in.slot] = inputs[i]
	}
	for i := range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &p.steps[i]
		results, err := s.call(c, slots)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.label, err)
		}
		for k, at := range s.out {
			if at >= 0 {
				slots[at] = results[k]
			}
		}
		for _, at := range s.unused {
			c.Release(c.Memory() - op.Size(slots[at]))
			slots[at] = nil
		}
	}
	out := make([]*tensor.Tensor, len(p.outputs))
	for i, o := range p.outputs {
		out[i] = slots[o.slot]
	}
	return out, nil
}

// perStep is what a step costs whatever it computes, in operations.
const perStep = 1000

// call runs one step and leaves the memory of its outputs taken. Shapes that do not fit are found by the kernels; should
// one be overlooked, a model from outside must still not end the process.
func (s *step) call(c *op.Call, slots []*tensor.Tensor) (out []*tensor.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("its inputs do not fit each other: %v", r)
		}
	}()
	in := make([]*tensor.Tensor, len(s.in))
	for i, at := range s.in {
		if at >= 0 {
			in[i] = slots[at]
		}
	}
	before := c.Memory()
	if err = c.Spend(perStep); err == nil {
		out, err = s.run(c, in)
	}
	if err != nil {
		return nil, err
	}
	for _, t := range out {
		if err := op.CheckRank(len(t.Shape)); err != nil {
			return nil, err
		}
		before += op.Size(t)
	}
	c.Release(before)
	if len(out) < len(s.out) {
		return nil, fmt.Errorf("computes %d outputs, the model takes %d", len(out), len(s.out))
	}
	return out, nil
}
