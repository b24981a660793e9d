package native_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// A forest of 100 trees, 255 inner nodes each, over 20 columns.
func BenchmarkForest(b *testing.B) {
	e, err := native.Load(context.Background(), onnxtest.Encode(forest(100, 8, 20)), engine.Budget{})
	require.NoError(b, err)
	for _, rows := range []int{1, 32, 1024} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(3, 4))
			x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{int64(rows), 20}}
			for range rows * 20 {
				x.F32 = append(x.F32, float32(rng.NormFloat64()))
			}
			run(b, e.Infer, []tensor.Tensor{x}, rows)
		})
	}
}

// Imputer, scaler, one-hot encoding of three columns, logistic regression: the
// pipeline-logistic model of the zoo, its rows repeated to 10,000.
func BenchmarkLogisticPipeline(b *testing.B) {
	const rows = 10_000
	e, c := load(b, committed(b), "pipeline-logistic")
	inputs, _, err := c.Tensors()
	require.NoError(b, err)
	for i := range inputs {
		inputs[i] = repeated(inputs[i], rows)
	}
	run(b, e.Infer, inputs, rows)
}

func BenchmarkLoadForest(b *testing.B) {
	data := onnxtest.Encode(forest(100, 8, 20))
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := native.Load(context.Background(), data, engine.Budget{}); err != nil {
			b.Fatal(err)
		}
	}
}

func run(b *testing.B, infer func(context.Context, []tensor.Tensor) ([]tensor.Tensor, error), inputs []tensor.Tensor, rows int) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := infer(context.Background(), inputs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func repeated(t tensor.Tensor, rows int) tensor.Tensor {
	have := t.Rows()
	out := tensor.Tensor{Name: t.Name, Datatype: t.Datatype, Shape: append([]int64{int64(rows)}, t.Shape[1:]...)}
	for r := range rows {
		row := t.Slice(r%have, r%have+1)
		out.F32, out.F64, out.I64 = append(out.F32, row.F32...), append(out.F64, row.F64...), append(out.I64, row.I64...)
		out.Strs, out.U64, out.Bools = append(out.Strs, row.Strs...), append(out.U64, row.U64...), append(out.Bools, row.Bools...)
	}
	return out
}
