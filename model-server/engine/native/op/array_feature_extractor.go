package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ML, "ArrayFeatureExtractor", 2, 2, 1, buildArrayFeatureExtractor, keeps(anything, integers))
}

// Picks columns by index; of a list the result is one row.
func buildArrayFeatureExtractor(n *Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		x, y := in[0], in[1]
		if len(x.Shape) == 0 {
			return nil, fmt.Errorf("input has no dimensions")
		}
		index, err := intList(y)
		if err != nil {
			return nil, err
		}
		columns := int(x.Shape[len(x.Shape)-1])
		for _, v := range index {
			if v < 0 || v >= int64(columns) {
				return nil, n.outside(1, "index %d is outside %d columns", v, columns)
			}
		}
		shape := append([]int64{}, x.Shape...)
		if len(shape) == 1 {
			shape = []int64{1, 0}
		}
		shape[len(shape)-1] = int64(len(index))
		return one(c.pick(x, shape, func(i int) int {
			return i/len(index)*columns + int(index[i%len(index)])
		}))
	}, nil
}
