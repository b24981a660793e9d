package op

import "github.com/dosirak-ml/dosirak/model-server/tensor"

func init() { register(ML, "Binarizer", 1, 1, 1, buildBinarizer, sameType(signed)) }

// 1 above the threshold, else 0, in the input's type.
func buildBinarizer(n *Node) (Kernel, error) {
	threshold := n.float("threshold", 0)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		if !t.Datatype.Float() && !t.Datatype.Signed() {
			return nil, wrongType(t, "numbers")
		}
		out, err := c.newTensor(t.Datatype, t.Shape)
		if err != nil {
			return nil, err
		}
		for i, v := range t.F32 {
			if v > threshold {
				out.F32[i] = 1
			}
		}
		for i, v := range t.F64 {
			if v > float64(threshold) {
				out.F64[i] = 1
			}
		}
		for i, v := range t.I64 {
			if float32(v) > threshold {
				out.I64[i] = 1
			}
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}
