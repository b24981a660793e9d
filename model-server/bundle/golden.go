package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// NewGolden returns the golden examples for inputs and the answers to them.
func NewGolden(inputs, outputs []tensor.Tensor, tolerance Tolerance) (Golden, error) {
	g := Golden{Tolerance: tolerance}
	for _, side := range []struct {
		from []tensor.Tensor
		to   *[]Values
	}{{inputs, &g.Inputs}, {outputs, &g.Outputs}} {
		for i := range side.from {
			v, err := FromTensor(&side.from[i])
			if err != nil {
				return Golden{}, err
			}
			*side.to = append(*side.to, v)
		}
	}
	return g, nil
}

// Tensors returns the inputs and the expected outputs.
func (g *Golden) Tensors() (inputs, outputs []tensor.Tensor, err error) {
	for _, side := range []struct {
		name string
		from []Values
		to   *[]tensor.Tensor
	}{{"inputs", g.Inputs, &inputs}, {"outputs", g.Outputs, &outputs}} {
		for i := range side.from {
			t, err := side.from[i].Tensor()
			if err != nil {
				return nil, nil, fmt.Errorf("%s[%d]: %w", side.name, i, err)
			}
			*side.to = append(*side.to, t)
		}
	}
	if a, r := g.Tolerance.Absolute, g.Tolerance.Relative; !(a >= 0) || !(r >= 0) || math.IsInf(a, 0) || math.IsInf(r, 0) {
		return nil, nil, fmt.Errorf("tolerance %v, %v: both must be finite and not negative", a, r)
	}
	return inputs, outputs, nil
}

func (g Golden) canonical() Golden {
	g.Inputs, g.Outputs = canonicalValues(g.Inputs), canonicalValues(g.Outputs)
	return g
}

func canonicalValues(values []Values) []Values {
	out := append([]Values{}, values...)
	for i := range out {
		out[i].Shape = append([]int64{}, out[i].Shape...)
		out[i].Data = append([]any{}, out[i].Data...)
	}
	return out
}

// FromTensor returns t in JSON's terms. The bits of every finite number, the
// sign of zero and the infinities survive; of a NaN only that it is one.
func FromTensor(t *tensor.Tensor) (Values, error) {
	if err := t.Check(); err != nil {
		return Values{}, err
	}
	v := Values{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape, Data: make([]any, t.Len())}
	for i := range v.Data {
		value := t.At(i)
		switch x := value.(type) {
		case float32:
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				value = special(f)
			}
		case float64:
			if math.IsNaN(x) || math.IsInf(x, 0) {
				value = special(x)
			}
		case string:
			if !utf8.ValidString(x) {
				return Values{}, fmt.Errorf("tensor %q element %d is not valid UTF-8", t.Name, i)
			}
		}
		v.Data[i] = value
	}
	return v, nil
}

func special(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case f > 0:
		return "Inf"
	}
	return "-Inf"
}

// UnmarshalJSON keeps numbers as they are written: an INT64 does not fit a
// float64.
func (v *Values) UnmarshalJSON(data []byte) error {
	type plain Values
	return decode(data, (*plain)(v))
}

// Tensor is the inverse of FromTensor.
func (v *Values) Tensor() (tensor.Tensor, error) {
	t := tensor.Tensor{Name: v.Name, Datatype: v.Datatype, Shape: v.Shape}
	if !t.Datatype.Valid() {
		return t, fmt.Errorf("tensor %q has the unknown data type %q", v.Name, v.Datatype)
	}
	for i, value := range v.Data {
		if err := appendValue(&t, value); err != nil {
			return t, fmt.Errorf("tensor %q data[%d]: %w", v.Name, i, err)
		}
	}
	return t, t.Check()
}

func appendValue(t *tensor.Tensor, value any) error {
	switch {
	case t.Datatype == tensor.Bool:
		b, ok := value.(bool)
		if !ok {
			return fmt.Errorf("%v is not true or false", value)
		}
		t.Bools = append(t.Bools, b)
	case t.Datatype == tensor.Bytes:
		s, ok := value.(string)
		if !ok {
			return fmt.Errorf("%v is not text", value)
		}
		t.Strs = append(t.Strs, s)
	case t.Datatype == tensor.FP32:
		f, err := parseFloat(value, 32)
		if err != nil {
			return err
		}
		t.F32 = append(t.F32, float32(f))
	case t.Datatype == tensor.FP64:
		f, err := parseFloat(value, 64)
		if err != nil {
			return err
		}
		t.F64 = append(t.F64, f)
	case t.Datatype.Unsigned():
		u, err := strconv.ParseUint(fmt.Sprint(value), 10, 64)
		if err != nil {
			return fmt.Errorf("%v is not an integer of %s", value, t.Datatype)
		}
		t.U64 = append(t.U64, u)
	default:
		n, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
		if err != nil {
			return fmt.Errorf("%v is not an integer of %s", value, t.Datatype)
		}
		t.I64 = append(t.I64, n)
	}
	return nil
}

func parseFloat(value any, bits int) (float64, error) {
	switch x := value.(type) {
	case float32:
		return float64(x), nil
	case float64:
		return x, nil
	case json.Number:
		f, err := strconv.ParseFloat(string(x), bits)
		if err != nil {
			return 0, fmt.Errorf("%s is no number of %d bits", x, bits)
		}
		return f, nil
	case string:
		switch x {
		case "NaN":
			return math.NaN(), nil
		case "Inf":
			return math.Inf(1), nil
		case "-Inf":
			return math.Inf(-1), nil
		}
	}
	return 0, fmt.Errorf("%v is not a number, NaN, Inf or -Inf", value)
}
