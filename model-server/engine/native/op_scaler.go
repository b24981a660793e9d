package native

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ml, "Scaler", 1, 1, 1, buildScaler) }

// (x - offset)·scale, by column or the same for all.
func buildScaler(n *node) (kernel, error) {
	offset, scale := n.floats("offset"), n.floats("scale")
	if len(scale) == 0 || len(scale) != len(offset) {
		return nil, fmt.Errorf("scale has %d values, offset %d", len(scale), len(offset))
	}
	return func(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		_, columns, err := matrix(in[0])
		if err != nil {
			return nil, err
		}
		if len(scale) != 1 && len(scale) != columns {
			return nil, fmt.Errorf("input has %d columns, scale is for %d", columns, len(scale))
		}
		out, err := newTensor(tensor.FP32, in[0].Shape)
		if err != nil {
			return nil, err
		}
		// In float64 only where the input is: integers go through float32.
		if in[0].Datatype == tensor.FP64 {
			for i, v := range in[0].F64 {
				c := i % columns % len(scale)
				out.F32[i] = float32((v - float64(offset[c])) * float64(scale[c]))
			}
			return []*tensor.Tensor{out}, nil
		}
		x, err := float32s(in[0])
		if err != nil {
			return nil, err
		}
		c := 0
		for i, v := range x {
			out.F32[i] = (v - offset[c]) * scale[c]
			if c++; c == len(scale) {
				c = 0
			}
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
