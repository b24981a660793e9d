package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// DataType is TensorProto.DataType.
type DataType int32

const (
	Float    DataType = 1
	Uint8    DataType = 2
	Int8     DataType = 3
	Uint16   DataType = 4
	Int16    DataType = 5
	Int32    DataType = 6
	Int64    DataType = 7
	String   DataType = 8
	Bool     DataType = 9
	Float16  DataType = 10
	Double   DataType = 11
	Uint32   DataType = 12
	Uint64   DataType = 13
	BFloat16 DataType = 16
)

var dataTypes = map[DataType]struct {
	name string
	size int
}{
	Float: {"float", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Int32: {"int32", 4}, Int64: {"int64", 8}, String: {"string", 0}, Bool: {"bool", 1}, Float16: {"float16", 2},
	Double: {"double", 8}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8}, BFloat16: {"bfloat16", 2},
}

func (d DataType) String() string {
	if t, ok := dataTypes[d]; ok {
		return t.name
	}
	return fmt.Sprintf("data type %d", int32(d))
}

// Tensor is a TensorProto. Its numbers are in Raw (little endian) or in the
// list that the data type has; Floats, Doubles, Ints and Texts read either.
type Tensor struct {
	Name     string
	DataType DataType
	Dims     []int64
	Doc      string
	Raw      []byte
	HasRaw   bool
	External bool // the numbers are in another file
	Metadata []Property

	floats  []float32
	ints32  []int32
	texts   []string
	ints64  []int64
	doubles []float64
	uints64 []uint64
}

func (r *reader) parseTensor(data []byte, t *Tensor) error {
	return r.each("TensorProto", data, func(f *field) error {
		switch f.num {
		case 1:
			return varints(f, &t.Dims, func(v uint64) int64 { return int64(v) })
		case 2:
			return f.dataType(&t.DataType)
		case 4:
			return f.fixed32s(&t.floats)
		case 5:
			return varints(f, &t.ints32, func(v uint64) int32 { return int32(v) })
		case 6:
			return f.texts(&t.texts)
		case 7:
			return varints(f, &t.ints64, func(v uint64) int64 { return int64(v) })
		case 8:
			return f.text(&t.Name)
		case 9:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			t.Raw, t.HasRaw = f.bytes, true
			return nil
		case 10:
			return f.fixed64s(&t.doubles)
		case 11:
			return varints(f, &t.uints64, func(v uint64) uint64 { return v })
		case 12:
			return f.text(&t.Doc)
		case 14:
			var v int64
			err := f.int64(&v)
			t.External = t.External || v == 1
			return err
		case 16:
			return add(f, "metadata_props", r.parseProperty, &t.Metadata)
		}
		return f.opaque()
	})
}

// Len is the number of elements by Dims.
func (t *Tensor) Len() (int, error) {
	n := int64(1)
	for _, d := range t.Dims {
		if d < 0 {
			return 0, fmt.Errorf("tensor %q: shape %v has a negative dimension", t.Name, t.Dims)
		}
		if d != 0 && n > maxSize/d {
			return 0, fmt.Errorf("tensor %q: shape %v has too many elements", t.Name, t.Dims)
		}
		n *= d
	}
	return int(n), nil
}

// check returns the number of elements after making sure that the tensor has
// as many, in Raw or in its list of n.
func (t *Tensor) check(listed int) (int, error) {
	if t.External {
		return 0, fmt.Errorf("tensor %q keeps its numbers in another file; save the model as one file (onnx.save_model without save_as_external_data)", t.Name)
	}
	n, err := t.Len()
	if err != nil {
		return 0, err
	}
	have, unit := listed, "elements"
	if t.HasRaw {
		size := dataTypes[t.DataType].size
		if size == 0 {
			return 0, fmt.Errorf("tensor %q: %s has no raw form", t.Name, t.DataType)
		}
		have, n, unit = len(t.Raw), n*size, "bytes"
		if have == n {
			return n / size, nil
		}
	}
	if have != n {
		return 0, fmt.Errorf("tensor %q of %s has %d %s, its shape %v needs %d", t.Name, t.DataType, have, unit, t.Dims, n)
	}
	return n, nil
}

// Floats returns the elements of a float tensor (float16 and bfloat16 are
// widened, exactly).
func (t *Tensor) Floats() ([]float32, error) {
	switch t.DataType {
	case Float:
		n, err := t.check(len(t.floats))
		if err != nil || !t.HasRaw {
			return t.floats, err
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Raw[4*i:]))
		}
		return out, nil
	case Float16, BFloat16:
		n, err := t.check(len(t.ints32))
		if err != nil {
			return nil, err
		}
		out := make([]float32, n)
		for i := range out {
			var bits uint16
			if t.HasRaw {
				bits = binary.LittleEndian.Uint16(t.Raw[2*i:])
			} else {
				bits = uint16(t.ints32[i])
			}
			if t.DataType == BFloat16 {
				out[i] = math.Float32frombits(uint32(bits) << 16)
			} else {
				out[i] = widen(bits)
			}
		}
		return out, nil
	}
	return nil, t.wrong("float")
}

// widen converts an IEEE half.
func widen(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 31:
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	case 0:
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Doubles returns the elements of a double tensor.
func (t *Tensor) Doubles() ([]float64, error) {
	if t.DataType != Double {
		return nil, t.wrong("double")
	}
	n, err := t.check(len(t.doubles))
	if err != nil || !t.HasRaw {
		return t.doubles, err
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Raw[8*i:]))
	}
	return out, nil
}

// Ints returns the elements of an integer or bool tensor. A uint64 above the
// range of int64 keeps its bits.
func (t *Tensor) Ints() ([]int64, error) {
	var listed int
	var at func(i int) int64
	switch t.DataType {
	case Int64:
		listed, at = len(t.ints64), func(i int) int64 { return t.ints64[i] }
	case Uint32, Uint64:
		listed, at = len(t.uints64), func(i int) int64 { return int64(t.uints64[i]) }
	case Uint8, Int8, Uint16, Int16, Int32, Bool:
		listed, at = len(t.ints32), func(i int) int64 { return int64(t.ints32[i]) }
	default:
		return nil, t.wrong("integer")
	}
	n, err := t.check(listed)
	if err != nil {
		return nil, err
	}
	if !t.HasRaw && t.DataType == Int64 {
		return t.ints64, nil
	}
	if t.HasRaw {
		at = t.rawInt
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = at(i)
	}
	return out, nil
}

func (t *Tensor) rawInt(i int) int64 {
	b := t.Raw[i*dataTypes[t.DataType].size:]
	switch t.DataType {
	case Uint8, Bool:
		return int64(b[0])
	case Int8:
		return int64(int8(b[0]))
	case Uint16:
		return int64(binary.LittleEndian.Uint16(b))
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case Uint32:
		return int64(binary.LittleEndian.Uint32(b))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// Texts returns the elements of a string tensor.
func (t *Tensor) Texts() ([]string, error) {
	if t.DataType != String {
		return nil, t.wrong("string")
	}
	_, err := t.check(len(t.texts))
	return t.texts, err
}

func (t *Tensor) wrong(want string) error {
	return fmt.Errorf("tensor %q holds %s, expected %s", t.Name, t.DataType, want)
}
