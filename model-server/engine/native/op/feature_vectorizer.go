package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ML, "FeatureVectorizer", 1, variadic, 1, buildFeatureVectorizer, gives(numbers, tensor.FP32))
}

// Puts the columns of all inputs side by side, as float32. An input with more
// columns than declared is cut, one with fewer filled up with zeros.
func buildFeatureVectorizer(n *Node) (Kernel, error) {
	widths := n.ints("inputdimensions")
	total := int64(0)
	for _, w := range widths {
		if w < 0 || w > MaxElements {
			return nil, fmt.Errorf("inputdimensions has %d", w)
		}
		total += w
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		if len(widths) != len(in) {
			return nil, fmt.Errorf("has %d inputs and %d inputdimensions", len(in), len(widths))
		}
		rows, _, err := Matrix(in[0])
		if err != nil {
			return nil, err
		}
		out, err := c.newTensor(tensor.FP32, []int64{int64(rows), total})
		if err != nil {
			return nil, err
		}
		start := 0
		for i, t := range in {
			have, columns, err := Matrix(t)
			if err != nil {
				return nil, err
			}
			if have != rows {
				return nil, fmt.Errorf("input %d has %d rows, the first %d", i, have, rows)
			}
			x, err := c.float32s(t)
			if err != nil {
				return nil, err
			}
			for r := range rows {
				copy(out.F32[r*int(total)+start:r*int(total)+start+int(widths[i])], x[r*columns:(r+1)*columns])
			}
			start += int(widths[i])
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
