package op

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ML, "Imputer", 1, 1, 1, buildImputer, imputerTypes) }

// Replaces one value (often NaN) by the column's own, or by one for all.
func buildImputer(n *Node) (Kernel, error) {
	floats, replacedFloat := n.floats("imputed_value_floats"), n.float("replaced_value_float", 0)
	ints, replacedInt := n.ints("imputed_value_int64s"), n.int("replaced_value_int64", 0)
	if (len(floats) == 0) == (len(ints) == 0) {
		return nil, fmt.Errorf("needs imputed_value_floats or imputed_value_int64s, not both")
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		_, columns, err := Matrix(t)
		if err != nil {
			return nil, err
		}
		out, err := c.newTensor(t.Datatype, t.Shape)
		if err != nil {
			return nil, err
		}
		switch {
		case t.Datatype == tensor.FP32 && len(floats) > 0:
			impute(out.F32, t.F32, floats, columns, func(v float32) bool { return sameFloat(float64(v), float64(replacedFloat)) })
		case t.Datatype == tensor.FP64 && len(floats) > 0:
			impute(out.F64, t.F64, convert[float64](floats), columns, func(v float64) bool { return sameFloat(v, float64(replacedFloat)) })
		case t.Datatype.Signed() && len(ints) > 0:
			impute(out.I64, t.I64, ints, columns, func(v int64) bool { return v == replacedInt })
		default:
			return nil, wrongType(t, "the type of the imputed values")
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

func imputerTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	if len(n.ints("imputed_value_int64s")) > 0 {
		return sameType(integers)(n, in)
	}
	return sameType(floats)(n, in)
}

func sameFloat(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func impute[T any](out, in, values []T, columns int, replace func(T) bool) {
	byColumn := len(values) == columns
	for i, v := range in {
		switch {
		case !replace(v):
			out[i] = v
		case byColumn:
			out[i] = values[i%columns]
		default:
			out[i] = values[0]
		}
	}
}
