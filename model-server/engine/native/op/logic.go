package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	for name, do := range map[string]func(x, y bool) bool{
		"And": func(x, y bool) bool { return x && y },
		"Or":  func(x, y bool) bool { return x || y },
		"Xor": func(x, y bool) bool { return x != y },
	} {
		register("", name, 2, 2, 1, func(*Node) (Kernel, error) {
			return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
				a, b := in[0], in[1]
				if a.Datatype != tensor.Bool || b.Datatype != tensor.Bool {
					return nil, fmt.Errorf("inputs are %s and %s, expected BOOL", a.Datatype, b.Datatype)
				}
				shape, err := broadcast(a.Shape, b.Shape)
				if err != nil {
					return nil, err
				}
				out, err := c.newTensor(tensor.Bool, shape)
				if err != nil {
					return nil, err
				}
				elementwise(a.Shape, b.Shape, shape, a.Bools, b.Bools, out.Bools, do)
				return []*tensor.Tensor{out}, nil
			}, nil
		}, sameType(bools))
	}
	register("", "Not", 1, 1, 1, func(*Node) (Kernel, error) {
		return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
			if in[0].Datatype != tensor.Bool {
				return nil, wrongType(in[0], "BOOL")
			}
			out, err := c.newTensor(tensor.Bool, in[0].Shape)
			if err != nil {
				return nil, err
			}
			for i, v := range in[0].Bools {
				out.Bools[i] = !v
			}
			return []*tensor.Tensor{out}, nil
		}, nil
	}, sameType(bools))
	register("", "Where", 3, 3, 1, buildWhere, whereTypes)
}

func whereTypes(_ *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	if in[0] != tensor.Bool || in[1] != in[2] {
		return nil, &TypeError{"BOOL and two of one type"}
	}
	return in[1:2], nil
}

// Where picks from the second input where the first is true, else from the
// third, with broadcasting over all three.
func buildWhere(*Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		when, x, y := in[0], in[1], in[2]
		if when.Datatype != tensor.Bool || x.Datatype != y.Datatype {
			return nil, fmt.Errorf("inputs are %s, %s and %s, expected BOOL and twice the same", when.Datatype, x.Datatype, y.Datatype)
		}
		shape, err := broadcast(x.Shape, y.Shape)
		if err != nil {
			return nil, err
		}
		if shape, err = broadcast(when.Shape, shape); err != nil {
			return nil, err
		}
		out, err := c.newTensor(x.Datatype, shape)
		if err != nil {
			return nil, err
		}
		moves := [][]int{steps(when.Shape, shape), steps(x.Shape, shape), steps(y.Shape, shape)}
		indices(shape, moves, func(i int, at []int) {
			from, k := y, at[2]
			if when.Bools[at[0]] {
				from, k = x, at[1]
			}
			switch {
			case out.F32 != nil:
				out.F32[i] = from.F32[k]
			case out.F64 != nil:
				out.F64[i] = from.F64[k]
			case out.I64 != nil:
				out.I64[i] = from.I64[k]
			case out.U64 != nil:
				out.U64[i] = from.U64[k]
			case out.Strs != nil:
				out.Strs[i] = from.Strs[k]
			default:
				out.Bools[i] = from.Bools[k]
			}
		})
		return []*tensor.Tensor{out}, nil
	}, nil
}
