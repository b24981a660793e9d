package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// fake takes an eighth of the sum of a row for a probability: inputs "x" FP32 [N,2] and "name" BYTES [N,1],
// outputs "label" and "p". A row whose first number is 666 makes it panic, 500
// fail, 400 refuse the value, 413 need too much, 7 wait for gate.
type fake struct {
	gate   chan struct{}
	calls  atomic.Int64
	closed atomic.Bool
	offset float32
}

var _ engine.Engine = (*fake)(nil)

func (*fake) Name() string { return "fake" }

func (*fake) Signature() bundle.Signature {
	return bundle.Signature{
		Inputs: []bundle.TensorSpec{
			{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 2}},
			{Name: "name", Datatype: tensor.Bytes, Shape: []int64{-1, 1}},
		},
		Outputs: []bundle.TensorSpec{
			{Name: "label", Datatype: tensor.Int64, Shape: []int64{-1}, Role: bundle.RoleLabel},
			{Name: "p", Datatype: tensor.FP32, Shape: []int64{-1, 2}, Role: bundle.RoleProbabilities, Classes: []string{"0", "1"}},
		},
	}
}

func (f *fake) Infer(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	f.calls.Add(1)
	x, n := inputs[0].F32, inputs[0].Shape[0]
	label := tensor.Tensor{Name: "label", Datatype: tensor.Int64, Shape: []int64{n}}
	p := tensor.Tensor{Name: "p", Datatype: tensor.FP32, Shape: []int64{n, 2}}
	for i := range int(n) {
		switch x[2*i] {
		case 666:
			panic("secret " + inputs[1].Strs[i])
		case 500:
			return nil, errors.New("secret reason")
		case 400:
			return nil, fmt.Errorf("in an operator: %w", engine.InputErrorf("%q is a category that the model does not know", inputs[1].Strs[i]))
		case 413:
			return nil, engine.LimitErrorf("needs more than this server gives")
		case 7:
			select {
			case <-f.gate:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		one := (x[2*i]+x[2*i+1])/8 + f.offset
		p.F32 = append(p.F32, 1-one, one)
		label.I64 = append(label.I64, map[bool]int64{false: 0, true: 1}[one > 0.25])
	}
	return []tensor.Tensor{label, p}, nil
}

func (f *fake) Close() error { f.closed.Store(true); return nil }

// open returns a server of f for the bare model "m".
func (f *fake) open(t testing.TB, o Options) *Server {
	t.Helper()
	o.Load = func(context.Context, []byte, engine.Budget) (engine.Engine, error) { return f, nil }
	if o.Name == "" {
		o.Name = "m"
	}
	s, err := open(context.Background(), []byte("model"), "model.onnx", "model", nil, o)
	require.NoError(t, err)
	return s
}

func rows(n int) []tensor.Tensor {
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{int64(n), 2}}
	name := tensor.Tensor{Name: "name", Datatype: tensor.Bytes, Shape: []int64{int64(n), 1}}
	for i := range n {
		x.F32 = append(x.F32, float32(i%8)/4-3, 0.5) // none of the numbers with a meaning
		name.Strs = append(name.Strs, "row")
	}
	return []tensor.Tensor{x, name}
}

// sealed writes a bundle of f whose golden answers are f's own.
func (f *fake) sealed(t testing.TB) string {
	t.Helper()
	inputs := rows(3)
	outputs, err := f.Infer(context.Background(), inputs)
	require.NoError(t, err)
	golden, err := bundle.NewGolden(inputs, outputs, bundle.Tolerance{})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "bundle")
	_, err = bundle.Write(dir, bundle.Bundle{
		Model:     bundle.Model{Name: "sealed", Format: bundle.FormatONNX, File: "model.onnx"},
		Signature: f.Signature(),
	}, []byte("model"), golden)
	require.NoError(t, err)
	return dir
}
