package native

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// maxFolded is the largest constant, in elements, that is computed at loading
// and kept: weights that an export left to be transposed are below it.
const maxFolded = 1 << 24

// building is a plan that is being made.
type building struct {
	*plan
	model       *onnx.Model
	call        *op.Call // of loading
	loading     *op.Loading
	names       map[string]int // slots by name
	data        []bool         // by slot: it depends on a request's values
	complements *complements
}

func newPlan(m *onnx.Model, call *op.Call) (*plan, error) {
	if err := checkOperators(m); err != nil {
		return nil, err
	}
	b := &building{plan: &plan{roles: newRoles()}, model: m, call: call, loading: op.NewLoading(call), names: map[string]int{}, complements: newComplements()}
	if err := b.constants(); err != nil {
		return nil, err
	}
	for i, n := range m.Graph.Nodes {
		if err := call.Spend(perStep); err != nil {
			return nil, err
		}
		if err := b.add(i, n); err != nil {
			return nil, fmt.Errorf("%s: %w", labelOf(i, n), err)
		}
	}
	for _, info := range m.Graph.Outputs {
		at, ok := b.names[info.Name]
		if !ok {
			return nil, fmt.Errorf("output %q is computed by no node", info.Name)
		}
		b.outputs = append(b.outputs, port{info.Name, at, info})
	}
	if len(b.inputs) == 0 || len(b.outputs) == 0 {
		return nil, errors.New("the model needs at least one input and one output")
	}
	b.dropUnneeded()
	b.markUnused()
	return b.plan, nil
}

// slot enters a value; constant is nil where a request or a step gives it.
func (b *building) slot(name string, kind tensor.Datatype, constant *tensor.Tensor, data bool) (int, error) {
	if _, twice := b.names[name]; twice {
		return 0, fmt.Errorf("the value %q is defined twice", name)
	}
	at := len(b.slots)
	b.names[name] = at
	b.slots, b.kinds, b.data = append(b.slots, constant), append(b.kinds, kind), append(b.data, data)
	return at, nil
}

// constants enters the initializers and the inputs.
func (b *building) constants() error {
	for _, t := range b.model.Graph.Initializers {
		value, err := b.loading.Constant(t)
		if err != nil {
			return err
		}
		if _, err := b.slot(t.Name, value.Datatype, value, false); err != nil {
			return err
		}
	}
	for _, info := range b.model.Graph.Inputs {
		// Before IR version 4 every initializer is among the inputs too.
		if at, ok := b.names[info.Name]; ok && b.slots[at] != nil {
			continue
		}
		spec, err := declared(info)
		if err != nil {
			return fmt.Errorf("input %q: %w", info.Name, err)
		}
		at, err := b.slot(info.Name, spec.Datatype, nil, true)
		if err != nil {
			return err
		}
		b.inputs = append(b.inputs, port{info.Name, at, info})
	}
	return nil
}

// checkOperators finds everything that is not supported before anything is
// built, so that one message names it all.
func checkOperators(m *onnx.Model) error {
	missing := map[string]bool{}
	for _, n := range m.Graph.Nodes {
		if _, ok := op.Find(n.Domain, n.OpType); !ok {
			missing[strings.TrimPrefix(n.Domain+"."+n.OpType, ".")] = true
		}
	}
	if len(missing) > 0 {
		return lacks(slices.Sorted(maps.Keys(missing)))
	}
	for _, set := range []struct{ domain, name string }{{"", "ai.onnx"}, {op.ML, op.ML}} {
		if v := m.Opset(set.domain); v > op.Newest[set.domain] {
			return &UnsupportedError{
				fmt.Sprintf("the model imports version %d of the operators of %s, this release knows up to %d", v, set.name, op.Newest[set.domain]),
				fmt.Sprintf("export it with an older set (skl2onnx: target_opset={%q: %d}; torch.onnx.export: opset_version)", set.domain, op.Newest[set.domain]),
			}
		}
	}
	return nil
}

