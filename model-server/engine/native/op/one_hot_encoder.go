package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ML, "OneHotEncoder", 1, 1, 1, buildOneHotEncoder, oneHotTypes) }

// A new last dimension with a 1 at the category's place; an unknown category
// is all zeros, or an error where the model says so. Numbers are compared as
// integers, cut toward zero.
func buildOneHotEncoder(n *Node) (Kernel, error) {
	ints, strings := n.ints("cats_int64s"), n.texts("cats_strings")
	zeros := n.int("zeros", 1) != 0
	if (len(ints) == 0) == (len(strings) == 0) {
		return nil, fmt.Errorf("needs cats_int64s or cats_strings, not both")
	}
	if err := n.loading.call.Take(bytesPerKey * int64(len(ints)+len(strings))); err != nil {
		return nil, err
	}
	byInt, byString := indexOf(ints), indexOf(strings)
	width := len(ints) + len(strings)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		if len(t.Shape) > 2 {
			return nil, fmt.Errorf("input has shape %v, expected at most two dimensions", t.Shape)
		}
		out, err := c.newTensor(tensor.FP32, append(append([]int64{}, t.Shape...), int64(width)))
		if err != nil {
			return nil, err
		}
		unknown := -1 // a row's element, where that is an error
		set := func(i, at int, ok bool) {
			switch {
			case ok:
				out.F32[i*width+at] = 1
			case !zeros:
				unknown = i
			}
		}
		switch {
		case t.Datatype == tensor.Bytes && len(strings) > 0:
			for i, s := range t.Strs {
				at, ok := byString[s]
				set(i, at, ok)
			}
		case t.Datatype != tensor.Bytes && len(ints) > 0:
			values, err := c.toInts(t)
			if err != nil {
				return nil, err
			}
			for i, v := range values {
				at, ok := byInt[v]
				set(i, at, ok)
			}
		default:
			return nil, wrongType(t, "the type of the categories")
		}
		if unknown >= 0 {
			return nil, engine.InputErrorf("%q is a category that the model does not know", fmt.Sprint(t.At(unknown)))
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

func oneHotTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	if len(n.texts("cats_strings")) > 0 {
		return gives(texts, tensor.FP32)(n, in)
	}
	return gives(numbersBools, tensor.FP32)(n, in)
}

// indexOf: of equal categories the last counts, as in onnxruntime's map.
func indexOf[K comparable](list []K) map[K]int {
	m := make(map[K]int, len(list))
	for i, v := range list {
		m[v] = i
	}
	return m
}
