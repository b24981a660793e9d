package op

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Node is a node under construction.
type Node struct {
	*onnx.Node
	version int64            // of the operator's domain
	consts  []*tensor.Tensor // by input: the value where it is constant
	loading *Loading
	read    map[string]bool
	tensors map[string]*tensor.Tensor // attributes that were converted
	problem []error
}

// Loading is what the nodes of one model share while they are built.
type Loading struct {
	call   *Call
	turned map[*tensor.Tensor]*tensor.Tensor
}

// NewLoading begins to build a model within the budget of call.
func NewLoading(call *Call) *Loading {
	return &Loading{call, map[*tensor.Tensor]*tensor.Tensor{}}
}

// Node returns n under construction, with the version of its domain's
// operators and, by input, the values that are constant.
func (l *Loading) Node(n *onnx.Node, version int64, constants []*tensor.Tensor) *Node {
	return &Node{Node: n, version: version, consts: constants, loading: l, read: map[string]bool{}, tensors: map[string]*tensor.Tensor{}}
}

func (n *Node) fail(format string, args ...any) {
	n.problem = append(n.problem, fmt.Errorf(format, args...))
}

// attribute returns the attribute of that name and type, nil when it is not
// there. Reading marks it as known.
func (n *Node) attribute(name string, kind onnx.AttributeType) *onnx.Attribute {
	n.read[name] = true
	a := n.Attribute(name)
	if a == nil {
		return nil
	}
	if a.RefAttr != "" {
		n.fail("attribute %s refers to a function's attribute", name)
		return nil
	}
	if a.Type != kind {
		n.fail("attribute %s has type %d, expected %d", name, a.Type, kind)
		return nil
	}
	return a
}

// ignore marks attributes as known and of no influence on the result.
func (n *Node) ignore(names ...string) {
	for _, name := range names {
		n.read[name] = true
	}
}

func (n *Node) has(name string) bool { return n.Attribute(name) != nil }

func (n *Node) int(name string, otherwise int64) int64 {
	if a := n.attribute(name, onnx.AttributeInt); a != nil {
		return a.I
	}
	return otherwise
}

func (n *Node) float(name string, otherwise float32) float32 {
	if a := n.attribute(name, onnx.AttributeFloat); a != nil {
		return a.F
	}
	return otherwise
}

func (n *Node) text(name, otherwise string) string {
	if a := n.attribute(name, onnx.AttributeString); a != nil {
		return a.S
	}
	return otherwise
}

// choice is a text that must be one of a few.
func (n *Node) choice(name, otherwise string, allowed ...string) string {
	s := n.text(name, otherwise)
	if !slices.Contains(allowed, s) {
		n.fail("attribute %s is %q, expected one of %s", name, s, strings.Join(allowed, ", "))
	}
	return s
}

func (n *Node) ints(name string) []int64 {
	if a := n.attribute(name, onnx.AttributeInts); a != nil {
		return a.Ints
	}
	return nil
}

func (n *Node) floats(name string) []float32 {
	if a := n.attribute(name, onnx.AttributeFloats); a != nil {
		return a.Floats
	}
	return nil
}

func (n *Node) texts(name string) []string {
	if a := n.attribute(name, onnx.AttributeStrings); a != nil {
		return a.Strings
	}
	return nil
}

// tensor returns a tensor attribute as a value, nil when it is not there.
func (n *Node) tensor(name string) *tensor.Tensor {
	if t, ok := n.tensors[name]; ok {
		return t
	}
	a := n.attribute(name, onnx.AttributeTensor)
	if a == nil || a.T == nil {
		return nil
	}
	t, err := n.loading.Constant(a.T)
	if err != nil {
		n.fail("attribute %s: %w", name, err)
		return nil
	}
	n.tensors[name] = t
	return t
}

// outside is the error for a value of input i that nothing stands at: the
// model's where the input is constant, else the request's.
func (n *Node) outside(i int, format string, args ...any) error {
	if n.Constant(i) != nil {
		return fmt.Errorf(format, args...)
	}
	return engine.InputErrorf(format, args...)
}

// Classes returns class labels as text, whichever attribute has them.
func (n *Node) Classes(strings, ints string) []string {
	if s := n.texts(strings); len(s) > 0 {
		return s
	}
	var out []string
	for _, v := range n.ints(ints) {
		out = append(out, strconv.FormatInt(v, 10))
	}
	return out
}

// unread notes attributes that the builder did not ask for: they might change
// the result.
func (n *Node) unread() {
	for _, a := range n.Attributes {
		if !n.read[a.Name] {
			n.fail("attribute %q is not known", a.Name)
		}
	}
}

// problems is what is wrong with the attributes, in one line; nil for nothing.
func (n *Node) problems() error {
	const most = 5
	switch count := len(n.problem); {
	case count == 0:
		return nil
	case count == 1:
		return n.problem[0]
	}
	var texts []string
	for _, p := range n.problem[:min(len(n.problem), most)] {
		texts = append(texts, p.Error())
	}
	if len(n.problem) > most {
		texts = append(texts, fmt.Sprintf("and %d more", len(n.problem)-most))
	}
	return errors.New(strings.Join(texts, "; "))
}

// Constant returns the value of input i where it is constant, else nil.
func (n *Node) Constant(i int) *tensor.Tensor {
	if i < len(n.consts) {
		return n.consts[i]
	}
	return nil
}

// Datatype returns the datatype of an ONNX type, false for one that is not
// supported.
func Datatype(t onnx.DataType) (tensor.Datatype, bool) {
	d, ok := datatypes[t]
	return d, ok
}

var datatypes = map[onnx.DataType]tensor.Datatype{
	onnx.Float: tensor.FP32, onnx.Double: tensor.FP64, onnx.String: tensor.Bytes, onnx.Bool: tensor.Bool,
	onnx.Int8: tensor.Int8, onnx.Int16: tensor.Int16, onnx.Int32: tensor.Int32, onnx.Int64: tensor.Int64,
	onnx.Uint8: tensor.Uint8, onnx.Uint16: tensor.Uint16, onnx.Uint32: tensor.Uint32, onnx.Uint64: tensor.Uint64,
}

// Constant converts a constant, which the model keeps.
func (l *Loading) Constant(t *onnx.Tensor) (*tensor.Tensor, error) {
	// The elements are checked against what the file holds before they are
	// read, and a file's byte is eight in memory at most.
	kind, ok := datatypes[t.DataType]
	if !ok {
		return nil, fmt.Errorf("tensor %q holds %s, which is not supported", t.Name, t.DataType)
	}
	err := CheckRank(len(t.Dims))
	if err != nil {
		return nil, err
	}
	out := &tensor.Tensor{Name: t.Name, Datatype: kind, Shape: slices.Clone(t.Dims)}
	switch {
	case kind == tensor.FP32:
		out.F32, err = t.Floats()
	case kind == tensor.FP64:
		out.F64, err = t.Doubles()
	case kind == tensor.Bytes:
		out.Strs, err = t.Texts()
	default:
		var ints []int64
		if ints, err = t.Ints(); err != nil {
			return nil, err
		}
		switch {
		case kind == tensor.Bool:
			out.Bools = make([]bool, len(ints))
			for i, v := range ints {
				out.Bools[i] = v != 0
			}
		case kind.Unsigned():
			out.U64 = make([]uint64, len(ints))
			for i, v := range ints {
				out.U64[i] = uint64(v)
			}
		default:
			out.I64 = ints
		}
	}
	if err != nil {
		return nil, err
	}
	if err := out.Check(); err != nil {
		return nil, err
	}
	return out, l.call.Take(Size(out))
}
