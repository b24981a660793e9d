package native_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// small is a budget that every bomb here is far above, and an honest small
// model far below.
var small = engine.Budget{Memory: 16 << 20, Operations: 50_000_000, Time: time.Minute}

// bomb is a model of x, float [N, 2], around nodes whose outputs are named.
func bomb(constants []*onnx.Tensor, nodes ...*onnx.Node) *onnx.Model {
	last := nodes[len(nodes)-1].Outputs[0]
	return model(nodes, []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)}, []*onnx.ValueInfo{{Name: last, Type: &onnx.Type{Kind: onnx.KindTensor, DataType: onnx.Float}}}, constants...)
}

func to(opType string, inputs []string, output string, attributes ...*onnx.Attribute) *onnx.Node {
	n := node("", opType, "", inputs, attributes...)
	n.Outputs = []string{output}
	return n
}

// repeat makes count nodes, named v0, v1, ...; before is the one before, x for
// the first.
func repeat(count int, make func(k int, name, before string) *onnx.Node) []*onnx.Node {
	var nodes []*onnx.Node
	before := "x"
	for k := range count {
		name := fmt.Sprintf("v%d", k)
		nodes = append(nodes, make(k, name, before))
		before = name
	}
	return nodes
}

// bombs are models of few bytes that ask for much when they are loaded or
// asked for the first rows.
func bombs() map[string]*onnx.Model {
	shape := func(dims ...int64) *onnx.Tensor { return onnxtest.Ints("shape", dims) }
	square := func(n int64) *onnx.Tensor { return onnxtest.Floats("w", make([]float32, n*n), n, n) }
	axis := onnxtest.Attribute("axis", 0)
	return map[string]*onnx.Model{
		"constants blown up, each kept": bomb([]*onnx.Tensor{shape(1<<10, 1<<10)}, repeat(100, func(_ int, name, _ string) *onnx.Node {
			return to("ConstantOfShape", []string{"shape"}, name)
		})...),
		"one huge constant":  bomb([]*onnx.Tensor{shape(1<<13, 1<<13)}, to("ConstantOfShape", []string{"shape"}, "y")),
		"a shape of numbers": bomb([]*onnx.Tensor{shape(1<<40, 1<<40)}, to("ConstantOfShape", []string{"shape"}, "y")),
		"expanded":           bomb([]*onnx.Tensor{shape(1<<24, 1, 2)}, to("Expand", []string{"x", "shape"}, "y")),
		"counted": bomb([]*onnx.Tensor{onnxtest.Ints("a", []int64{0}), onnxtest.Ints("b", []int64{1 << 26}), onnxtest.Ints("c", []int64{1})},
			to("Range", []string{"a", "b", "c"}, "y")),
		"doubled and doubled": bomb(nil, repeat(40, func(_ int, name, before string) *onnx.Node {
			return to("Concat", []string{before, before}, name, axis)
		})...),
		"squared by broadcasting": bomb([]*onnx.Tensor{shape(4000, 1, 1)},
			to("Expand", []string{"x", "shape"}, "a"), to("Transpose", []string{"a"}, "b", onnxtest.Attribute("perm", []int64{1, 0, 2})), to("Add", []string{"a", "b"}, "y")),
		"one matrix turned many times": bomb([]*onnx.Tensor{square(512)}, append(repeat(40, func(_ int, name, _ string) *onnx.Node {
			return to("Transpose", []string{"w"}, name)
		}), to("Sum", names(40), "s"), to("MatMul", []string{"x", "s"}, "y"))...),
		"gathered": bomb([]*onnx.Tensor{shape(1 << 23), onnxtest.Ints("zero", []int64{0}, 1)},
			to("Expand", []string{"zero", "shape"}, "many"), to("Gather", []string{"x", "many"}, "y")),
		"products of constants": bomb([]*onnx.Tensor{square(300)}, repeat(40, func(k int, name, before string) *onnx.Node {
			if k == 0 {
				before = "w"
			}
			return to("MatMul", []string{before, "w"}, name)
		})...),
		"products of what is blown up": bomb([]*onnx.Tensor{shape(1400, 1400)},
			append([]*onnx.Node{to("ConstantOfShape", []string{"shape"}, "big")}, repeat(50, func(_ int, name, before string) *onnx.Node {
				if before == "x" {
					before = "big"
				}
				return to("MatMul", []string{before, "big"}, name)
			})...)...),
		"Gemm of what is blown up": bomb([]*onnx.Tensor{shape(1400, 1400)}, to("ConstantOfShape", []string{"shape"}, "big"),
			to("Gemm", []string{"big", "big"}, "y", onnxtest.Attribute("transA", 1))),
		"kept and kept": bomb([]*onnx.Tensor{shape(1<<19, 2)}, append(append([]*onnx.Node{to("Expand", []string{"x", "shape"}, "big")},
			repeat(20, func(_ int, name, _ string) *onnx.Node { return to("Neg", []string{"big"}, name) })...), to("Sum", names(20), "y"))...),
		"sorted": bomb([]*onnx.Tensor{shape(1, 2<<20), onnxtest.Ints("k", []int64{1})}, to("ConstantOfShape", []string{"shape"}, "big"),
			to("TopK", []string{"big", "k"}, "y")),
		"reduced": bomb([]*onnx.Tensor{shape(1<<11, 1<<11)}, append([]*onnx.Node{to("ConstantOfShape", []string{"shape"}, "big")},
			repeat(20, func(_ int, name, _ string) *onnx.Node { return to("ReduceSum", []string{"big"}, name) })...)...),
		"dimension upon dimension": bomb([]*onnx.Tensor{onnxtest.Ints("axes", count(16))}, repeat(5, func(_ int, name, before string) *onnx.Node {
			return to("Unsqueeze", []string{before, "axes"}, name)
		})...),
		"a constant of many dimensions": bomb([]*onnx.Tensor{onnxtest.Floats("w", []float32{1}, ones(1000)...)}, to("Add", []string{"x", "w"}, "y")),
		"a form of many dimensions":     bomb([]*onnx.Tensor{onnxtest.Ints("shape", append(ones(1000), -1))}, to("Reshape", []string{"x", "shape"}, "y")),
		"features of nothing": bomb(nil, &onnx.Node{OpType: "FeatureVectorizer", Domain: mlDomain, Inputs: []string{"x"}, Outputs: []string{"y"},
			Attributes: []*onnx.Attribute{onnxtest.Attribute("inputdimensions", []int64{1 << 22})}}),
		"one-hot columns of categories": bomb([]*onnx.Tensor{shape(1<<13, 2)}, to("Expand", []string{"x", "shape"}, "big"),
			&onnx.Node{OpType: "OneHotEncoder", Domain: mlDomain, Inputs: []string{"big"}, Outputs: []string{"y"}, Attributes: []*onnx.Attribute{onnxtest.Attribute("cats_int64s", count(1000))}}),
	}
}

