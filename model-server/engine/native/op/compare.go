package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	registerComparison("Less", func(less, equal, _ bool) bool { return less })
	registerComparison("LessOrEqual", func(less, equal, _ bool) bool { return less || equal })
	registerComparison("Greater", func(_, _, greater bool) bool { return greater })
	registerComparison("GreaterOrEqual", func(_, equal, greater bool) bool { return greater || equal })
	registerComparison("Equal", func(_, equal, _ bool) bool { return equal })
}

// registerComparison: with a NaN none of the three holds.
func registerComparison(name string, holds func(less, equal, greater bool) bool) {
	types := compares(numbers, tensor.Bool)
	if name == "Equal" {
		types = compares(anything, tensor.Bool)
	}
	register("", name, 2, 2, 1, func(n *Node) (Kernel, error) {
		if n.version < 7 {
			return nil, fmt.Errorf("broadcasting of opset %d is not supported; export with opset 7 or later", n.version)
		}
		return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
			a, b := in[0], in[1]
			if a.Datatype != b.Datatype {
				return nil, fmt.Errorf("inputs are %s and %s, expected one type", a.Datatype, b.Datatype)
			}
			shape, err := broadcast(a.Shape, b.Shape)
			if err != nil {
				return nil, err
			}
			out, err := c.newTensor(tensor.Bool, shape)
			if err != nil {
				return nil, err
			}
			switch kind := a.Datatype; {
			case kind == tensor.FP32:
				elementwise(a.Shape, b.Shape, shape, a.F32, b.F32, out.Bools, func(x, y float32) bool { return holds(x < y, x == y, x > y) })
			case kind == tensor.FP64:
				elementwise(a.Shape, b.Shape, shape, a.F64, b.F64, out.Bools, func(x, y float64) bool { return holds(x < y, x == y, x > y) })
			case kind.Signed():
				elementwise(a.Shape, b.Shape, shape, a.I64, b.I64, out.Bools, func(x, y int64) bool { return holds(x < y, x == y, x > y) })
			case kind.Unsigned():
				elementwise(a.Shape, b.Shape, shape, a.U64, b.U64, out.Bools, func(x, y uint64) bool { return holds(x < y, x == y, x > y) })
			case kind == tensor.Bytes && n.OpType == "Equal":
				elementwise(a.Shape, b.Shape, shape, a.Strs, b.Strs, out.Bools, func(x, y string) bool { return x == y })
			case kind == tensor.Bool && n.OpType == "Equal":
				elementwise(a.Shape, b.Shape, shape, a.Bools, b.Bools, out.Bools, func(x, y bool) bool { return x == y })
			default:
				return nil, wrongType(a, "numbers")
			}
			return []*tensor.Tensor{out}, nil
		}, nil
	}, types)
}