func labelOf(i int, n *onnx.Node) string {
	label := fmt.Sprintf("node %d %q", i, n.OpType)
	if n.Name != "" {
		label += fmt.Sprintf(" (%q)", n.Name)
	}
	return label
}

// add plans one node: as a step, or, where all its inputs are constant, as the
// constants that it computes.
func (b *building) add(i int, n *onnx.Node) error {
	operator, _ := op.Find(n.Domain, n.OpType)
	version := b.model.Opset(n.Domain)
	if version == 0 {
		return fmt.Errorf("the model does not import the operators of %q", n.Domain)
	}
	in, err := b.operands(operator, n)
	if err != nil {
		return err
	}
	s := step{label: labelOf(i, n), in: in}
	values, constant, data := make([]*tensor.Tensor, len(in)), true, false
	kinds := make([]tensor.Datatype, len(in))
	for k, at := range in {
		if at >= 0 {
			values[k], kinds[k] = b.slots[at], b.kinds[at]
			constant, data = constant && values[k] != nil, data || b.data[at]
		}
	}
	for _, k := range operator.ShapedBy() {
		b.open = b.open || k < len(in) && in[k] >= 0 && b.data[in[k]]
	}
	b.imputes = b.imputes || n.OpType == "Imputer"
	if n.OpType == "Shape" || n.OpType == "Size" {
		data = false
	}
	built := b.loading.Node(n, version, values)
	if s.run, err = operator.Build(built); err != nil {
		return err
	}
	types, err := operator.Types(built, kinds)
	if err != nil {
		return b.explain(err, n, kinds)
	}
	var folded []*tensor.Tensor
	if constant {
		if folded, err = b.fold(&s); err != nil {
			return err
		}
	}
	for k, name := range n.Outputs {
		at := -1
		if name != "" {
			var value *tensor.Tensor
			if folded != nil {
				value = folded[k]
			}
			if at, err = b.slot(name, types[k], value, data); err != nil {
				return err
			}
		}
		s.out = append(s.out, at)
	}
	b.roles.trace(built, s.in, s.out)
	if folded == nil {
		b.complements.trace(n.OpType, &s, values)
		b.steps = append(b.steps, s)
	}
	return nil
}

// operands finds the slots of the node's inputs, -1 for one that is left out.
func (b *building) operands(operator op.Operator, n *onnx.Node) ([]int, error) {
	inputs := n.Inputs
	for len(inputs) > 0 && inputs[len(inputs)-1] == "" {
		inputs = inputs[:len(inputs)-1]
	}
	if len(inputs) < operator.Min || len(inputs) > operator.Max {
		return nil, fmt.Errorf("has %d inputs, expected %d to %d", len(inputs), operator.Min, operator.Max)
	}
	if len(n.Outputs) == 0 || len(n.Outputs) > operator.Outputs {
		return nil, fmt.Errorf("has %d outputs, expected 1 to %d", len(n.Outputs), operator.Outputs)
	}
	var in []int
	for k, name := range inputs {
		at := -1
		if name != "" {
			var ok bool
			if at, ok = b.names[name]; !ok {
				return nil, fmt.Errorf("input %q is computed by no node before it", name)
			}
		} else if k < operator.Min {
			return nil, fmt.Errorf("input %d must not be left out", k)
		}
		in = append(in, at)
	}
	return in, nil
}

// fold computes a step of constants; nil where the result is too large to be
// kept: what a model blows up from nothing is computed when it is asked for.
// The work is bounded by the budget of loading, and so is what is kept.
func (b *building) fold(s *step) (folded []*tensor.Tensor, err error) {
	before := b.call.Memory()
	err = b.call.Small(maxFolded, func() error {
		folded, err = s.call(b.call, b.slots)
		return err
	})
	if errors.Is(err, op.ErrLarge) {
		b.call.Release(before)
		return nil, nil
	}
	return folded, err
}
