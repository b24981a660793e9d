package op

import "math"

// The post_transform attribute of the ai.onnx.ml operators.
const (
	transformNone        = "NONE"
	transformLogistic    = "LOGISTIC"
	transformSoftmax     = "SOFTMAX"
	transformSoftmaxZero = "SOFTMAX_ZERO"
	transformProbit      = "PROBIT"
)

func (n *Node) postTransform() string {
	return n.choice("post_transform", transformNone, transformNone, transformLogistic, transformSoftmax, transformSoftmaxZero, transformProbit)
}

// transformRow applies a post_transform to the scores of one row. It computes
// in float64 and rounds once: a probability of 1e-20 is written as that.
// onnxruntime computes in float32, LOGISTIC below zero as 1 - 1/(1+e^x), which
// is 0 from about -17 on, and PROBIT by an approximation good to three digits.
// https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/providers/cpu/ml/ml_common.h
func transformRow[T float32 | float64](transform string, scores []T, out []float32) {
	switch transform {
	case transformLogistic:
		for i, v := range scores {
			out[i] = float32(sigmoid(float64(v)))
		}
	case transformProbit:
		for i, v := range scores {
			out[i] = float32(quantile(float64(v)))
		}
	case transformSoftmax:
		softmax(scores, out, false)
	case transformSoftmaxZero:
		softmax(scores, out, true)
	default:
		for i, v := range scores {
			out[i] = float32(v)
		}
	}
}

// nearZero is what SOFTMAX_ZERO takes for zero, in float32 as onnxruntime has
// it.
const nearZero = 1e-7

// softmax of a row; with zeros, SOFTMAX_ZERO: of the entries that are not
// zero, where what is nearly zero is scaled like the others and all zeros stay
// zeros (onnxruntime answers NaN there).
func softmax[T float32 | float64](scores []T, out []float32, zeros bool) {
	top := math.Inf(-1)
	for _, v := range scores {
		top = max(top, float64(v))
	}
	var few [16]float64
	terms, sum := few[:0], 0.0
	for _, v := range scores {
		x := float64(v)
		if zeros && math.Abs(x) <= nearZero {
			terms = append(terms, float64(x*exp(-top)))
			continue
		}
		e := exp(x - top)
		terms = append(terms, e)
		sum += e
	}
	if zeros && sum == 0 {
		sum = 1
	}
	for i, e := range terms {
		out[i] = float32(e / sum)
	}
}

// secondClass writes the scores of two classes where the model computes only
// the second's, s. As in onnxruntime it is 1-s beside s also for scores that
// are no probabilities.
func secondClass(transform string, s float64, out []float32) {
	switch transform {
	case transformLogistic:
		out[0], out[1] = float32(sigmoid(-s)), float32(sigmoid(s))
	case transformProbit:
		s = quantile(s)
		out[0], out[1] = float32(1-s), float32(s)
	default:
		out[0], out[1] = float32(1-s), float32(s)
	}
}
