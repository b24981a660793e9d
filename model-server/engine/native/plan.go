package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// plan is a model ready to run: values are numbered slots, steps are in order.
type plan struct {
	slots   []*tensor.Tensor // by slot: constants, nil where a step computes it
	inputs  []port
	outputs []port
	steps   []step
	roles   *roles
}

type port struct {
	name string
	slot int
	info *onnx.ValueInfo
}

type step struct {
	label  string // for messages: node 3 "Concat" (name)
	run    kernel
	in     []int // -1: left out
	out    []int // -1: left out
	unused []int // slots that nothing reads after this step
}

// maxFolded is the largest constant, in elements, that is computed at loading
// and kept.
const maxFolded = 1 << 20

func newPlan(m *onnx.Model) (*plan, error) {
	if err := checkOperators(m); err != nil {
		return nil, err
	}
	p := &plan{roles: newRoles()}
	names := map[string]int{}
	slot := func(name string, constant *tensor.Tensor) (int, error) {
		if _, twice := names[name]; twice {
			return 0, fmt.Errorf("the value %q is defined twice", name)
		}
		names[name] = len(p.slots)
		p.slots = append(p.slots, constant)
		return names[name], nil
	}
	for _, t := range m.Graph.Initializers {
		value, err := fromONNX(t)
		if err != nil {
			return nil, err
		}
		if _, err := slot(t.Name, value); err != nil {
			return nil, err
		}
	}
	for _, info := range m.Graph.Inputs {
		// Before IR version 4 every initializer is among the inputs too.
		if at, ok := names[info.Name]; ok && p.slots[at] != nil {
			continue
		}
		at, err := slot(info.Name, nil)
		if err != nil {
			return nil, err
		}
		p.inputs = append(p.inputs, port{info.Name, at, info})
	}
	for i, n := range m.Graph.Nodes {
		if err := p.add(m, i, n, names, slot); err != nil {
			return nil, err
		}
	}
	for _, info := range m.Graph.Outputs {
		at, ok := names[info.Name]
		if !ok {
			return nil, fmt.Errorf("output %q is computed by no node", info.Name)
		}
		p.outputs = append(p.outputs, port{info.Name, at, info})
	}
	if len(p.inputs) == 0 || len(p.outputs) == 0 {
		return nil, errors.New("the model needs at least one input and one output")
	}
	p.dropUnneeded()
	p.markUnused()
	return p, nil
}

// checkOperators finds everything that is not supported before anything is
// built, so that one message names it all.
func checkOperators(m *onnx.Model) error {
	var unknown []string
	for _, n := range m.Graph.Nodes {
		if _, ok := operators[[2]string{n.Domain, n.OpType}]; !ok {
			name := strings.TrimPrefix(n.Domain+"."+n.OpType, ".")
			if !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return &UnsupportedError{fmt.Sprintf("the native engine does not know the operators %q (it knows %s)", unknown, strings.Join(Operators(), ", "))}
	}
	for _, set := range []struct{ domain, name string }{{"", "ai.onnx"}, {ml, ml}} {
		if v := m.Opset(set.domain); v > newestOpset[set.domain] {
			return &UnsupportedError{fmt.Sprintf("the model imports version %d of the operators of %s, the native engine knows up to %d (an exporter's target_opset sets it)", v, set.name, newestOpset[set.domain])}
		}
	}
	return nil
}

func (p *plan) add(m *onnx.Model, i int, n *onnx.Node, names map[string]int, slot func(string, *tensor.Tensor) (int, error)) error {
	label := fmt.Sprintf("node %d %q", i, n.OpType)
	if n.Name != "" {
		label += fmt.Sprintf(" (%q)", n.Name)
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w", label, err) }
	op := operators[[2]string{n.Domain, n.OpType}]
	building := &node{Node: n, version: m.Opset(n.Domain), read: map[string]bool{}}
	if building.version == 0 {
		return fail(fmt.Errorf("the model does not import the operators of %q", n.Domain))
	}
	s := step{label: label}
	inputs := n.Inputs
	for len(inputs) > 0 && inputs[len(inputs)-1] == "" {
		inputs = inputs[:len(inputs)-1]
	}
	if len(inputs) < op.min || len(inputs) > op.max {
		return fail(fmt.Errorf("has %d inputs, expected %d to %d", len(inputs), op.min, op.max))
	}
	if len(n.Outputs) == 0 || len(n.Outputs) > op.outputs {
		return fail(fmt.Errorf("has %d outputs, expected 1 to %d", len(n.Outputs), op.outputs))
	}
	constant := true
	for k, name := range inputs {
		at := -1
		if name != "" {
			var ok bool
			if at, ok = names[name]; !ok {
				return fail(fmt.Errorf("input %q is computed by no node before it", name))
			}
		} else if k < op.min {
			return fail(fmt.Errorf("input %d must not be left out", k))
		}
		s.in = append(s.in, at)
		var value *tensor.Tensor
		if at >= 0 {
			value = p.slots[at]
			constant = constant && value != nil
		}
		building.consts = append(building.consts, value)
	}
	run, err := op.build(building)
	if problem := building.finish(); problem != nil {
		return fail(problem)
	}
	if err != nil {
		return fail(err)
	}
	s.run = run
	var folded []*tensor.Tensor
	if constant {
		if folded, err = s.call(p.slots); err != nil {
			return err
		}
		// What a model blows up from nothing is not kept for ever.
		if slices.ContainsFunc(folded, func(t *tensor.Tensor) bool { return t.Len() > maxFolded }) {
			constant = false
		}
	}
	for k, name := range n.Outputs {
		at := -1
		if name != "" {
			var value *tensor.Tensor
			if constant && k < len(folded) {
				value = folded[k]
			}
			if at, err = slot(name, value); err != nil {
				return fail(err)
			}
		}
		s.out = append(s.out, at)
	}
	p.roles.trace(building, s.in, s.out)
	if !constant {
		p.steps = append(p.steps, s)
	}
	return nil
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
	slots := slices.Clone(p.slots)
	for i, in := range p.inputs {
		slots[in.slot] = inputs[i]
	}
	for i := range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &p.steps[i]
		results, err := s.call(slots)
		if err != nil {
			return nil, err
		}
		for k, at := range s.out {
			if at >= 0 {
				slots[at] = results[k]
			}
		}
		for _, at := range s.unused {
			slots[at] = nil
		}
	}
	out := make([]*tensor.Tensor, len(p.outputs))
	for i, o := range p.outputs {
		out[i] = slots[o.slot]
	}
	return out, nil
}

// call runs one step. Shapes that do not fit are found by the kernels; should
// one be overlooked, a model from outside must still not end the process.
func (s *step) call(slots []*tensor.Tensor) (out []*tensor.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%s: its inputs do not fit each other: %v", s.label, r)
		}
	}()
	in := make([]*tensor.Tensor, len(s.in))
	for i, at := range s.in {
		if at >= 0 {
			in[i] = slots[at]
		}
	}
	if out, err = s.run(in); err != nil {
		return nil, fmt.Errorf("%s: %w", s.label, err)
	}
	if len(out) < len(s.out) {
		return nil, fmt.Errorf("%s: computes %d outputs, the model takes %d", s.label, len(out), len(s.out))
	}
	return out, nil
}