func ones(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

func names(n int) []string {
	var out []string
	for k := range n {
		out = append(out, fmt.Sprintf("v%d", k))
	}
	return out
}

func count(n int64) []int64 {
	var out []int64
	for k := range n {
		out = append(out, k)
	}
	return out
}

// A bomb is refused within its budget, when it is loaded, and the machine's
// memory is not touched for it. (A folded constant that is not kept, and what
// is computed for the first rows, count while they last.)
func TestBombsAreRefused(t *testing.T) {
	for name, m := range bombs() {
		t.Run(name, func(t *testing.T) {
			data := onnxtest.Encode(m)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := native.Load(context.Background(), data, small)
			runtime.ReadMemStats(&after)
			var limit *engine.LimitError
			require.ErrorAs(t, err, &limit)
			allocated := int64(after.TotalAlloc - before.TotalAlloc)
			// Over the whole of loading, with what was given back in between.
			assert.Less(t, allocated, 12*small.Memory+10*int64(len(data)), "of %d bytes", len(data))
		})
	}
}

// What nodes share is there once, also in the form in which a product needs
// it.
func TestInitializersAreShared(t *testing.T) {
	t.Parallel()
	const width = 256
	nodes := repeat(400, func(_ int, name, before string) *onnx.Node { return to("MatMul", []string{before, "w"}, name) })
	m := model(nodes, []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, width)}, []*onnx.ValueInfo{onnxtest.Value("v399", onnx.Float, -1, width)},
		onnxtest.Floats("w", make([]float32, width*width), width, width))
	for i := range m.Graph.Nodes[1:] {
		m.Graph.Nodes[i+1].OpType = []string{"MatMul", "Gemm"}[i%2]
	}
	budget := engine.Budget{Memory: 3 * 4 * width * width}
	_, err := native.Load(context.Background(), onnxtest.Encode(m), budget)
	assert.NoError(t, err, "400 products by one matrix of %d bytes", 4*width*width)
}

