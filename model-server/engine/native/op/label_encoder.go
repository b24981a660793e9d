package op

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ML, "LabelEncoder", 1, 1, 1, buildLabelEncoder, labelEncoderTypes) }

// LabelEncoder maps each value to another. Version 1 knows texts to and from
// their position, version 2 typed lists, version 4 tensors of keys and values.
func buildLabelEncoder(n *Node) (Kernel, error) {
	if n.version < 2 {
		return buildLabelEncoder1(n)
	}
	keys, err := encoderList(n, "keys")
	if err != nil {
		return nil, err
	}
	values, err := encoderList(n, "values")
	if err != nil {
		return nil, err
	}
	if keys.Len() != values.Len() {
		return nil, fmt.Errorf("has %d keys and %d values", keys.Len(), values.Len())
	}
	fallback := encoderDefault(n, values.Datatype)
	if fallback.Datatype != values.Datatype || fallback.Len() != 1 {
		return nil, fmt.Errorf("the default is no single %s", values.Datatype)
	}
	if err := n.loading.call.Take(bytesPerKey * int64(keys.Len())); err != nil {
		return nil, err
	}
	// Of equal keys the first counts.
	at := make(map[any]int, keys.Len())
	for i := range keys.Len() {
		key := encoderKey(keys.At(i))
		if key == (anyNaN{}) && n.version < 4 {
			continue // equals nothing before version 4
		}
		if _, twice := at[key]; !twice {
			at[key] = i
		}
	}
	// The last entry of the table is the default.
	table := &tensor.Tensor{
		Datatype: values.Datatype,
		F32:      append(append([]float32(nil), values.F32...), fallback.F32...),
		F64:      append(append([]float64(nil), values.F64...), fallback.F64...),
		I64:      append(append([]int64(nil), values.I64...), fallback.I64...),
		Strs:     append(append([]string(nil), values.Strs...), fallback.Strs...),
	}
	return encode(keys.Datatype, at, table, keys.Len()), nil
}

func labelEncoderTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	if n.version < 2 {
		if in[0] == tensor.Bytes {
			return []tensor.Datatype{tensor.Int64}, nil
		}
		return gives(kindsOf("", []tensor.Datatype{tensor.Bytes, tensor.Int64}), tensor.Bytes)(n, in)
	}
	keys, err := encoderList(n, "keys")
	if err != nil {
		return nil, err
	}
	values, err := encoderList(n, "values")
	if err != nil {
		return nil, err
	}
	return gives(kindsOf("", []tensor.Datatype{keys.Datatype}), values.Datatype)(n, in)
}

// bytesPerKey is what a look-up costs in memory: its entries in two maps.
const bytesPerKey = 160

func encode(from tensor.Datatype, at map[any]int, table *tensor.Tensor, otherwise int) Kernel {
	find := func(key any) int {
		if i, ok := at[key]; ok {
			return i
		}
		return otherwise
	}
	// Typed maps spare a conversion to an interface for each element.
	texts, ints := map[string]int{}, map[int64]int{}
	for key, i := range at {
		switch k := key.(type) {
		case string:
			texts[k] = i
		case int64:
			ints[k] = i
		}
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		if t.Datatype != from {
			return nil, wrongType(t, string(from))
		}
		return one(c.pick(table, t.Shape, func(i int) int {
			switch {
			case from == tensor.Bytes:
				if k, ok := texts[t.Strs[i]]; ok {
					return k
				}
				return otherwise
			case from.Signed():
				if k, ok := ints[t.I64[i]]; ok {
					return k
				}
				return otherwise
			}
			return find(encoderKey(t.At(i)))
		}))
	}
}

type anyNaN struct{}

// encoderKey makes every NaN the same key.
func encoderKey(v any) any {
	switch x := v.(type) {
	case float32:
		if x != x {
			return anyNaN{}
		}
		return float64(x)
	case float64:
		if math.IsNaN(x) {
			return anyNaN{}
		}
	}
	return v
}

// encoderList reads keys or values, whichever typed attribute has them.
func encoderList(n *Node, side string) (*tensor.Tensor, error) {
	strings, ints, floats := n.texts(side+"_strings"), n.ints(side+"_int64s"), n.floats(side+"_floats")
	given := n.tensor(side + "_tensor")
	list := func(t tensor.Tensor, count int) *tensor.Tensor {
		t.Shape = []int64{int64(count)}
		return &t
	}
	switch {
	case strings != nil:
		return list(tensor.Tensor{Datatype: tensor.Bytes, Strs: strings}, len(strings)), nil
	case ints != nil:
		return list(tensor.Tensor{Datatype: tensor.Int64, I64: ints}, len(ints)), nil
	case floats != nil:
		return list(tensor.Tensor{Datatype: tensor.FP32, F32: floats}, len(floats)), nil
	case given != nil && (given.Datatype.Float() || given.Datatype.Signed() || given.Datatype == tensor.Bytes):
		return given, nil
	}
	return nil, fmt.Errorf("has no %s", side)
}

// The defaults of the specification: "_Unused", -1, -0.0.
func encoderDefault(n *Node, kind tensor.Datatype) *tensor.Tensor {
	text, integer, float := n.text("default_string", "_Unused"), n.int("default_int64", -1), n.float("default_float", float32(math.Copysign(0, -1)))
	if t := n.tensor("default_tensor"); t != nil {
		return t
	}
	switch {
	case kind == tensor.Bytes:
		return &tensor.Tensor{Datatype: kind, Strs: []string{text}}
	case kind == tensor.FP32:
		return &tensor.Tensor{Datatype: kind, F32: []float32{float}}
	case kind == tensor.FP64:
		return &tensor.Tensor{Datatype: kind, F64: []float64{float64(float)}}
	}
	return &tensor.Tensor{Datatype: kind, I64: []int64{integer}}
}

func buildLabelEncoder1(n *Node) (Kernel, error) {
	classes := n.texts("classes_strings")
	text, integer := n.text("default_string", "_Unused"), n.int("default_int64", -1)
	if len(classes) == 0 {
		return nil, fmt.Errorf("has no classes_strings")
	}
	if err := n.loading.call.Take(2 * bytesPerKey * int64(len(classes))); err != nil {
		return nil, err
	}
	toInt, toText := map[any]int{}, map[any]int{}
	numbers := &tensor.Tensor{Datatype: tensor.Int64}
	for i, c := range classes {
		toInt[c], toText[int64(i)] = i, i
		numbers.I64 = append(numbers.I64, int64(i))
	}
	numbers.I64 = append(numbers.I64, integer)
	names := &tensor.Tensor{Datatype: tensor.Bytes, Strs: append(append([]string(nil), classes...), text)}
	fromText := encode(tensor.Bytes, toInt, numbers, len(classes))
	fromInt := encode(tensor.Int64, toText, names, len(classes))
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if in[0].Datatype == tensor.Bytes {
			return fromText(c, in)
		}
		return fromInt(c, in)
	}, nil
}
