package main

// The messages of ONNX that a model needs. Field numbers and enum values are
// those of https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto

// Element types: TensorProto.DataType.
const (
	elemFloat  = 1
	elemInt64  = 7
	elemString = 8
)

// Attribute types: AttributeProto.AttributeType.
const (
	attrFloat   = 1
	attrInt     = 2
	attrString  = 3
	attrFloats  = 6
	attrInts    = 7
	attrStrings = 8
)

// mlDomain holds the operators of classical machine learning.
// https://github.com/onnx/onnx/blob/v1.17.0/docs/Operators-ml.md
const mlDomain = "ai.onnx.ml"

// attribute returns an AttributeProto. Its value is one of the types in the
// switch: the graph is built by this program alone, so another is a bug.
func attribute(name string, value any) message {
	var m message
	m.bytes(1, []byte(name))
	typ := int64(0)
	switch v := value.(type) {
	case float32:
		typ = attrFloat
		m.float(2, v)
	case int64:
		typ = attrInt
		m.integer(3, v)
	case string:
		typ = attrString
		m.bytes(4, []byte(v))
	case []float32:
		typ = attrFloats
		m.floats(7, v)
	case []int64:
		typ = attrInts
		m.integers(8, v)
	case []string:
		typ = attrStrings
		for _, s := range v {
			m.bytes(9, []byte(s))
		}
	default:
		panic("no ONNX attribute holds this type: " + name)
	}
	m.integer(20, typ)
	return m
}

// node returns a NodeProto: one operator, named after its first output.
func node(domain, operator string, inputs, outputs []string, attributes ...message) message {
	var m message
	for _, s := range inputs {
		m.bytes(1, []byte(s))
	}
	for _, s := range outputs {
		m.bytes(2, []byte(s))
	}
	m.bytes(3, []byte(outputs[0]))
	m.bytes(4, []byte(operator))
	for _, a := range attributes {
		m.bytes(5, a)
	}
	if domain != "" {
		m.bytes(7, []byte(domain))
	}
	return m
}

// value returns a ValueInfoProto: an input or output of the graph with the
// shape [N, columns], or [N] where columns is 0. N is any number of rows.
func value(name string, elem, columns int64) message {
	var rows, shape message
	rows.bytes(2, []byte("N")) // dim_param
	shape.bytes(1, rows)
	if columns > 0 {
		var dim message
		dim.integer(1, columns) // dim_value
		shape.bytes(1, dim)
	}
	var tensor, typ, m message
	tensor.integer(1, elem)
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	m.bytes(1, []byte(name))
	m.bytes(2, typ)
	return m
}

// int64s returns a TensorProto with one dimension: a constant of the graph.
func int64s(name string, values ...int64) message {
	var m message
	m.integer(1, int64(len(values))) // dims
	m.integer(2, elemInt64)
	m.integers(7, values)
	m.bytes(8, []byte(name))
	return m
}

// graph collects what goes into a GraphProto.
type graph struct {
	nodes, constants, inputs, outputs []message
}

// add appends a node with one output and returns the output's name.
func (g *graph) add(domain, operator, output string, inputs []string, attributes ...message) string {
	g.nodes = append(g.nodes, node(domain, operator, inputs, []string{output}, attributes...))
	return output
}

// model returns the ModelProto, ready to be written to a file.
func (g *graph) model(name string) []byte {
	var m message
	for _, n := range g.nodes {
		m.bytes(1, n)
	}
	m.bytes(2, []byte(name))
	for _, c := range g.constants {
		m.bytes(5, c)
	}
	for _, v := range g.inputs {
		m.bytes(11, v)
	}
	for _, v := range g.outputs {
		m.bytes(12, v)
	}

	var opset, mlOpset, file message
	opset.bytes(1, nil) // the default domain has the empty name
	opset.integer(2, 17)
	mlOpset.bytes(1, []byte(mlDomain))
	mlOpset.integer(2, 1)

	file.integer(1, 8) // ir_version 8 came with opset 17
	file.bytes(2, []byte("example.com/flights/train"))
	file.bytes(7, m)
	file.bytes(8, opset)
	file.bytes(8, mlOpset)
	return file
}