// The budget of a request is its own: what one used is free for the next, and
// many small ones are no large one.
func TestEveryAnswerHasItsBudget(t *testing.T) {
	t.Parallel()
	m := forest(20, 6, 5)
	e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{Memory: 2 << 20, Operations: 200_000})
	require.NoError(t, err)
	rows := func(n int) []tensor.Tensor {
		return []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{int64(n), 5}, F32: make([]float32, 5*n)}}
	}
	for range 50 {
		_, err = e.Infer(context.Background(), rows(1000))
		require.NoError(t, err)
	}
	var limit *engine.LimitError
	_, err = e.Infer(context.Background(), rows(10_000))
	require.ErrorAs(t, err, &limit)
	assert.ErrorContains(t, err, "needs more than the 2e+05 operations")
	_, err = e.Infer(context.Background(), rows(200_000))
	require.ErrorAs(t, err, &limit)
	assert.ErrorContains(t, err, "needs more than the 2 MiB of memory")
}

// A caller that goes away ends a product in the middle, loading as well as
// answering.
func TestWhatTakesLongIsStopped(t *testing.T) {
	t.Parallel()
	const width = 4000
	// One product of 6·10^10 multiplications: a minute.
	shape := onnxtest.Ints("shape", []int64{width, width})
	nodes := []*onnx.Node{to("ConstantOfShape", []string{"shape"}, "big"), to("MatMul", []string{"big", "big"}, "y")}
	data := onnxtest.Encode(bomb([]*onnx.Tensor{shape}, nodes...))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := native.Load(ctx, data, engine.Budget{Operations: 1 << 50, Memory: 8 << 30})
	require.ErrorIs(t, err, context.Canceled)

	_, err = native.Load(context.Background(), data, engine.Budget{Operations: 1 << 50, Memory: 8 << 30, Time: 50 * time.Millisecond})
	var limit *engine.LimitError
	require.ErrorAs(t, err, &limit)
	assert.ErrorContains(t, err, "takes longer than the 50ms")

	// Honest rows through a wide layer, of a caller that goes away.
	m := model([]*onnx.Node{to("MatMul", []string{"x", "w"}, "y")}, []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 1000)},
		[]*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, 1000)}, onnxtest.Floats("w", make([]float32, 1000*1000), 1000, 1000))
	e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{Operations: 1 << 50})
	require.NoError(t, err)
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = e.Infer(ctx, []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{50_000, 1000}, F32: make([]float32, 50_000*1000)}})
	assert.ErrorIs(t, err, context.Canceled)
}

// Budgets for strangers are tighter than those for one's own models.
func TestBudgets(t *testing.T) {
	t.Parallel()
	own, strange := engine.DefaultBudget(), engine.UntrustedBudget()
	assert.Less(t, strange.Memory, own.Memory)
	assert.Less(t, strange.Operations, own.Operations)
	assert.Less(t, strange.Time, own.Time)
	assert.Equal(t, own, engine.Budget{}.WithDefaults())
	assert.Equal(t, engine.Budget{Memory: 1, Operations: own.Operations, Time: own.Time}, engine.Budget{Memory: 1}.WithDefaults())
}
