package tensor

import (
	"fmt"
	"math"
	"slices"
)

// Datatypes lists the data types that the server speaks, in the order of the
// protocol's table. FP16 and BF16 have no exact form in JSON and are left out.
var Datatypes = []Datatype{Bool, Uint8, Uint16, Uint32, Uint64, Int8, Int16, Int32, Int64, FP32, FP64, Bytes}

// Valid reports whether d is one of Datatypes.
func (d Datatype) Valid() bool { return slices.Contains(Datatypes, d) }

// Signed reports whether values of d travel in I64.
func (d Datatype) Signed() bool { return d == Int8 || d == Int16 || d == Int32 || d == Int64 }

// Unsigned reports whether values of d travel in U64.
func (d Datatype) Unsigned() bool {
	return d == Uint8 || d == Uint16 || d == Uint32 || d == Uint64
}

// Float reports whether d is FP32 or FP64.
func (d Datatype) Float() bool { return d == FP32 || d == FP64 }

// Size is the number of bytes of one element, 0 for BYTES.
func (d Datatype) Size() int {
	switch d {
	case Bool, Uint8, Int8:
		return 1
	case Uint16, Int16:
		return 2
	case Uint32, Int32, FP32:
		return 4
	case Uint64, Int64, FP64:
		return 8
	}
	return 0
}

// Range returns the smallest and largest value of a signed d. An unsigned d
// has the range 0 to hi, where hi is the second value's bits as uint64.
func (d Datatype) Range() (lo, hi int64) {
	switch d {
	case Int8:
		return math.MinInt8, math.MaxInt8
	case Int16:
		return math.MinInt16, math.MaxInt16
	case Int32:
		return math.MinInt32, math.MaxInt32
	case Int64:
		return math.MinInt64, math.MaxInt64
	case Uint8:
		return 0, math.MaxUint8
	case Uint16:
		return 0, math.MaxUint16
	case Uint32:
		return 0, math.MaxUint32
	case Uint64:
		return 0, -1
	}
	return 0, 0
}

// Check reports what is wrong with t: an unknown data type, a data slice that
// is not the one which the type names, a length that is not the product of the
// shape, an integer that the type cannot hold.
func (t *Tensor) Check() error {
	if !t.Datatype.Valid() {
		return fmt.Errorf("tensor %q has the unknown data type %q", t.Name, t.Datatype)
	}
	n, err := Elements(t.Shape, math.MaxInt32)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	if t.Len() != n {
		return fmt.Errorf("tensor %q has %d elements, its shape %v needs %d", t.Name, t.Len(), t.Shape, n)
	}
	filled := len(t.F32) + len(t.F64) + len(t.I64) + len(t.U64) + len(t.Bools) + len(t.Strs)
	if filled != n {
		return fmt.Errorf("tensor %q of %s carries data of another type too", t.Name, t.Datatype)
	}
	switch lo, hi := t.Datatype.Range(); {
	case t.Datatype.Signed() && t.Datatype != Int64:
		for i, v := range t.I64 {
			if v < lo || v > hi {
				return fmt.Errorf("tensor %q element %d: %d is outside %s (%d to %d)", t.Name, i, v, t.Datatype, lo, hi)
			}
		}
	case t.Datatype.Unsigned() && t.Datatype != Uint64:
		for i, v := range t.U64 {
			if v > uint64(hi) {
				return fmt.Errorf("tensor %q element %d: %d is outside %s (0 to %d)", t.Name, i, v, t.Datatype, hi)
			}
		}
	}
	return nil
}

// At returns element i as float32, float64, int64, uint64, bool or string.
func (t *Tensor) At(i int) any {
	switch {
	case t.Datatype == FP32:
		return t.F32[i]
	case t.Datatype == FP64:
		return t.F64[i]
	case t.Datatype == Bool:
		return t.Bools[i]
	case t.Datatype == Bytes:
		return t.Strs[i]
	case t.Datatype.Unsigned():
		return t.U64[i]
	}
	return t.I64[i]
}

// Float returns element i as a float64, and false where it is not a number.
func (t *Tensor) Float(i int) (float64, bool) {
	switch {
	case t.Datatype == FP32:
		return float64(t.F32[i]), true
	case t.Datatype == FP64:
		return t.F64[i], true
	case t.Datatype.Signed():
		return float64(t.I64[i]), true
	case t.Datatype.Unsigned():
		return float64(t.U64[i]), true
	case t.Datatype == Bool:
		if t.Bools[i] {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// Slice returns rows from (included) to to (excluded) of t, sharing its data.
// The tensor must have a first dimension that holds them.
func (t *Tensor) Slice(from, to int) Tensor {
	width := 0
	if rows := t.Rows(); rows > 0 {
		width = t.Len() / rows
	}
	out := Tensor{Name: t.Name, Datatype: t.Datatype, Shape: slices.Clone(t.Shape)}
	out.Shape[0] = int64(to - from)
	a, b := from*width, to*width
	switch {
	case t.Datatype == FP32:
		out.F32 = t.F32[a:b:b]
	case t.Datatype == FP64:
		out.F64 = t.F64[a:b:b]
	case t.Datatype == Bool:
		out.Bools = t.Bools[a:b:b]
	case t.Datatype == Bytes:
		out.Strs = t.Strs[a:b:b]
	case t.Datatype.Unsigned():
		out.U64 = t.U64[a:b:b]
	default:
		out.I64 = t.I64[a:b:b]
	}
	return out
}
