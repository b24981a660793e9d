package op

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Softmax", 1, 1, 1, func(n *Node) (Kernel, error) { return buildSoftmax(n, false) }, sameType(floats))
	register("", "LogSoftmax", 1, 1, 1, func(n *Node) (Kernel, error) { return buildSoftmax(n, true) }, sameType(floats))
}

// Along one axis from opset 13 on; before, over everything from the axis on.
func buildSoftmax(n *Node, logarithm bool) (Kernel, error) {
	otherwise := int64(-1)
	if n.version < 13 {
		otherwise = 1
	}
	axis := n.int("axis", otherwise)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		if !t.Datatype.Float() {
			return nil, wrongType(t, "floats")
		}
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		outer, size, inner := around(t.Shape, at)
		if n.version < 13 {
			size, inner = size*inner, 1
		}
		x, err := c.float64s(t)
		if err != nil {
			return nil, err
		}
		wide, err := c.newTensor(tensor.FP64, t.Shape)
		if err != nil {
			return nil, err
		}
		for o := range outer {
			for i := range inner {
				at := func(k int) int { return (o*size+k)*inner + i }
				top, first := math.Inf(-1), 0
				for k := range size {
					if v := x[at(k)]; v > top || math.IsNaN(v) {
						top, first = v, k
					}
				}
				// The sum but for its largest term, which is 1.
				rest := 0.0
				for k := range size {
					wide.F64[at(k)] = exp(x[at(k)] - top)
					if k != first {
						rest += wide.F64[at(k)]
					}
				}
				for k := range size {
					if logarithm {
						wide.F64[at(k)] = x[at(k)] - top - log1p(rest)
					} else {
						wide.F64[at(k)] /= 1 + rest
					}
				}
			}
		}
		return one(c.cast(wide, t.Datatype))
	}, nil
}
