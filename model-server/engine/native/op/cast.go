package op

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Cast", 1, 1, 1, buildCast, castTypes)
	register("", "CastLike", 2, 2, 1, buildCastLike, castLikeTypes)
	register("", "Identity", 1, 1, 1, buildIdentity, sameType(anything))
	register("", "Dropout", 1, 3, 1, buildDropout, keeps(anything))
}

func buildIdentity(*Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) { return in[:1], nil }, nil
}

// Dropout does nothing where a model is served.
func buildDropout(n *Node) (Kernel, error) {
	n.ignore("ratio", "seed", "is_test")
	if t := n.Constant(2); t != nil && len(t.Bools) == 1 && t.Bools[0] {
		return nil, fmt.Errorf("has training_mode on; export the model for inference")
	}
	return buildIdentity(n)
}

func buildCast(n *Node) (Kernel, error) {
	n.ignore("saturate", "round_mode") // of 8-bit floats only
	to := onnx.DataType(n.int("to", 0))
	kind, ok := datatypes[to]
	if !ok {
		return nil, fmt.Errorf("casts to %s, which is not known here; export the model in float32, without half precision", to)
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) { return one(c.cast(in[0], kind)) }, nil
}

func buildCastLike(n *Node) (Kernel, error) {
	n.ignore("saturate", "round_mode")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return one(c.cast(in[0], in[1].Datatype))
	}, nil
}

func castTypes(n *Node, _ []tensor.Datatype) ([]tensor.Datatype, error) {
	return []tensor.Datatype{datatypes[onnx.DataType(n.int("to", 0))]}, nil
}

func castLikeTypes(_ *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return in[1:2], nil
}

// cast converts a tensor to another type.
func (c *Call) cast(t *tensor.Tensor, kind tensor.Datatype) (*tensor.Tensor, error) {
	if t.Datatype == kind {
		return t, nil
	}
	if err := c.Take(int64(t.Len()) * width(kind)); err != nil {
		return nil, err
	}
	if err := c.Spend(int64(t.Len())); err != nil {
		return nil, err
	}
	out := &tensor.Tensor{Datatype: kind, Shape: t.Shape}
	var err error
	switch {
	case kind == tensor.Bytes:
		out.Strs, err = c.toTexts(t)
	case kind == tensor.FP32 && t.Datatype.Float():
		out.F32, err = c.float32s(t)
	case kind == tensor.FP32:
		out.F32, err = toFloats[float32](t, 32)
	case kind == tensor.FP64 && t.Datatype.Float():
		out.F64, err = c.float64s(t)
	case kind == tensor.FP64:
		out.F64, err = toFloats[float64](t, 64)
	case kind == tensor.Bool:
		out.Bools, err = c.toBools(t)
	default:
		var ints []int64
		if ints, err = c.toInts(t); err != nil {
			break
		}
		if kind.Unsigned() {
			out.U64 = make([]uint64, len(ints))
			for i, v := range ints {
				out.U64[i] = wrapUnsigned(uint64(v), kind)
			}
			break
		}
		out.I64 = make([]int64, len(ints))
		for i, v := range ints {
			out.I64[i] = wrapSigned(v, kind)
		}
	}
	return out, err
}

// wrapSigned keeps the low bits that kind has.
func wrapSigned(v int64, kind tensor.Datatype) int64 {
	switch kind {
	case tensor.Int8:
		return int64(int8(v))
	case tensor.Int16:
		return int64(int16(v))
	case tensor.Int32:
		return int64(int32(v))
	}
	return v
}

func wrapUnsigned(v uint64, kind tensor.Datatype) uint64 {
	switch kind {
	case tensor.Uint8:
		return uint64(uint8(v))
	case tensor.Uint16:
		return uint64(uint16(v))
	case tensor.Uint32:
		return uint64(uint32(v))
	}
	return v
}

// toInt cuts toward zero. Outside the range of int64 and for NaN it is the
// smallest integer, as x86 has it; Go leaves that to the machine.
func toInt(v float64) int64 {
	if v >= -math.MaxInt64-1 && v < math.MaxInt64 {
		return int64(v)
	}
	return math.MinInt64
}

// toInts converts any type to int64.
func (c *Call) toInts(t *tensor.Tensor) ([]int64, error) {
	if t.Datatype.Signed() {
		return t.I64, nil
	}
	if err := c.Take(8 * int64(t.Len())); err != nil {
		return nil, err
	}
	out := make([]int64, t.Len())
	switch {
	case t.Datatype == tensor.FP32:
		for i, v := range t.F32 {
			out[i] = toInt(float64(v))
		}
	case t.Datatype == tensor.FP64:
		for i, v := range t.F64 {
			out[i] = toInt(v)
		}
	case t.Datatype == tensor.Bool:
		for i, v := range t.Bools {
			if v {
				out[i] = 1
			}
		}
	case t.Datatype == tensor.Bytes:
		for i, s := range t.Strs {
			v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			if err != nil {
				return nil, engine.InputErrorf("element %d, %q, is no integer", i, s)
			}
			out[i] = v
		}
	default:
		for i, v := range t.U64 {
			out[i] = int64(v)
		}
	}
	return out, nil
}

// toFloats converts what is no float already.
func toFloats[T float32 | float64](t *tensor.Tensor, bits int) ([]T, error) {
	switch {
	case t.Datatype.Signed():
		return convert[T](t.I64), nil
	case t.Datatype.Unsigned():
		return convert[T](t.U64), nil
	}
	out := make([]T, t.Len())
	for i, v := range t.Bools {
		if v {
			out[i] = 1
		}
	}
	for i, s := range t.Strs {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), bits)
		// Too large a number reads as infinity, with an error.
		if err != nil && !math.IsInf(v, 0) {
			return nil, engine.InputErrorf("element %d, %q, is no number", i, s)
		}
		out[i] = T(v)
	}
	return out, nil
}

func (c *Call) toBools(t *tensor.Tensor) ([]bool, error) {
	out := make([]bool, t.Len())
	for i := range out {
		v, ok := t.Float(i)
		if !ok {
			return nil, wrongType(t, "numbers")
		}
		out[i] = v != 0
	}
	return out, nil
}

// toTexts writes numbers as onnxruntime does: %.8g, of float64 too.
func (c *Call) toTexts(t *tensor.Tensor) ([]string, error) {
	out := make([]string, t.Len())
	for i := range out {
		switch v := t.At(i).(type) {
		case float32:
			out[i] = floatText(float64(v), 8)
		case float64:
			out[i] = floatText(v, 8)
		case bool:
			out[i] = "0"
			if v {
				out[i] = "1"
			}
		default:
			out[i] = fmt.Sprint(v)
		}
	}
	return out, nil
}

// floatText is C's %.<digits>g.
func floatText(v float64, digits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	case v == 0:
		if math.Signbit(v) {
			return "-0"
		}
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	e, _ := strconv.Atoi(exponent)
	if e < -4 || e >= digits {
		if strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return fmt.Sprintf("%se%+03d", mantissa, e)
	}
	s := strconv.FormatFloat(v, 'f', digits-1-e, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
