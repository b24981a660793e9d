package op

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// arithmetic is one operation in each type that models compute with.
type arithmetic struct {
	f32 func(a, b float32) float32
	f64 func(a, b float64) float64
	i64 func(a, b int64) (int64, error)
	u64 func(a, b uint64) (uint64, error)
}

func init() {
	binary := map[string]arithmetic{
		"Add": {
			func(a, b float32) float32 { return a + b },
			func(a, b float64) float64 { return a + b },
			exact(func(a, b int64) int64 { return a + b }),
			exact(func(a, b uint64) uint64 { return a + b }),
		},
		"Sub": {
			func(a, b float32) float32 { return a - b },
			func(a, b float64) float64 { return a - b },
			exact(func(a, b int64) int64 { return a - b }),
			exact(func(a, b uint64) uint64 { return a - b }),
		},
		// Every result is stored before anything else is done with it.
		"Mul": {
			func(a, b float32) float32 { return float32(a * b) },
			func(a, b float64) float64 { return float64(a * b) },
			exact(func(a, b int64) int64 { return a * b }),
			exact(func(a, b uint64) uint64 { return a * b }),
		},
		"Div": {
			func(a, b float32) float32 { return a / b },
			func(a, b float64) float64 { return a / b },
			quotient[int64],
			quotient[uint64],
		},
		"Pow": {
			func(a, b float32) float32 { return float32(pow(float64(a), float64(b))) },
			pow,
			exact(func(a, b int64) int64 { return toInt(pow(float64(a), float64(b))) }),
			nil,
		},
	}
	for name, op := range binary {
		types := sameType(numbers)
		if name == "Pow" { // the exponent may have another type
			types = keeps(signed, numbers)
		}
		register("", name, 2, 2, 1, func(n *Node) (Kernel, error) {
			if n.version < 7 && (n.has("axis") || n.has("broadcast")) {
				return nil, fmt.Errorf("broadcasting of opset %d is not supported; export with opset 7 or later", n.version)
			}
			mixed := n.OpType == "Pow"
			return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
				a, b := in[0], in[1]
				if mixed && a.Datatype != b.Datatype {
					var err error
					if b, err = c.cast(b, a.Datatype); err != nil {
						return nil, err
					}
				}
				return one(op.apply(c, a, b))
			}, nil
		}, types)
	}
	folded := map[string]arithmetic{
		"Sum": binary["Add"],
		"Min": {
			func(a, b float32) float32 { return float32(minimum(float64(a), float64(b))) },
			minimum,
			exact(func(a, b int64) int64 { return min(a, b) }),
			exact(func(a, b uint64) uint64 { return min(a, b) }),
		},
		"Max": {
			func(a, b float32) float32 { return float32(maximum(float64(a), float64(b))) },
			maximum,
			exact(func(a, b int64) int64 { return max(a, b) }),
			exact(func(a, b uint64) uint64 { return max(a, b) }),
		},
	}
	for name, op := range folded {
		register("", name, 1, variadic, 1, func(*Node) (Kernel, error) {
			return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) { return one(op.fold(c, in)) }, nil
		}, sameType(numbers))
	}
	register("", "Mean", 1, variadic, 1, func(*Node) (Kernel, error) {
		return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
			sum, err := binary["Add"].fold(c, in)
			if err != nil {
				return nil, err
			}
			count, err := c.cast(&tensor.Tensor{Datatype: tensor.Int64, I64: []int64{int64(len(in))}}, sum.Datatype)
			if err != nil {
				return nil, err
			}
			return one(binary["Div"].apply(c, sum, count))
		}, nil
	}, sameType(floats))
}

// exact is an integer operation that cannot fail.
func exact[T int64 | uint64](do func(a, b T) T) func(a, b T) (T, error) {
	return func(a, b T) (T, error) { return do(a, b), nil }
}

func quotient[T int64 | uint64](a, b T) (T, error) {
	if b == 0 {
		return 0, engine.InputErrorf("divides an integer by zero")
	}
	return a / b, nil
}

// A NaN among the arguments is the result.
func minimum(a, b float64) float64 { return math.Min(a, b) }
func maximum(a, b float64) float64 { return math.Max(a, b) }

func (op arithmetic) fold(c *Call, in []*tensor.Tensor) (*tensor.Tensor, error) {
	total := in[0]
	for _, t := range in[1:] {
		var err error
		if total, err = op.apply(c, total, t); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// apply computes op element by element with broadcasting.
func (op arithmetic) apply(c *Call, a, b *tensor.Tensor) (*tensor.Tensor, error) {
	if a.Datatype != b.Datatype {
		return nil, fmt.Errorf("inputs are %s and %s, expected one type", a.Datatype, b.Datatype)
	}
	shape, err := broadcast(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	out, err := c.newTensor(a.Datatype, shape)
	if err != nil {
		return nil, err
	}
	switch kind := a.Datatype; {
	case kind == tensor.FP32:
		elementwise(a.Shape, b.Shape, shape, a.F32, b.F32, out.F32, op.f32)
	case kind == tensor.FP64:
		elementwise(a.Shape, b.Shape, shape, a.F64, b.F64, out.F64, op.f64)
	case kind.Unsigned() && op.u64 != nil:
		var failed error
		elementwise(a.Shape, b.Shape, shape, a.U64, b.U64, out.U64, func(x, y uint64) uint64 {
			v, err := op.u64(x, y)
			if err != nil {
				failed = err
			}
			return wrapUnsigned(v, kind)
		})
		err = failed
	case kind.Signed():
		var failed error
		elementwise(a.Shape, b.Shape, shape, a.I64, b.I64, out.I64, func(x, y int64) int64 {
			v, err := op.i64(x, y)
			if err != nil {
				failed = err
			}
			return wrapSigned(v, kind)
		})
		err = failed
	default:
		err = wrongType(a, "numbers")
	}
	return out, err
}

// elementwise calls do for each pair of elements of two tensors that are
// broadcast to out's shape. The common shapes need no index arithmetic.
func elementwise[T, R any](shapeA, shapeB, shape []int64, a, b []T, out []R, do func(x, y T) R) {
	switch {
	case len(a) == len(out) && len(b) == len(out):
		for i := range out {
			out[i] = do(a[i], b[i])
		}
	case len(a) == len(out) && len(b) == 1:
		for i := range out {
			out[i] = do(a[i], b[0])
		}
	case len(b) == len(out) && len(a) == 1:
		for i := range out {
			out[i] = do(a[0], b[i])
		}
	case len(a) == len(out) && len(b) > 0 && len(shapeB) > 0 && int64(len(b)) == shapeB[len(shapeB)-1] && int64(len(b)) == shape[len(shape)-1]:
		width := len(b)
		for i := 0; i < len(out); i += width {
			for k, y := range b {
				out[i+k] = do(a[i+k], y)
			}
		}
	default:
		indices(shape, [][]int{steps(shapeA, shape), steps(shapeB, shape)}, func(i int, at []int) {
			out[i] = do(a[at[0]], b[at[1]])
		})
	}
}
