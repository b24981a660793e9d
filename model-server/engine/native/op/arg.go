package op

import (
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "ArgMax", 1, 1, 1, func(n *Node) (Kernel, error) {
		return buildArg(n, func(candidate, best float64) bool { return candidate > best })
	}, gives(numbers, tensor.Int64))
	register("", "ArgMin", 1, 1, 1, func(n *Node) (Kernel, error) {
		return buildArg(n, func(candidate, best float64) bool { return candidate < best })
	}, gives(numbers, tensor.Int64))
}

// buildArg finds the position of the best value along an axis: the first of
// equals, or the last where the model says so.
func buildArg(n *Node, better func(candidate, best float64) bool) (Kernel, error) {
	axis, keep, last := n.int("axis", 0), n.int("keepdims", 1) != 0, n.int("select_last_index", 0) != 0
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		if t.Datatype == tensor.Bytes || t.Datatype == tensor.Bool {
			return nil, wrongType(t, "numbers")
		}
		if err := c.Spend(int64(t.Len())); err != nil {
			return nil, err
		}
		outer, size, inner := around(t.Shape, at)
		shape := slices.Clone(t.Shape)
		shape[at] = 1
		out, err := c.newTensor(tensor.Int64, shape)
		if err != nil {
			return nil, err
		}
		for o := range outer {
			for i := range inner {
				best := int64(0)
				top, _ := t.Float(o*size*inner + i)
				for k := 1; k < size; k++ {
					v, _ := t.Float((o*size+k)*inner + i)
					if better(v, top) || last && v == top {
						best, top = int64(k), v
					}
				}
				out.I64[o*inner+i] = best
			}
		}
		if !keep {
			out.Shape = slices.Delete(shape, at, at+1)
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
