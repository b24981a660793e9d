package main

import (
	"encoding/binary"
	"math"
)

// message is a protobuf message under construction. ONNX needs five of the
// format's shapes, so this is the whole writer:
//
//   - a message is a sequence of fields, and nothing marks its end;
//   - a field is a key, then a value; the key is number<<3 | wire type;
//   - wire type 0 is a varint: seven bits a byte, lowest first, the top bit
//     set on all bytes but the last;
//   - wire type 5 is four bytes, little endian: a float;
//   - wire type 2 is a length (a varint) and that many bytes: text, a message
//     inside the message, or "packed" numbers one after another.
//
// A repeated field is the same field several times, or packed. Fields are
// written in the order of the calls, so equal models have equal bytes.
//
// https://protobuf.dev/programming-guides/encoding/
type message []byte

func (m *message) key(field, wire int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(wire))
}

// integer writes an int32, int64 or enum field; a negative one takes ten bytes.
func (m *message) integer(field int, v int64) {
	m.key(field, 0)
	*m = binary.AppendUvarint(*m, uint64(v))
}

// float writes a float field.
func (m *message) float(field int, v float32) {
	m.key(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

// bytes writes a string or bytes field, or a message field.
func (m *message) bytes(field int, v []byte) {
	m.key(field, 2)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

// integers writes a repeated int64 field, packed.
func (m *message) integers(field int, values []int64) {
	var packed []byte
	for _, v := range values {
		packed = binary.AppendUvarint(packed, uint64(v))
	}
	m.bytes(field, packed)
}

// floats writes a repeated float field, packed.
func (m *message) floats(field int, values []float32) {
	packed := make([]byte, 0, 4*len(values))
	for _, v := range values {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(v))
	}
	m.bytes(field, packed)
}
