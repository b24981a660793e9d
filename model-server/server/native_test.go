package server

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Without an engine of its own in the options a server computes with the
// native one.
func TestNative(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join("testdata", "linear.onnx"), Options{})
	require.NoError(t, err)
	assert.Equal(t, "linear", s.Name())
	assert.Equal(t, "native", s.Engine())
	assert.Equal(t, []bundle.TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 2}}}, s.Signature().Inputs)
	require.Len(t, s.Signature().Outputs, 2)
	assert.Equal(t, bundle.RoleLabel, s.Signature().Outputs[0].Role)
	assert.Equal(t, []string{"0", "1"}, s.Signature().Outputs[1].Classes)
	outputs, err := s.Infer(t.Context(), []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{2, 2}, F32: []float32{0.25, 0, 2, 1}}})
	require.NoError(t, err)
	assert.Equal(t, float32(0.5), outputs[1].F32[1], "on the border: 0.25 - 0.25")
	assert.Equal(t, []int64{1}, outputs[0].I64[1:])
	require.NoError(t, s.Close())

	_, err = Open(t.Context(), filepath.Join("testdata", "make.py"), Options{})
	assert.ErrorContains(t, err, "make.py: reading the ONNX model: not an ONNX model")
	assert.Equal(t, ExitUsage, ExitCode(err))
}
