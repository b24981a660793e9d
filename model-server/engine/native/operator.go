package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

const ml = "ai.onnx.ml"

// Operator sets up to these versions are known. A later one may give an
// operator another meaning.
var newestOpset = map[string]int64{"": 25, ml: 4}

// kernel computes a node's outputs. An input that the node leaves out is nil.
// Inputs are shared and must not be changed; an output may be an input.
type kernel func(in []*tensor.Tensor) ([]*tensor.Tensor, error)

// builder turns a node into a kernel. What it finds wrong with attributes is
// collected by the node; the error is for everything else.
type builder func(n *node) (kernel, error)

type operator struct {
	build    builder
	min, max int // inputs
	outputs  int // at most
}

var operators = map[[2]string]operator{}

// register enters an operator of a domain ("" is ai.onnx) with the number of
// its inputs. It is called by init functions, one file per operator.
func register(domain, name string, min, max, outputs int, build builder) {
	key := [2]string{domain, name}
	if _, twice := operators[key]; twice {
		panic("native: operator " + name + " is registered twice")
	}
	operators[key] = operator{build, min, max, outputs}
}

// variadic is the maximum of an operator with any number of inputs.
const variadic = 1 << 20

// Operators lists what this engine knows, sorted: "Add", "ai.onnx.ml.Scaler".
func Operators() []string {
	names := make([]string, 0, len(operators))
	for key := range operators {
		names = append(names, strings.TrimPrefix(key[0]+"."+key[1], "."))
	}
	slices.Sort(names)
	return names
}

// UnsupportedError says that a model needs what this engine lacks.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string {
	return e.What + "; serve this model with the onnxruntime engine (serve.engine: onnxruntime)"
}

// node is a node under construction.
type node struct {
	*onnx.Node
	version int64            // of the operator's domain
	consts  []*tensor.Tensor // by input: the value where it is constant
	read    map[string]bool
	problem []error
}

func (n *node) fail(format string, args ...any) {
	n.problem = append(n.problem, fmt.Errorf(format, args...))
}

// attribute returns the attribute of that name and type, nil when it is not
// there. Reading marks it as known.
func (n *node) attribute(name string, kind onnx.AttributeType) *onnx.Attribute {
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
func (n *node) ignore(names ...string) {
	for _, name := range names {
		n.read[name] = true
	}
}

func (n *node) has(name string) bool { return n.Attribute(name) != nil }

func (n *node) int(name string, otherwise int64) int64 {
	if a := n.attribute(name, onnx.AttributeInt); a != nil {
		return a.I
	}
	return otherwise
}

func (n *node) float(name string, otherwise float32) float32 {
	if a := n.attribute(name, onnx.AttributeFloat); a != nil {
		return a.F
	}
	return otherwise
}

func (n *node) text(name, otherwise string) string {
	if a := n.attribute(name, onnx.AttributeString); a != nil {
		return a.S
	}
	return otherwise
}

// choice is a text that must be one of a few.
func (n *node) choice(name, otherwise string, allowed ...string) string {
	s := n.text(name, otherwise)
	if !slices.Contains(allowed, s) {
		n.fail("attribute %s is %q, expected one of %s", name, s, strings.Join(allowed, ", "))
	}
	return s
}

func (n *node) ints(name string) []int64 {
	if a := n.attribute(name, onnx.AttributeInts); a != nil {
		return a.Ints
	}
	return nil
}

func (n *node) floats(name string) []float32 {
	if a := n.attribute(name, onnx.AttributeFloats); a != nil {
		return a.Floats
	}
	return nil
}

func (n *node) texts(name string) []string {
	if a := n.attribute(name, onnx.AttributeStrings); a != nil {
		return a.Strings
	}
	return nil
}

// tensor returns a tensor attribute as a value, nil when it is not there.
func (n *node) tensor(name string) *tensor.Tensor {
	a := n.attribute(name, onnx.AttributeTensor)
	if a == nil || a.T == nil {
		return nil
	}
	t, err := fromONNX(a.T)
	if err != nil {
		n.fail("attribute %s: %w", name, err)
		return nil
	}
	return t
}

// finish reports what the builder could not read, and attributes that it did
// not ask for: they might change the result.
func (n *node) finish() error {
	for _, a := range n.Attributes {
		if !n.read[a.Name] {
			n.fail("attribute %q is not known", a.Name)
		}
	}
	return errors.Join(n.problem...)
}

// constant returns the value of input i where it is constant, else nil.
func (n *node) constant(i int) *tensor.Tensor {
	if i < len(n.consts) {
		return n.consts[i]
	}
	return nil
}

var datatypes = map[onnx.DataType]tensor.Datatype{
	onnx.Float: tensor.FP32, onnx.Double: tensor.FP64, onnx.String: tensor.Bytes, onnx.Bool: tensor.Bool,
	onnx.Int8: tensor.Int8, onnx.Int16: tensor.Int16, onnx.Int32: tensor.Int32, onnx.Int64: tensor.Int64,
	onnx.Uint8: tensor.Uint8, onnx.Uint16: tensor.Uint16, onnx.Uint32: tensor.Uint32, onnx.Uint64: tensor.Uint64,
}

// fromONNX converts a constant.
func fromONNX(t *onnx.Tensor) (*tensor.Tensor, error) {
	kind, ok := datatypes[t.DataType]
	if !ok {
		return nil, fmt.Errorf("tensor %q holds %s, which is not supported", t.Name, t.DataType)
	}
	out := &tensor.Tensor{Name: t.Name, Datatype: kind, Shape: slices.Clone(t.Dims)}
	var err error
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
	return out, out.Check()
}
