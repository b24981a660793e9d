package onnxtest

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

// Encode writes m as a ModelProto with the fields in ascending order.
func Encode(m *onnx.Model) []byte {
	var out message
	out.int(1, m.IRVersion)
	out.text(2, m.ProducerName)
	out.text(3, m.ProducerVersion)
	out.text(4, m.Domain)
	out.int(5, m.Version)
	out.text(6, m.Doc)
	if m.Graph != nil {
		out.bytes(7, graph(m.Graph))
	}
	for _, o := range m.Opsets {
		var s message
		s.text(1, o.Domain)
		s.int(2, o.Version)
		out.bytes(8, s)
	}
	out.properties(14, m.Metadata)
	return out
}

type message []byte

func (m *message) bytes(num protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, num, protowire.BytesType), b)
}

func (m *message) text(num protowire.Number, s string) {
	if s != "" {
		m.bytes(num, []byte(s))
	}
}

func (m *message) int(num protowire.Number, v int64) {
	if v != 0 {
		*m = protowire.AppendVarint(protowire.AppendTag(*m, num, protowire.VarintType), uint64(v))
	}
}

func (m *message) properties(num protowire.Number, list []onnx.Property) {
	for _, p := range list {
		var s message
		s.text(1, p.Key)
		s.text(2, p.Value)
		m.bytes(num, s)
	}
}

func graph(g *onnx.Graph) []byte {
	var out message
	for _, n := range g.Nodes {
		out.bytes(1, node(n))
	}
	out.text(2, g.Name)
	for _, t := range g.Initializers {
		out.bytes(5, Tensor(t))
	}
	out.text(10, g.Doc)
	for _, list := range []struct {
		num    protowire.Number
		values []*onnx.ValueInfo
	}{{11, g.Inputs}, {12, g.Outputs}, {13, g.Values}} {
		for _, v := range list.values {
			out.bytes(list.num, value(v))
		}
	}
	out.properties(16, g.Metadata)
	return out
}

func node(n *onnx.Node) []byte {
	var out message
	for _, s := range n.Inputs {
		out.bytes(1, []byte(s))
	}
	for _, s := range n.Outputs {
		out.bytes(2, []byte(s))
	}
	out.text(3, n.Name)
	out.text(4, n.OpType)
	for _, a := range n.Attributes {
		out.bytes(5, attribute(a))
	}
	out.text(6, n.Doc)
	out.text(7, n.Domain)
	out.text(8, n.Overload)
	out.properties(9, n.Metadata)
	return out
}

func attribute(a *onnx.Attribute) []byte {
	var out message
	out.text(1, a.Name)
	if a.Type == onnx.AttributeFloat {
		out = protowire.AppendFixed32(protowire.AppendTag(out, 2, protowire.Fixed32Type), math.Float32bits(a.F))
	}
	out.int(3, a.I)
	out.text(4, a.S)
	if a.T != nil {
		out.bytes(5, Tensor(a.T))
	}
	if a.G != nil {
		out.bytes(6, graph(a.G))
	}
	var packed message
	for _, f := range a.Floats {
		packed = protowire.AppendFixed32(packed, math.Float32bits(f))
	}
	if len(packed) > 0 {
		out.bytes(7, packed)
	}
	packed = nil
	for _, i := range a.Ints {
		packed = protowire.AppendVarint(packed, uint64(i))
	}
	if len(packed) > 0 {
		out.bytes(8, packed)
	}
	for _, s := range a.Strings {
		out.bytes(9, []byte(s))
	}
	for _, t := range a.Tensors {
		out.bytes(10, Tensor(t))
	}
	for _, g := range a.Graphs {
		out.bytes(11, graph(g))
	}
	out.text(13, a.Doc)
	out.int(20, int64(a.Type))
	out.text(21, a.RefAttr)
	return out
}

