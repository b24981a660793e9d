package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Parse reads a model. The result shares memory with data, which must not be
// changed afterwards. Errors are *ParseError and wrap ErrNotONNX or
// ErrTruncated where that is what is wrong.
func Parse(data []byte) (*Model, error) {
	if len(data) == 0 {
		return nil, &ParseError{"", errors.New("the file is empty")}
	}
	if len(data) > maxSize {
		return nil, &ParseError{"", fmt.Errorf("%d bytes are more than the %d that the format allows", len(data), maxSize)}
	}
	if err := Probe(data); err != nil {
		return nil, &ParseError{"", err}
	}
	m := &Model{}
	r := &reader{model: m, messages: messagesAtLeast + len(data)/bytesPerMessage, interned: map[string]string{}}
	if err := r.parseModel(data); err != nil {
		return nil, inside("", err)
	}
	if m.Graph == nil {
		return nil, &ParseError{"", ErrNotONNX}
	}
	slices.SortFunc(m.Opaque, func(a, b Opaque) int {
		if a.Message != b.Message {
			return strings.Compare(a.Message, b.Message)
		}
		if a.Field != b.Field {
			return int(a.Field) - int(b.Field)
		}
		return slices.Compare(a.SHA256[:], b.SHA256[:])
	})
	return m, nil
}

func (r *reader) parseModel(data []byte) error {
	m := r.model
	return r.each("ModelProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.int64(&m.IRVersion)
		case 2:
			return f.text(&m.ProducerName)
		case 3:
			return f.text(&m.ProducerVersion)
		case 4:
			return f.text(&m.Domain)
		case 5:
			return f.int64(&m.Version)
		case 6:
			return f.text(&m.Doc)
		case 7:
			// A singular message that comes twice is merged, as protobuf demands.
			if m.Graph == nil {
				m.Graph = &Graph{}
			}
			return submessage(f, "graph", r.parseGraph, m.Graph)
		case 8:
			return add(f, "opset_import", r.parseOpset, &m.Opsets)
		case 14:
			return add(f, "metadata_props", r.parseProperty, &m.Metadata)
		}
		return f.opaque()
	})
}

// submessage parses a field into an existing message.
func submessage[T any](f *field, where string, parse func([]byte, *T) error, to *T) error {
	if err := f.want(protowire.BytesType); err != nil {
		return inside(where, err)
	}
	if err := parse(f.bytes, to); err != nil {
		return inside(where, err)
	}
	return nil
}

// add parses a field into a new element of a repeated message.
func add[T any](f *field, where string, parse func([]byte, *T) error, to *[]T) error {
	var v T
	if err := submessage(f, fmt.Sprintf("%s %d", where, len(*to)), parse, &v); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

// addPtr is add for lists of pointers.
func addPtr[T any](f *field, where string, parse func([]byte, *T) error, to *[]*T) error {
	v := new(T)
	if err := f.want(protowire.BytesType); err != nil {
		return inside(where, err)
	}
	if err := parse(f.bytes, v); err != nil {
		return inside(fmt.Sprintf("%s %d", where, len(*to)), err)
	}
	*to = append(*to, v)
	return nil
}

// into parses a singular message that a pointer holds.
func into[T any](f *field, where string, parse func([]byte, *T) error, to **T) error {
	if *to == nil {
		*to = new(T)
	}
	return submessage(f, where, parse, *to)
}

func (r *reader) parseOpset(data []byte, o *Opset) error {
	return r.each("OperatorSetIdProto", data, func(f *field) error {
		switch f.num {
		case 1:
			err := f.text(&o.Domain)
			if o.Domain == "ai.onnx" {
				o.Domain = ""
			}
			return err
		case 2:
			return f.int64(&o.Version)
		}
		return f.opaque()
	})
}

func (r *reader) parseProperty(data []byte, p *Property) error {
	return r.each("StringStringEntryProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.text(&p.Key)
		case 2:
			return f.text(&p.Value)
		}
		return f.opaque()
	})
}

func (r *reader) parseGraph(data []byte, g *Graph) error {
	err := r.each("GraphProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return addPtr(f, "node", r.parseNode, &g.Nodes)
		case 2:
			return f.text(&g.Name)
		case 5:
			return addPtr(f, "initializer", r.parseTensor, &g.Initializers)
		case 10:
			return f.text(&g.Doc)
		case 11:
			return addPtr(f, "input", r.parseValueInfo, &g.Inputs)
		case 12:
			return addPtr(f, "output", r.parseValueInfo, &g.Outputs)
		case 13:
			return addPtr(f, "value_info", r.parseValueInfo, &g.Values)
		case 16:
			return add(f, "metadata_props", r.parseProperty, &g.Metadata)
		}
		return f.opaque()
	})
	if err != nil {
		return err
	}
	return unique("initializer", g.Initializers, func(t *Tensor) string { return t.Name })
}

func (r *reader) parseNode(data []byte, n *Node) error {
	err := r.each("NodeProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.texts(&n.Inputs)
		case 2:
			return f.texts(&n.Outputs)
		case 3:
			return f.text(&n.Name)
		case 4:
			return f.text(&n.OpType)
		case 5:
			return addPtr(f, "attribute", r.parseAttribute, &n.Attributes)
		case 6:
			return f.text(&n.Doc)
		case 7:
			err := f.text(&n.Domain)
			if n.Domain == "ai.onnx" {
				n.Domain = ""
			}
			return err
		case 8:
			return f.text(&n.Overload)
		case 9:
			return add(f, "metadata_props", r.parseProperty, &n.Metadata)
		}
		return f.opaque()
	})
	if err != nil {
		return err
	}
	return unique("attribute", n.Attributes, func(a *Attribute) string { return a.Name })
}

