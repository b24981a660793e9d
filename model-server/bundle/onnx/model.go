package onnx

// Model is a ModelProto.
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	Version         int64
	Doc             string
	Graph           *Graph
	Opsets          []Opset
	Metadata        []Property
	// Opaque are the fields, anywhere in the model, that this reader has no
	// type for: local functions, training information, fields of a newer
	// release. They are kept by digest, so that Diff sees them.
	Opaque []Opaque
}

// Opset is an imported operator set; "" and "ai.onnx" are the same domain and
// Domain is "" for both.
type Opset struct {
	Domain  string
	Version int64
}

// Property is a metadata entry.
type Property struct{ Key, Value string }

// Opaque is a field that is kept by digest only.
type Opaque struct {
	Message string // "ModelProto"
	Field   int32
	SHA256  [32]byte
}

// Opset returns the version that the model imports for a domain, 0 for none.
func (m *Model) Opset(domain string) int64 {
	for _, o := range m.Opsets {
		if o.Domain == domain {
			return o.Version
		}
	}
	return 0
}

// Graph is a GraphProto.
type Graph struct {
	Name         string
	Doc          string
	Nodes        []*Node
	Initializers []*Tensor
	Inputs       []*ValueInfo
	Outputs      []*ValueInfo
	Values       []*ValueInfo
	Metadata     []Property
}

// Node is a NodeProto. An empty name among Inputs or Outputs is an optional
// one that is left out.
type Node struct {
	Name       string
	OpType     string
	Domain     string
	Overload   string
	Doc        string
	Inputs     []string
	Outputs    []string
	Attributes []*Attribute
	Metadata   []Property
}

// Attribute returns the attribute of that name, nil when there is none.
func (n *Node) Attribute(name string) *Attribute {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// AttributeType is AttributeProto.AttributeType.
type AttributeType int32

const (
	AttributeUndefined AttributeType = 0
	AttributeFloat     AttributeType = 1
	AttributeInt       AttributeType = 2
	AttributeString    AttributeType = 3
	AttributeTensor    AttributeType = 4
	AttributeGraph     AttributeType = 5
	AttributeFloats    AttributeType = 6
	AttributeInts      AttributeType = 7
	AttributeStrings   AttributeType = 8
	AttributeTensors   AttributeType = 9
	AttributeGraphs    AttributeType = 10
)

// Attribute is an AttributeProto; Type says which field holds the value.
type Attribute struct {
	Name    string
	Type    AttributeType
	Doc     string
	RefAttr string
	F       float32
	I       int64
	S       string
	T       *Tensor
	G       *Graph
	Floats  []float32
	Ints    []int64
	Strings []string
	Tensors []*Tensor
	Graphs  []*Graph
}

// ValueInfo names a value and its type.
type ValueInfo struct {
	Name     string
	Doc      string
	Type     *Type
	Metadata []Property
}

// TypeKind is the case of a TypeProto.
type TypeKind int

const (
	KindUnknown TypeKind = iota
	KindTensor
	KindSequence
	KindMap
	KindOptional
	KindSparseTensor
)

// Type is a TypeProto. Elem is the type of a sequence's or optional's elements
// and of a map's values.
type Type struct {
	Kind     TypeKind
	DataType DataType // of a tensor's elements, of a map's keys
	HasShape bool
	Shape    []Dimension
	Elem     *Type
}

// Dimension is a fixed size, a named unknown one (Param) or neither.
type Dimension struct {
	Known bool
	Size  int64
	Param string
}