// Tensor writes t as a TensorProto; its numbers must be in Raw.
func Tensor(t *onnx.Tensor) []byte {
	var out message
	for _, d := range t.Dims {
		out = protowire.AppendVarint(protowire.AppendTag(out, 1, protowire.VarintType), uint64(d))
	}
	out.int(2, int64(t.DataType))
	out.text(8, t.Name)
	if t.HasRaw {
		out.bytes(9, t.Raw)
	}
	out.text(12, t.Doc)
	if t.External {
		out.int(14, 1)
	}
	out.properties(16, t.Metadata)
	return out
}

func value(v *onnx.ValueInfo) []byte {
	var out message
	out.text(1, v.Name)
	if v.Type != nil {
		out.bytes(2, typ(v.Type))
	}
	out.text(3, v.Doc)
	out.properties(4, v.Metadata)
	return out
}

func typ(t *onnx.Type) []byte {
	var out, inner message
	switch t.Kind {
	case onnx.KindTensor:
		inner.int(1, int64(t.DataType))
		if t.HasShape {
			var shape message
			for _, d := range t.Shape {
				var dim message
				if d.Known {
					dim = protowire.AppendVarint(protowire.AppendTag(dim, 1, protowire.VarintType), uint64(d.Size))
				}
				dim.text(2, d.Param)
				shape.bytes(1, dim)
			}
			inner.bytes(2, shape)
		}
		out.bytes(1, inner)
	case onnx.KindSequence:
		inner.bytes(1, typ(t.Elem))
		out.bytes(4, inner)
	case onnx.KindMap:
		inner.int(1, int64(t.DataType))
		inner.bytes(2, typ(t.Elem))
		out.bytes(5, inner)
	}
	return out
}

// Floats returns a float tensor; without dims it is a list.
func Floats(name string, values []float32, dims ...int64) *onnx.Tensor {
	if dims == nil {
		dims = []int64{int64(len(values))}
	}
	t := &onnx.Tensor{Name: name, DataType: onnx.Float, Dims: dims, HasRaw: true}
	for _, v := range values {
		t.Raw = binary.LittleEndian.AppendUint32(t.Raw, math.Float32bits(v))
	}
	return t
}

// Ints returns an int64 tensor; without dims it is a list.
func Ints(name string, values []int64, dims ...int64) *onnx.Tensor {
	if dims == nil {
		dims = []int64{int64(len(values))}
	}
	t := &onnx.Tensor{Name: name, DataType: onnx.Int64, Dims: dims, HasRaw: true}
	for _, v := range values {
		t.Raw = binary.LittleEndian.AppendUint64(t.Raw, uint64(v))
	}
	return t
}

// Value describes an input or output; -1 is an unknown dimension.
func Value(name string, dataType onnx.DataType, dims ...int64) *onnx.ValueInfo {
	t := &onnx.Type{Kind: onnx.KindTensor, DataType: dataType, HasShape: true}
	for _, d := range dims {
		t.Shape = append(t.Shape, onnx.Dimension{Known: d >= 0, Size: max(d, 0)})
	}
	return &onnx.ValueInfo{Name: name, Type: t}
}

// Attribute returns an attribute of the type that value has: float32, int,
// int64, string, a list of one of them, or *onnx.Tensor.
func Attribute(name string, value any) *onnx.Attribute {
	a := &onnx.Attribute{Name: name}
	switch v := value.(type) {
	case float32:
		a.Type, a.F = onnx.AttributeFloat, v
	case int:
		a.Type, a.I = onnx.AttributeInt, int64(v)
	case int64:
		a.Type, a.I = onnx.AttributeInt, v
	case string:
		a.Type, a.S = onnx.AttributeString, v
	case []float32:
		a.Type, a.Floats = onnx.AttributeFloats, v
	case []int64:
		a.Type, a.Ints = onnx.AttributeInts, v
	case []string:
		a.Type, a.Strings = onnx.AttributeStrings, v
	case *onnx.Tensor:
		a.Type, a.T = onnx.AttributeTensor, v
	default:
		panic("onnxtest: no attribute type for this value")
	}
	return a
}
