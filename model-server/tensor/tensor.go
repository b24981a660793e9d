// Package tensor is the value that flows through the server: a named, typed,
// row-major array with the data types of the Open Inference Protocol (V2).
//
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
package tensor

import "fmt"

// Datatype is a data type of the Open Inference Protocol.
type Datatype string

const (
	Bool   Datatype = "BOOL"
	Uint8  Datatype = "UINT8"
	Uint16 Datatype = "UINT16"
	Uint32 Datatype = "UINT32"
	Uint64 Datatype = "UINT64"
	Int8   Datatype = "INT8"
	Int16  Datatype = "INT16"
	Int32  Datatype = "INT32"
	Int64  Datatype = "INT64"
	FP32   Datatype = "FP32"
	FP64   Datatype = "FP64"
	Bytes  Datatype = "BYTES" // UTF-8 text of any length
)

// Tensor is a named, row-major array. Exactly one of the data slices is set,
// the one that Datatype names, and its length is the product of Shape.
// Integers narrower than 64 bits travel in I64, unsigned ones in U64.
type Tensor struct {
	Name     string
	Datatype Datatype
	Shape    []int64

	F32   []float32
	F64   []float64
	I64   []int64
	U64   []uint64
	Bools []bool
	Strs  []string
}

// Elements returns the product of shape, or an error where a dimension is
// negative or the product does not fit limit. It is checked before anything
// is allocated, since shapes come from outside.
func Elements(shape []int64, limit int) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d != 0 && n > int64(limit)/d {
			return 0, fmt.Errorf("shape %v has more than %d elements", shape, limit)
		}
		n *= d
	}
	return int(n), nil
}

// Len returns the number of elements that the data slice holds.
func (t *Tensor) Len() int {
	switch t.Datatype {
	case FP32:
		return len(t.F32)
	case FP64:
		return len(t.F64)
	case Bool:
		return len(t.Bools)
	case Bytes:
		return len(t.Strs)
	case Uint8, Uint16, Uint32, Uint64:
		return len(t.U64)
	}
	return len(t.I64)
}

// Rows returns the first dimension, 0 for a scalar.
func (t *Tensor) Rows() int {
	if len(t.Shape) == 0 {
		return 0
	}
	return int(t.Shape[0])
}
