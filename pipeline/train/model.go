package train

import (
	"errors"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

// compareModels names the places at which two ONNX files differ, what they
// compute first. same says that the bytes differ and the content does not.
func compareModels(a, b []byte) (differences []onnx.Difference, same bool, err error) {
	if err := onnx.Probe(a); err != nil {
		if errors.Is(err, onnx.ErrNotONNX) {
			err = errors.New("only ONNX files can be told apart by node and tensor")
		}
		return nil, false, err
	}
	comparison, err := onnx.Compare(a, b)
	if err != nil {
		return nil, false, err
	}
	return comparison.Differences, comparison.Outcome == onnx.SameContent, nil
}
