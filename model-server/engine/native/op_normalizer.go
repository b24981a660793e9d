package native

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ml, "Normalizer", 1, 1, 1, buildNormalizer) }

// Divides each row by its maximum, its L1 or its L2 norm; a norm of zero
// leaves the row as it is.
func buildNormalizer(n *node) (kernel, error) {
	norm := n.choice("norm", "MAX", "MAX", "L1", "L2")
	return func(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		rows, columns, err := matrix(in[0])
		if err != nil {
			return nil, err
		}
		x, err := float32s(in[0])
		if err != nil {
			return nil, err
		}
		out, err := newTensor(tensor.FP32, in[0].Shape)
		if err != nil {
			return nil, err
		}
		for r := range rows {
			normalize(norm, x[r*columns:(r+1)*columns], out.F32[r*columns:(r+1)*columns])
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

func normalize(norm string, row, out []float32) {
	sum := float32(0)
	switch norm {
	case "MAX":
		sum = -math.MaxFloat32
		for _, v := range row {
			if v > sum {
				sum = v
			}
		}
	case "L1":
		for _, v := range row {
			sum += abs32(v)
		}
	case "L2":
		for i, v := range row {
			out[i] = float32(v * v)
			sum += out[i]
		}
	}
	if sum == 0 {
		copy(out, row)
		return
	}
	for i, v := range row {
		switch {
		case norm != "L2":
			out[i] = v / sum
		case v < 0:
			out[i] = -sqrt32(out[i] / sum)
		default:
			out[i] = sqrt32(out[i] / sum)
		}
	}
}
