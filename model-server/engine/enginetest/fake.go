// Package enginetest is an engine for tests of what stands around engines.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Fake takes an eighth of the sum of a row for a probability: inputs "x" FP32 [N,2] and "name" BYTES [N,1],
// outputs "label" and "p". A row whose first number is 666 makes it panic, 500
// fail, 400 refuse the value, 413 need too much, 7 wait for Gate.
type Fake struct {
	Gate   chan struct{} // what waits for it goes on when it is closed
	Calls  atomic.Int64
	Closed atomic.Bool
	Offset float32 // added to every probability
}

var _ engine.Engine = (*Fake)(nil)

// Load is an engine.Loader that gives f whatever the model.
func (f *Fake) Load(context.Context, []byte, engine.Budget) (engine.Engine, error) { return f, nil }

// Name implements engine.Engine.
func (*Fake) Name() string { return "fake" }

// Signature implements engine.Engine.
func (*Fake) Signature() bundle.Signature {
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

// Infer implements engine.Engine.
func (f *Fake) Infer(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	f.Calls.Add(1)
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
			case <-f.Gate:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		one := (x[2*i]+x[2*i+1])/8 + f.Offset
		p.F32 = append(p.F32, 1-one, one)
		label.I64 = append(label.I64, map[bool]int64{false: 0, true: 1}[one > 0.25])
	}
	return []tensor.Tensor{label, p}, nil
}

// Close implements engine.Engine.
func (f *Fake) Close() error { f.Closed.Store(true); return nil }

// Rows returns inputs of n rows, none of which has a meaning of its own.
func Rows(n int) []tensor.Tensor {
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{int64(n), 2}}
	name := tensor.Tensor{Name: "name", Datatype: tensor.Bytes, Shape: []int64{int64(n), 1}}
	for i := range n {
		x.F32 = append(x.F32, float32(i%8)/4-3, 0.5) // none of the numbers with a meaning
		name.Strs = append(name.Strs, "row")
	}
	return []tensor.Tensor{x, name}
}
