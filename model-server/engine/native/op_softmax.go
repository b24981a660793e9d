package native

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Softmax", 1, 1, 1, func(n *node) (kernel, error) { return buildSoftmax(n, false) })
	register("", "LogSoftmax", 1, 1, 1, func(n *node) (kernel, error) { return buildSoftmax(n, true) })
}

// Along one axis from opset 13 on; before, over everything from the axis on.
func buildSoftmax(n *node, logarithm bool) (kernel, error) {
	otherwise := int64(-1)
	if n.version < 13 {
		otherwise = 1
	}
	axis := n.int("axis", otherwise)
	return func(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
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
		x, err := float64s(t)
		if err != nil {
			return nil, err
		}
		wide, err := newTensor(tensor.FP64, t.Shape)
		if err != nil {
			return nil, err
		}
		for o := range outer {
			for i := range inner {
				at := func(k int) int { return (o*size+k)*inner + i }
				top, sum := math.Inf(-1), 0.0
				for k := range size {
					top = max(top, x[at(k)])
				}
				for k := range size {
					wide.F64[at(k)] = exp(x[at(k)] - top)
					sum += wide.F64[at(k)]
				}
				for k := range size {
					if logarithm {
						wide.F64[at(k)] = x[at(k)] - top - log(sum)
					} else {
						wide.F64[at(k)] /= sum
					}
				}
			}
		}
		return one(cast(wide, t.Datatype))
	}, nil
}
