package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Constant", 0, 0, 1, buildConstant, constantTypes)
	register("", "ConstantOfShape", 1, 1, 1, buildConstantOfShape, constantOfShapeTypes, 0)
	register("", "Range", 3, 3, 1, buildRange, sameType(integers), 0, 1, 2)
}

func buildConstant(n *Node) (Kernel, error) {
	t := n.constantValue()
	if t == nil {
		return nil, fmt.Errorf("has no value")
	}
	return func(*Call, []*tensor.Tensor) ([]*tensor.Tensor, error) { return []*tensor.Tensor{t}, nil }, nil
}

func constantTypes(n *Node, _ []tensor.Datatype) ([]tensor.Datatype, error) {
	return []tensor.Datatype{n.constantValue().Datatype}, nil
}

// constantValue reads the one attribute that is there.
func (n *Node) constantValue() *tensor.Tensor {
	var t *tensor.Tensor
	list := func(v tensor.Tensor) { v.Shape = []int64{int64(v.Len())}; t = &v }
	switch {
	case n.has("value"):
		t = n.tensor("value")
	case n.has("value_float"):
		t = &tensor.Tensor{Datatype: tensor.FP32, F32: []float32{n.float("value_float", 0)}}
	case n.has("value_int"):
		t = &tensor.Tensor{Datatype: tensor.Int64, I64: []int64{n.int("value_int", 0)}}
	case n.has("value_string"):
		t = &tensor.Tensor{Datatype: tensor.Bytes, Strs: []string{n.text("value_string", "")}}
	case n.has("value_floats"):
		list(tensor.Tensor{Datatype: tensor.FP32, F32: n.floats("value_floats")})
	case n.has("value_ints"):
		list(tensor.Tensor{Datatype: tensor.Int64, I64: n.ints("value_ints")})
	case n.has("value_strings"):
		list(tensor.Tensor{Datatype: tensor.Bytes, Strs: n.texts("value_strings")})
	}
	return t
}

func constantOfShapeTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	kind := tensor.FP32
	if value := n.tensor("value"); value != nil {
		kind = value.Datatype
	}
	return gives(integers, kind)(n, in)
}

func buildConstantOfShape(n *Node) (Kernel, error) {
	value := n.tensor("value")
	if value == nil {
		value = &tensor.Tensor{Datatype: tensor.FP32, F32: []float32{0}}
	}
	if value.Len() != 1 {
		return nil, fmt.Errorf("value has %d elements, expected 1", value.Len())
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		shape, err := intList(in[0])
		if err != nil {
			return nil, err
		}
		return one(c.pick(value, shape, func(int) int { return 0 }))
	}, nil
}

func buildRange(*Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		for _, t := range in {
			if !t.Datatype.Signed() || t.Len() != 1 || t.Datatype != in[0].Datatype {
				return nil, fmt.Errorf("inputs must be single integers of one type")
			}
		}
		start, limit, delta := in[0].I64[0], in[1].I64[0], in[2].I64[0]
		if delta == 0 {
			return nil, fmt.Errorf("has a step of 0")
		}
		const bound = 1 << 40 // keeps the differences below from overflowing
		if max(start, limit, delta) > bound || min(start, limit, delta) < -bound {
			return nil, fmt.Errorf("range %d to %d by %d is too large", start, limit, delta)
		}
		count := max(0, (limit-start)/delta)
		if count*delta+start != limit && (limit > start) == (delta > 0) {
			count++
		}
		out, err := c.newTensor(in[0].Datatype, []int64{count})
		if err != nil {
			return nil, err
		}
		for i := range out.I64 {
			out.I64[i] = start + int64(i)*delta
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
