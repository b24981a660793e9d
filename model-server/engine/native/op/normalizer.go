package op

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() { register(ML, "Normalizer", 1, 1, 1, buildNormalizer, gives(numbers, tensor.FP32)) }

// Divides each row by its maximum, its L1 or its L2 norm; a norm of zero
// leaves the row as it is.
func buildNormalizer(n *Node) (Kernel, error) {
	norm := n.choice("norm", "MAX", "MAX", "L1", "L2")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		rows, columns, err := Matrix(in[0])
		if err != nil {
			return nil, err
		}
		x, err := c.float32s(in[0])
		if err != nil {
			return nil, err
		}
		out, err := c.newTensor(tensor.FP32, in[0].Shape)
		if err != nil {
			return nil, err
		}
		for r := range rows {
			normalize(norm, x[r*columns:(r+1)*columns], out.F32[r*columns:(r+1)*columns])
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

// normalize computes in float64 and rounds once: the squares of small numbers
// are no zeros.
func normalize(norm string, row, out []float32) {
	sum := 0.0
	switch norm {
	case "MAX":
		sum = -math.MaxFloat32
		for _, v := range row {
			if float64(v) > sum {
				sum = float64(v)
			}
		}
	case "L1":
		for _, v := range row {
			sum += math.Abs(float64(v))
		}
	case "L2":
		for _, v := range row {
			sum += float64(float64(v) * float64(v))
		}
		sum = math.Sqrt(sum)
	}
	if sum == 0 {
		copy(out, row)
		return
	}
	for i, v := range row {
		out[i] = float32(float64(v) / sum)
	}
}
