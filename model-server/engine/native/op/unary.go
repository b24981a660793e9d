package op

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// unary is a function of one number in each type that it is defined for.
type unary struct {
	f32 func(float32) float32
	f64 func(float64) float64
	i64 func(int64) int64
}

// through computes in float64 and rounds once.
func through(f func(float64) float64) unary {
	return unary{f32: func(x float32) float32 { return float32(f(float64(x))) }, f64: f}
}

func init() {
	for name, op := range map[string]unary{
		"Abs": {abs32, math.Abs, func(x int64) int64 {
			if x < 0 {
				return -x
			}
			return x
		}},
		"Neg": {
			func(x float32) float32 { return -x },
			func(x float64) float64 { return -x },
			func(x int64) int64 { return -x },
		},
		"Relu": {
			func(x float32) float32 {
				if x < 0 {
					return 0
				}
				return x
			},
			func(x float64) float64 {
				if x < 0 {
					return 0
				}
				return x
			},
			func(x int64) int64 { return max(x, 0) },
		},
		"Sign": {
			func(x float32) float32 { return float32(sign(float64(x))) },
			sign,
			func(x int64) int64 { return int64(sign(float64(x))) },
		},
		"Reciprocal": {func(x float32) float32 { return 1 / x }, func(x float64) float64 { return 1 / x }, nil},
		"Exp":        through(exp),
		"Log":        through(log),
		"Tanh":       through(tanh),
		"Sigmoid":    through(sigmoid),
		"Softplus":   through(func(x float64) float64 { return max(x, 0) + log1p(exp(-math.Abs(x))) }),
		"Sqrt":       through(math.Sqrt), // correctly rounded everywhere
		"Floor":      through(math.Floor),
		"Ceil":       through(math.Ceil),
		"Round":      through(math.RoundToEven),
	} {
		types := sameType(floats)
		if op.i64 != nil {
			types = sameType(signed)
		}
		register("", name, 1, 1, 1, func(*Node) (Kernel, error) { return op.kernel, nil }, types)
	}
	register("", "LeakyRelu", 1, 1, 1, func(n *Node) (Kernel, error) {
		alpha := n.float("alpha", 0.01)
		return unary{
			f32: func(x float32) float32 {
				if x < 0 {
					return float32(alpha * x)
				}
				return x
			},
			f64: func(x float64) float64 {
				if x < 0 {
					return float64(float64(alpha) * x)
				}
				return x
			},
		}.kernel, nil
	}, sameType(floats))
	register("", "Elu", 1, 1, 1, func(n *Node) (Kernel, error) {
		alpha := float64(n.float("alpha", 1))
		return through(func(x float64) float64 {
			if x < 0 {
				return float64(alpha * expm1(x))
			}
			return x
		}).kernel, nil
	}, sameType(floats))
	register("", "IsNaN", 1, 1, 1, func(*Node) (Kernel, error) {
		return test(math.IsNaN), nil
	}, gives(floats, tensor.Bool))
	register("", "IsInf", 1, 1, 1, func(n *Node) (Kernel, error) {
		negative, positive := n.int("detect_negative", 1) != 0, n.int("detect_positive", 1) != 0
		return test(func(x float64) bool { return positive && math.IsInf(x, 1) || negative && math.IsInf(x, -1) }), nil
	}, gives(floats, tensor.Bool))
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // zero, NaN
}

func (op unary) kernel(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	t := in[0]
	known := t.Datatype == tensor.FP32 && op.f32 != nil || t.Datatype == tensor.FP64 && op.f64 != nil || t.Datatype.Signed() && op.i64 != nil
	if !known {
		return nil, wrongType(t, "a type that the operator has")
	}
	out, err := c.newTensor(t.Datatype, t.Shape)
	if err != nil {
		return nil, err
	}
	for i, v := range t.F32 {
		out.F32[i] = op.f32(v)
	}
	for i, v := range t.F64 {
		out.F64[i] = op.f64(v)
	}
	for i, v := range t.I64 {
		out.I64[i] = wrapSigned(op.i64(v), t.Datatype)
	}
	return []*tensor.Tensor{out}, nil
}

// test is a kernel from floats to booleans.
func test(holds func(float64) bool) Kernel {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		if !t.Datatype.Float() {
			return nil, wrongType(t, "floats")
		}
		out, err := c.newTensor(tensor.Bool, t.Shape)
		if err != nil {
			return nil, err
		}
		for i := range out.Bools {
			v, _ := t.Float(i)
			out.Bools[i] = holds(v)
		}
		return []*tensor.Tensor{out}, nil
	}
}

// Sigmoid is the kernel of sigmoid(x), or of sigmoid(-x), for the second of its
// inputs; the first is a number that lends it its dimensions.
func Sigmoid(negated bool) Kernel {
	sign := 1.0
	if negated {
		sign = -1
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		shape, err := broadcast(in[0].Shape, in[1].Shape)
		if err != nil {
			return nil, err
		}
		out, err := through(func(x float64) float64 { return sigmoid(sign * x) }).kernel(c, in[1:2])
		if err != nil {
			return nil, err
		}
		out[0].Shape = shape
		return out, nil
	}
}
