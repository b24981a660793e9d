package native_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

var allTypes = []onnx.DataType{
	onnx.Float, onnx.Double, onnx.Int8, onnx.Int16, onnx.Int32, onnx.Int64, onnx.Uint8, onnx.Uint16, onnx.Uint32, onnx.Uint64, onnx.Bool, onnx.String,
}

// Every model of the zoo is given inputs of every other type: it is refused
// when it is loaded, or it answers. Nothing is loaded and then fails, and what
// comes out has the types that the signature promises.
func TestRetypedModelsAnswerOrAreRefused(t *testing.T) {
	t.Parallel()
	files := committed(t)
	models, err := fs.Glob(files, "*.onnx")
	require.NoError(t, err)
	loaded, refused := 0, 0
	for _, name := range models {
		data, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		_, c := load(t, files, strings.TrimSuffix(name, ".onnx"))
		original, _, err := c.Tensors()
		require.NoError(t, err)
		for changed := -1; changed < len(original); changed++ { // -1: all of them
			for _, kind := range allTypes {
				m, err := onnx.Parse(data)
				require.NoError(t, err)
				if !encodable(m) {
					continue
				}
				inputs := slices.Clone(original)
				for i := range inputs {
					if changed < 0 || i == changed {
						retype(m, inputs[i].Name, kind)
						inputs[i] = ofType(inputs[i], kind)
					}
				}
				if answersOrIsRefused(t, name, kind, changed, onnxtest.Encode(m), inputs) {
					loaded++
				} else {
					refused++
				}
			}
		}
	}
	t.Logf("%d answer, %d are refused", loaded, refused)
	assert.Greater(t, loaded, 1000)
	assert.Greater(t, refused, 1000)
}

func answersOrIsRefused(t *testing.T, name string, kind onnx.DataType, changed int, data []byte, inputs []tensor.Tensor) bool {
	t.Helper()
	e, err := native.Load(context.Background(), data, engine.Budget{})
	if err != nil {
		assert.NotContains(t, err.Error(), "its inputs do not fit each other: ", "%s with input %d as %s", name, changed, kind)
		return false
	}
	got, err := e.Infer(context.Background(), inputs)
	var value *engine.InputError
	if err != nil && !errors.As(err, &value) {
		assert.NoError(t, err, "%s with input %d as %s is loaded and fails", name, changed, kind)
	}
	for i, spec := range e.Signature().Outputs {
		if err == nil {
			assert.Equal(t, spec.Datatype, got[i].Datatype, "%s with input %d as %s", name, changed, kind)
			assert.NoError(t, got[i].Check(), "%s with input %d as %s", name, changed, kind)
		}
	}
	return true
}

// encodable leaves out what onnxtest does not write: text among the constants.
func encodable(m *onnx.Model) bool {
	raw := func(t *onnx.Tensor) bool { return t == nil || t.HasRaw }
	for _, t := range m.Graph.Initializers {
		if !raw(t) {
			return false
		}
	}
	for _, n := range m.Graph.Nodes {
		for _, a := range n.Attributes {
			if !raw(a.T) {
				return false
			}
		}
	}
	return true
}

func retype(m *onnx.Model, name string, kind onnx.DataType) {
	for _, v := range m.Graph.Inputs {
		if v.Name == name {
			v.Type.DataType = kind
		}
	}
}

// ofType has the shape of t and small values of another type.
func ofType(t tensor.Tensor, kind onnx.DataType) tensor.Tensor {
	d, _ := op.Datatype(kind)
	out := op.New(d, t.Shape, t.Len())
	out.Name = t.Name
	for i := range t.Len() {
		v := i % 3
		switch {
		case d == tensor.FP32:
			out.F32[i] = float32(v)
		case d == tensor.FP64:
			out.F64[i] = float64(v)
		case d == tensor.Bool:
			out.Bools[i] = v == 1
		case d == tensor.Bytes:
			out.Strs[i] = string(rune('0' + v))
		case d.Unsigned():
			out.U64[i] = uint64(v)
		default:
			out.I64[i] = int64(v)
		}
	}
	return *out
}