// unique refuses a name that is there twice: which of the two counts would be
// up to the reader.
func unique[T any](what string, list []*T, name func(*T) string) error {
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		if seen[name(v)] {
			return fmt.Errorf("%s %s is there twice", what, quote(name(v)))
		}
		seen[name(v)] = true
	}
	return nil
}

func (r *reader) parseAttribute(data []byte, a *Attribute) error {
	err := r.each("AttributeProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.text(&a.Name)
		case 2:
			return f.float32(&a.F)
		case 3:
			return f.int64(&a.I)
		case 4:
			return f.text(&a.S)
		case 5:
			return into(f, "tensor", r.parseTensor, &a.T)
		case 6:
			return into(f, "graph", r.parseGraph, &a.G)
		case 7:
			return f.fixed32s(&a.Floats)
		case 8:
			return varints(f, &a.Ints, func(v uint64) int64 { return int64(v) })
		case 9:
			return f.texts(&a.Strings)
		case 10:
			return addPtr(f, "tensor", r.parseTensor, &a.Tensors)
		case 11:
			return addPtr(f, "graph", r.parseGraph, &a.Graphs)
		case 13:
			return f.text(&a.Doc)
		case 20:
			var v int64
			err := f.int64(&v)
			a.Type = AttributeType(v)
			return err
		case 21:
			return f.text(&a.RefAttr)
		}
		return f.opaque()
	})
	if err != nil {
		return err
	}
	if a.Type == AttributeUndefined {
		a.Type = a.guessType()
	}
	return nil
}

// guessType is for files of IR version 1, which left the type out.
func (a *Attribute) guessType() AttributeType {
	switch {
	case len(a.Floats) > 0:
		return AttributeFloats
	case len(a.Ints) > 0:
		return AttributeInts
	case len(a.Strings) > 0:
		return AttributeStrings
	case len(a.Tensors) > 0:
		return AttributeTensors
	case len(a.Graphs) > 0:
		return AttributeGraphs
	case a.T != nil:
		return AttributeTensor
	case a.G != nil:
		return AttributeGraph
	case a.S != "":
		return AttributeString
	case a.F != 0:
		return AttributeFloat
	case a.I != 0:
		return AttributeInt
	}
	return AttributeUndefined
}

func (r *reader) parseValueInfo(data []byte, v *ValueInfo) error {
	return r.each("ValueInfoProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.text(&v.Name)
		case 2:
			return into(f, "type", r.parseType, &v.Type)
		case 3:
			return f.text(&v.Doc)
		case 4:
			return add(f, "metadata_props", r.parseProperty, &v.Metadata)
		}
		return f.opaque()
	})
}

func (r *reader) parseType(data []byte, t *Type) error {
	return r.each("TypeProto", data, func(f *field) error {
		switch f.num {
		case 1, 8:
			t.Kind = KindTensor
			if f.num == 8 {
				t.Kind = KindSparseTensor
			}
			return submessage(f, "tensor type", r.parseTensorType, t)
		case 4:
			t.Kind = KindSequence
			return submessage(f, "sequence type", r.parseElemType, t)
		case 5:
			t.Kind = KindMap
			return submessage(f, "map type", r.parseMapType, t)
		case 9:
			t.Kind = KindOptional
			return submessage(f, "optional type", r.parseElemType, t)
		}
		return f.opaque()
	})
}

func (r *reader) parseTensorType(data []byte, t *Type) error {
	return r.each("TypeProto.Tensor", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.dataType(&t.DataType)
		case 2:
			t.HasShape = true
			return submessage(f, "shape", r.parseShape, t)
		}
		return f.opaque()
	})
}

func (r *reader) parseElemType(data []byte, t *Type) error {
	return r.each("TypeProto.Sequence", data, func(f *field) error {
		if f.num == 1 {
			return into(f, "element type", r.parseType, &t.Elem)
		}
		return f.opaque()
	})
}

func (r *reader) parseMapType(data []byte, t *Type) error {
	return r.each("TypeProto.Map", data, func(f *field) error {
		switch f.num {
		case 1:
			return f.dataType(&t.DataType)
		case 2:
			return into(f, "value type", r.parseType, &t.Elem)
		}
		return f.opaque()
	})
}

func (r *reader) parseShape(data []byte, t *Type) error {
	return r.each("TensorShapeProto", data, func(f *field) error {
		if f.num == 1 {
			return add(f, "dim", r.parseDimension, &t.Shape)
		}
		return f.opaque()
	})
}

func (r *reader) parseDimension(data []byte, d *Dimension) error {
	return r.each("TensorShapeProto.Dimension", data, func(f *field) error {
		switch f.num {
		case 1:
			d.Known = true
			return f.int64(&d.Size)
		case 2:
			return f.text(&d.Param)
		}
		return f.opaque()
	})
}

func (f *field) dataType(to *DataType) error {
	var v int64
	err := f.int64(&v)
	*to = DataType(v)
	return err
}
