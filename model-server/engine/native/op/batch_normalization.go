package op

import (
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "BatchNormalization", 5, 5, 1, buildBatchNormalization, sameType(floats))
	register("", "LpNormalization", 1, 1, 1, buildLpNormalization, sameType(floats))
}

// BatchNormalization, as a trained network has it between its layers, scales
// and shifts each channel, the second dimension, by what training measured.
func buildBatchNormalization(n *Node) (Kernel, error) {
	epsilon := float64(n.float("epsilon", 1e-5))
	n.ignore("momentum") // of training
	if n.int("training_mode", 0) != 0 || n.version < 7 && n.int("is_test", 0) == 0 {
		return nil, fmt.Errorf("is in training mode; export the model for inference (PyTorch: model.eval())")
	}
	if n.version < 9 && n.int("spatial", 1) != 1 {
		return nil, fmt.Errorf("normalises each element alone (spatial=0), which is not known here")
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		x := in[0]
		if len(x.Shape) < 2 {
			return nil, fmt.Errorf("input has shape %v, expected [N, C, ...]", x.Shape)
		}
		outer, channels, inner := around(x.Shape, 1)
		// By channel: scale, shift, mean, variance.
		var by [4][]float64
		for i, t := range in[1:] {
			if t.Len() != channels {
				return nil, fmt.Errorf("input %d has %d elements for %d channels", i+1, t.Len(), channels)
			}
			var err error
			if by[i], err = c.float64s(t); err != nil {
				return nil, err
			}
		}
		out, err := c.newTensor(x.Datatype, x.Shape)
		if err != nil {
			return nil, err
		}
		for o := range outer {
			for k := range channels {
				factor := by[0][k] / math.Sqrt(by[3][k]+epsilon)
				for i := range inner {
					at := (o*channels+k)*inner + i
					if out.F32 != nil {
						out.F32[at] = float32(float64((float64(x.F32[at])-by[2][k])*factor) + by[1][k])
					} else {
						out.F64[at] = float64((x.F64[at]-by[2][k])*factor) + by[1][k]
					}
				}
			}
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

// LpNormalization divides what lies along an axis by its L1 or L2 norm; a norm
// of zero leaves zeros.
func buildLpNormalization(n *Node) (Kernel, error) {
	axis, p := n.int("axis", -1), n.int("p", 2)
	if p != 1 && p != 2 {
		return nil, fmt.Errorf("p is %d, expected 1 or 2", p)
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		x, err := c.float64s(t)
		if err != nil {
			return nil, err
		}
		wide, err := c.newTensor(tensor.FP64, t.Shape)
		if err != nil {
			return nil, err
		}
		outer, size, inner := around(t.Shape, at)
		for o := range outer {
			for i := range inner {
				place := func(k int) int { return (o*size+k)*inner + i }
				norm := 0.0
				for k := range size {
					if v := math.Abs(x[place(k)]); p == 1 {
						norm += v
					} else {
						norm += float64(v * v)
					}
				}
				if p == 2 {
					norm = math.Sqrt(norm)
				}
				for k := range size {
					if norm != 0 {
						wide.F64[place(k)] = x[place(k)] / norm
					}
				}
			}
		}
		return one(c.cast(wide, t.Datatype))
	}, nil
}
