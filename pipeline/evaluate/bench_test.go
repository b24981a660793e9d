package evaluate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// free answers at once, so that what is measured is the way there and back.
type free struct{ inputs []bundle.TensorSpec }

func (free) Name() string { return "free" }
func (free) Close() error { return nil }
func (f free) Signature() bundle.Signature {
	return bundle.Signature{Inputs: f.inputs, Outputs: []bundle.TensorSpec{
		role(spec("label", tensor.Int64, -1), bundle.RoleLabel),
		role(spec("p", tensor.FP32, -1, 2), bundle.RoleProbabilities, "0", "1"),
	}}
}

func (free) Infer(_ context.Context, in []tensor.Tensor) ([]tensor.Tensor, error) {
	n := in[0].Shape[0]
	label := tensor.Tensor{Name: "label", Datatype: tensor.Int64, Shape: []int64{n}, I64: make([]int64, n)}
	p := tensor.Tensor{Name: "p", Datatype: tensor.FP32, Shape: []int64{n, 2}, F32: make([]float32, 2*n)}
	for i := range int(n) {
		one := in[0].F32[i] / 2000
		p.F32[2*i], p.F32[2*i+1] = 1-one, one
	}
	return []tensor.Tensor{label, p}, nil
}

// BenchmarkPredict asks a server on a loopback port for 10,000 rows of 15
// columns: numbers, whole numbers and text.
func BenchmarkPredict(b *testing.B) {
	const rows, columns = 10_000, 15
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	var engineOf free
	for c := range columns {
		name := fmt.Sprintf("column_%d", c)
		datatype := tensor.FP32
		if c >= 10 {
			datatype = tensor.Int64
		}
		if c >= 13 {
			datatype = tensor.Bytes
		}
		engineOf.inputs = append(engineOf.inputs, spec(name, datatype, -1, 1))
		text.WriteString(name + ",")
	}
	text.WriteString("id,y\n")
	for i := range rows {
		for c := range columns {
			switch {
			case c < 10:
				fmt.Fprintf(&text, "%g,", float64(random.IntN(100_000))/100)
			case c < 13:
				fmt.Fprintf(&text, "%d,", random.IntN(2000))
			default:
				fmt.Fprintf(&text, "L%d,", random.IntN(100))
			}
		}
		fmt.Fprintf(&text, "row-%d,%d\n", i, i%2)
	}
	data := tableOf(b, text.String())
	path := filepath.Join(b.TempDir(), "m.onnx")
	require.NoError(b, os.WriteFile(path, []byte("x"), 0o600))
	s, err := server.Open(b.Context(), path, server.Options{Load: func(context.Context, []byte, engine.Budget) (engine.Engine, error) { return engineOf, nil }})
	require.NoError(b, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	defer func() { stop(); <-served }()
	client := dial(b, "http://"+l.Addr().String())
	defer client.Close()
	o := Options{Client: client, Model: "m", Signature: s.Signature(), Table: data, Task: exam.Binary, Data: exam.Data{Label: "y", Positive: "1", ID: "id"}, Columns: []string{"column_14"}}
	b.ReportAllocs()
	for b.Loop() {
		set, err := Predict(ctx, o)
		if err != nil || set.N != rows {
			b.Fatal(err)
		}
	}
}
