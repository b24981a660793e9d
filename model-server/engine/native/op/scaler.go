package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ML, "Scaler", 1, 1, 1, buildScaler, gives(numbers, tensor.FP32)) }

// (x - offset)·scale, by column or the same for all.
func buildScaler(n *Node) (Kernel, error) {
	offset, scale := n.floats("offset"), n.floats("scale")
	if len(scale) == 0 || len(scale) != len(offset) {
		return nil, fmt.Errorf("scale has %d values, offset %d", len(scale), len(offset))
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		_, columns, err := Matrix(in[0])
		if err != nil {
			return nil, err
		}
		if len(scale) != 1 && len(scale) != columns {
			return nil, fmt.Errorf("input has %d columns, scale is for %d", columns, len(scale))
		}
		out, err := c.newTensor(tensor.FP32, in[0].Shape)
		if err != nil {
			return nil, err
		}
		// In float64 only where the input is: integers go through float32.
		if in[0].Datatype == tensor.FP64 {
			for i, v := range in[0].F64 {
				k := i % columns % len(scale)
				out.F32[i] = float32((v - float64(offset[k])) * float64(scale[k]))
			}
			return []*tensor.Tensor{out}, nil
		}
		x, err := c.float32s(in[0])
		if err != nil {
			return nil, err
		}
		k := 0
		for i, v := range x {
			out.F32[i] = (v - offset[k]) * scale[k]
			if k++; k == len(scale) {
				k = 0
			}
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
