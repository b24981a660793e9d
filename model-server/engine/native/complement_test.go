package native_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// The first of two classes has its digits too, in the forms in which exporters
// write it.
func TestOneMinusASigmoidHasItsDigits(t *testing.T) {
	t.Parallel()
	one, scalar := onnxtest.Floats("one", []float32{1}), onnxtest.Floats("one", []float32{1})
	scalar.Dims = nil
	sigmoid := []*onnx.Node{to("Sigmoid", []string{"x"}, "p"), to("Sub", []string{"one", "p"}, "q")}
	calibrated := []*onnx.Node{to("Exp", []string{"x"}, "e"), to("Add", []string{"one", "e"}, "d"), to("Div", []string{"one", "d"}, "p"), to("Sub", []string{"one", "p"}, "q")}
	flipped := []*onnx.Node{to("Exp", []string{"x"}, "e"), to("Add", []string{"e", "one"}, "d"), to("Div", []string{"one", "d"}, "p"), to("Identity", []string{"p"}, "i"), to("Sub", []string{"one", "i"}, "q")}
	for name, c := range map[string]struct {
		one   *onnx.Tensor
		nodes []*onnx.Node
		sign  float64 // of the score for which q is the probability
	}{
		"sigmoid":              {one, sigmoid, -1},
		"sigmoid, scalar 1":    {scalar, sigmoid, -1},
		"calibrated":           {one, calibrated, 1},
		"calibrated, scalar 1": {scalar, calibrated, 1},
		"flipped":              {one, flipped, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model(c.nodes, []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 1)},
				[]*onnx.ValueInfo{onnxtest.Value("p", onnx.Float, -1, 1), onnxtest.Value("q", onnx.Float, -1, 1)}, c.one)
			e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
			require.NoError(t, err)
			scores := []float32{-60, -17.310535, -1, 0, 1, 17.310535, 60}
			out, err := e.Infer(context.Background(), []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{7, 1}, F32: scores}})
			require.NoError(t, err)
			require.Equal(t, []int64{7, 1}, out[1].Shape)
			for i, x := range scores {
				want := math.Exp(-math.Log1p(math.Exp(-c.sign * float64(x))))
				assert.InEpsilon(t, want, float64(out[1].F32[i]), 1e-6, "1-p at %v", x)
			}
		})
	}
}

// What is no sigmoid, or is taken from something else than 1, is subtracted.
func TestOtherDifferencesAreSubtracted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		one   *onnx.Tensor
		nodes []*onnx.Node
		want  []float32 // of x = 0, 0
	}{
		"from 2":           {onnxtest.Floats("one", []float32{2}), []*onnx.Node{to("Sigmoid", []string{"x"}, "p"), to("Sub", []string{"one", "p"}, "q")}, []float32{1.5, 1.5}},
		"from a row":       {onnxtest.Floats("one", []float32{1, 1}), []*onnx.Node{to("Sigmoid", []string{"x"}, "p"), to("Sub", []string{"one", "p"}, "q")}, []float32{0.5, 0.5}},
		"of another value": {onnxtest.Floats("one", []float32{1}), []*onnx.Node{to("Sigmoid", []string{"x"}, "p"), to("Neg", []string{"p"}, "r"), to("Sub", []string{"one", "r"}, "q")}, []float32{1.5, 1.5}},
		"1 taken away":     {onnxtest.Floats("one", []float32{1}), []*onnx.Node{to("Sigmoid", []string{"x"}, "p"), to("Sub", []string{"p", "one"}, "q")}, []float32{-0.5, -0.5}},
		"2 + e^x":          {onnxtest.Floats("one", []float32{2}), []*onnx.Node{to("Exp", []string{"x"}, "e"), to("Add", []string{"one", "e"}, "d"), to("Div", []string{"one", "d"}, "p"), to("Sub", []string{"one", "p"}, "q")}, []float32{4. / 3, 4. / 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := model(c.nodes, []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)}, []*onnx.ValueInfo{onnxtest.Value("q", onnx.Float, -1, 2)}, c.one)
			e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
			require.NoError(t, err)
			out, err := e.Infer(context.Background(), []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{0, 0}}})
			require.NoError(t, err)
			assert.InDeltaSlice(t, c.want, out[0].F32, 1e-6)
		})
	}
}
