package op

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register("", "Concat", 1, variadic, 1, buildConcat, sameType(anything)) }

func buildConcat(n *Node) (Kernel, error) {
	axis := n.int("axis", 1)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		first := in[0]
		at, err := axisOf(axis, len(first.Shape))
		if err != nil {
			return nil, err
		}
		shape := slices.Clone(first.Shape)
		shape[at] = 0
		for i, t := range in {
			if t == nil || t.Datatype != first.Datatype || len(t.Shape) != len(first.Shape) {
				return nil, fmt.Errorf("input %d does not have the type and dimensions of the first, %s %v", i, first.Datatype, first.Shape)
			}
			for d, size := range t.Shape {
				if d != at && size != first.Shape[d] {
					return nil, fmt.Errorf("input %d has shape %v, the first %v", i, t.Shape, first.Shape)
				}
			}
			shape[at] += t.Shape[at]
		}
		out, err := c.newTensor(first.Datatype, shape)
		if err != nil {
			return nil, err
		}
		outer, total, inner := around(shape, at)
		start := 0
		for _, t := range in {
			width := int(t.Shape[at]) * inner
			switch {
			case out.F32 != nil:
				interleave(out.F32, t.F32, outer, start, total*inner, width)
			case out.F64 != nil:
				interleave(out.F64, t.F64, outer, start, total*inner, width)
			case out.I64 != nil:
				interleave(out.I64, t.I64, outer, start, total*inner, width)
			case out.U64 != nil:
				interleave(out.U64, t.U64, outer, start, total*inner, width)
			case out.Strs != nil:
				interleave(out.Strs, t.Strs, outer, start, total*inner, width)
			default:
				interleave(out.Bools, t.Bools, outer, start, total*inner, width)
			}
			start += width
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

// interleave copies blocks of width to every stride-th place of to.
func interleave[T any](to, from []T, blocks, start, stride, width int) {
	for b := range blocks {
		copy(to[b*stride+start:b*stride+start+width], from[b*width:(b+1)*width])
	}
}
