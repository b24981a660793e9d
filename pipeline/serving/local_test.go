package serving

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// failing is a model that loads and cannot answer.
type failing struct{ why any }

func (failing) Name() string { return "failing" }
func (failing) Close() error { return nil }
func (failing) Signature() bundle.Signature {
	x := bundle.TensorSpec{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1}}
	return bundle.Signature{Inputs: []bundle.TensorSpec{x}, Outputs: []bundle.TensorSpec{x}}
}

func (f failing) Infer(context.Context, []tensor.Tensor) ([]tensor.Tensor, error) {
	if err, ok := f.why.(error); ok {
		return nil, err
	}
	panic(f.why)
}

func ask(t *testing.T, why any) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, os.WriteFile(path, []byte{0x08, 0x08, 0x3a, 0x00}, 0o600))
	o := server.Options{Load: func(context.Context, []byte, engine.Budget) (engine.Engine, error) { return failing{why}, nil }}
	return With(t.Context(), path, o, func(l *Local, c Client) error {
		assert.Equal(t, "m", l.Name())
		assert.Equal(t, KindLocal, l.Kind())
		assert.Nil(t, l.Lifecycle())
		assert.NoError(t, c.Ready(t.Context()))
		inputs := []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1}, F32: []float32{1}}}
		_, err := c.Infer(t.Context(), l.Name(), inputs)
		call, prepared := c.Prepare(l.Name(), inputs)
		require.NoError(t, prepared)
		assert.EqualError(t, call.Send(t.Context()), err.Error())
		return err
	})
}

// Who serves a model here and asks it learns why it failed: there is no log
// for him to read.
func TestTheReasonIsToldWhereThereIsNoLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  any
		want string
	}{
		{errors.New(`node "Concat_3" (Concat): input 1 is FP64, input 0 FP32`), `node "Concat_3" (Concat): input 1 is FP64, input 0 FP32`},
		{"index out of range", "a bug of dosirak"},
	} {
		err := ask(t, c.why)
		require.ErrorContains(t, err, c.want)
		assert.NotContains(t, err.Error(), "log says why")
		assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "none.onnx"), server.Options{})
	require.Error(t, err)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestReason(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]string{
		"":                               "",
		`{"level":"INFO","msg":"ready"}`: "",
		`{"level":"ERROR","msg":"inference failed","error":"first"}` + "\n" + `{"level":"ERROR","msg":"inference failed","error":"last"}` + "\n" + `{"level":"INFO","msg":"draining"}`: "last",
		"starting\nTraceback (most recent call last):\n  File \"app.py\"\nValueError: no column x\nshutting down":                                                                      "ValueError: no column x",
	} {
		assert.Equal(t, want, reason(log))
	}
}
