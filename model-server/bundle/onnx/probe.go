package onnx

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

var (
	// ErrNotONNX says that the bytes are no ModelProto at all.
	ErrNotONNX = errors.New("not an ONNX model")
	// ErrTruncated says that the file starts as a ModelProto and ends inside it.
	ErrTruncated = errors.New("truncated ONNX model: the file ends in the middle of a field")
)

// wire types of ModelProto's fields.
var modelFields = map[protowire.Number]protowire.Type{
	1: protowire.VarintType, 2: protowire.BytesType, 3: protowire.BytesType, 4: protowire.BytesType,
	5: protowire.VarintType, 6: protowire.BytesType, 7: protowire.BytesType, 8: protowire.BytesType,
	14: protowire.BytesType, 20: protowire.BytesType, 25: protowire.BytesType, 26: protowire.BytesType,
}

// Probe looks at the outermost fields only and returns nil where data can be
// an ONNX model, else ErrNotONNX or ErrTruncated. It costs a few steps
// whatever the size.
func Probe(data []byte) error {
	graph, known := false, 0
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		want, ok := modelFields[num]
		if n < 0 || !ok || want != kind {
			if known > 1 && n < 0 {
				return ErrTruncated
			}
			return ErrNotONNX
		}
		m := protowire.ConsumeFieldValue(num, kind, data[n:])
		if m < 0 {
			// The first field of what exporters write is ir_version, whose
			// value is short: text or another format fails on its first bytes.
			if known > 0 {
				return ErrTruncated
			}
			return ErrNotONNX
		}
		known++
		graph = graph || num == 7
		data = data[n+m:]
	}
	if !graph {
		if known > 0 {
			return ErrTruncated
		}
		return ErrNotONNX
	}
	return nil
}
