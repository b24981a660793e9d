package native_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Operators that no model of the zoo has, by hand; the ONNX project's cases
// hold them to more.
func TestOperatorsByHand(t *testing.T) {
	t.Parallel()
	list := func(name string, values ...float32) *onnx.Tensor { return onnxtest.Floats(name, values) }
	channels := []*onnx.Tensor{list("scale", 1, 2), list("shift", 0, 1), list("mean", 1, 2), list("variance", 4, 1)}
	for name, c := range map[string]struct {
		node      *onnx.Node
		constants []*onnx.Tensor
		kind      onnx.DataType
		in, want  tensor.Tensor
	}{
		"channels": {to("BatchNormalization", []string{"x", "scale", "shift", "mean", "variance"}, "y", onnxtest.Attribute("epsilon", float32(0))), channels, onnx.Float,
			tensor.Tensor{F32: []float32{1, 2, 3, 4}}, tensor.Tensor{F32: []float32{0, 1, 1, 5}}},
		"L1": {to("LpNormalization", []string{"x"}, "y", onnxtest.Attribute("p", 1)), nil, onnx.Float,
			tensor.Tensor{F32: []float32{1, -3, 0, 0}}, tensor.Tensor{F32: []float32{0.25, -0.75, 0, 0}}},
		"L2 of what float32 cannot square": {to("LpNormalization", []string{"x"}, "y"), nil, onnx.Float,
			tensor.Tensor{F32: []float32{3e25, 4e25, 3e-30, 4e-30}}, tensor.Tensor{F32: []float32{0.6, 0.8, 0.6, 0.8}}},
		"unsigned sum wraps": {to("Add", []string{"x", "x"}, "y"), nil, onnx.Uint8,
			tensor.Tensor{U64: []uint64{200, 1, 2, 128}}, tensor.Tensor{U64: []uint64{144, 2, 4, 0}}},
		"unsigned difference wraps": {to("Sub", []string{"x", "one"}, "y"), []*onnx.Tensor{{Name: "one", DataType: onnx.Uint8, Dims: []int64{1}, HasRaw: true, Raw: []byte{1}}}, onnx.Uint8,
			tensor.Tensor{U64: []uint64{0, 1, 2, 128}}, tensor.Tensor{U64: []uint64{255, 0, 1, 127}}},
		"any": {to("ReduceMax", []string{"x", "axes"}, "y", onnxtest.Attribute("keepdims", 0)), []*onnx.Tensor{onnxtest.Ints("axes", []int64{1})}, onnx.Bool,
			tensor.Tensor{Bools: []bool{false, true, false, false}}, tensor.Tensor{Bools: []bool{true, false}}},
		"all": {to("ReduceMin", []string{"x", "axes"}, "y", onnxtest.Attribute("keepdims", 0)), []*onnx.Tensor{onnxtest.Ints("axes", []int64{1})}, onnx.Bool,
			tensor.Tensor{Bools: []bool{false, true, true, true}}, tensor.Tensor{Bools: []bool{false, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model([]*onnx.Node{c.node}, []*onnx.ValueInfo{onnxtest.Value("x", c.kind, -1, 2)}, []*onnx.ValueInfo{{Name: "y", Type: &onnx.Type{Kind: onnx.KindTensor, DataType: c.kind}}}, c.constants...)
			e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
			require.NoError(t, err)
			in := c.in
			in.Name, in.Datatype, in.Shape = "x", e.Signature().Inputs[0].Datatype, []int64{2, 2}
			out, err := e.Infer(context.Background(), []tensor.Tensor{in})
			require.NoError(t, err)
			assert.Equal(t, c.want.F32, out[0].F32)
			assert.Equal(t, c.want.U64, out[0].U64)
			assert.Equal(t, c.want.Bools, out[0].Bools)
		})
	}
	_, err := native.Load(context.Background(), onnxtest.Encode(model(
		[]*onnx.Node{to("BatchNormalization", []string{"x", "scale", "shift", "mean", "variance"}, "y", onnxtest.Attribute("training_mode", 1))},
		[]*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)}, []*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, 2)}, channels...)), engine.Budget{})
	assert.ErrorContains(t, err, "training mode; export the model for inference (PyTorch: model.eval())")
}
