package op

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register(ML, "ZipMap", 1, 1, 1, buildZipMap, sameType(kindsOf("", []tensor.Datatype{tensor.FP32})))
}

// ZipMap turns a matrix into one map a row, which no tensor protocol carries.
// Here it stays the matrix; the keys become the signature's classes.
func buildZipMap(n *Node) (Kernel, error) {
	classes := n.labels("classlabels_strings", "classlabels_int64s").len()
	if classes == 0 {
		return nil, fmt.Errorf("has no classlabels")
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		rows, columns, err := Matrix(in[0])
		if err != nil {
			return nil, err
		}
		if columns != classes {
			return nil, fmt.Errorf("input has %d columns for %d classes", columns, classes)
		}
		if in[0].Datatype != tensor.FP32 {
			return nil, wrongType(in[0], string(tensor.FP32))
		}
		return []*tensor.Tensor{reshaped(in[0], []int64{int64(rows), int64(columns)})}, nil
	}, nil
}
