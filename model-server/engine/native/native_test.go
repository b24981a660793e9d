package native_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func scaler() *onnx.Model {
	return model(
		[]*onnx.Node{{OpType: "Scaler", Domain: mlDomain, Name: "s", Inputs: []string{"x"}, Outputs: []string{"y"}, Attributes: []*onnx.Attribute{
			onnxtest.Attribute("offset", []float32{1, 2}), onnxtest.Attribute("scale", []float32{10, 10})}}},
		[]*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)},
		[]*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, 2)})
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change      func(*onnx.Model)
		err         string
		unsupported bool
	}{
		"unknown operators": {func(m *onnx.Model) {
			m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Loop"}, &onnx.Node{OpType: "SVMClassifier", Domain: mlDomain})
		}, `operators that are not known here: Loop, ai.onnx.ml.SVMClassifier; this release cannot serve the model: ai.onnx.ml.SVMClassifier: it comes from a support vector machine`, true},
		"new opset":         {func(m *onnx.Model) { m.Opsets[0].Version = 99 }, "version 99 of the operators of ai.onnx, this release knows up to 25", true},
		"new ml opset":      {func(m *onnx.Model) { m.Opsets[1].Version = 5 }, "version 5 of the operators of ai.onnx.ml", true},
		"no opset":          {func(m *onnx.Model) { m.Opsets = nil }, `does not import the operators of "ai.onnx.ml"`, false},
		"attribute type":    {func(m *onnx.Model) { m.Graph.Nodes[0].Attributes[0] = onnxtest.Attribute("offset", 1) }, `node 0 "Scaler" ("s"): attribute offset has type 2, expected 6`, false},
		"attribute missing": {func(m *onnx.Model) { m.Graph.Nodes[0].Attributes = nil }, "scale has 0 values", false},
		"two attributes": {func(m *onnx.Model) {
			m.Graph.Nodes[0].Attributes[0], m.Graph.Nodes[0].Attributes[1] = onnxtest.Attribute("offset", 1), onnxtest.Attribute("scale", 1)
		}, `attribute offset has type 2, expected 6; attribute scale has type 2, expected 6`, false},
		"old broadcasting": {func(m *onnx.Model) {
			m.Opsets[0].Version = 6
			m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Add", Inputs: []string{"y", "y"}, Outputs: []string{"z"}, Attributes: []*onnx.Attribute{onnxtest.Attribute("axis", 1)}})
		}, "broadcasting of opset 6 is not supported; export with opset 7 or later", false},
		"half precision": {func(m *onnx.Model) {
			m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Cast", Inputs: []string{"y"}, Outputs: []string{"z"}, Attributes: []*onnx.Attribute{onnxtest.Attribute("to", int(onnx.Float16))}})
		}, "casts to float16, which is not known here; export the model in float32", false},
		"attribute unknown": {func(m *onnx.Model) {
			m.Graph.Nodes[0].Attributes = append(m.Graph.Nodes[0].Attributes, onnxtest.Attribute("mode", 1))
		}, `attribute "mode" is not known`, false},
		"attribute misspelt": {func(m *onnx.Model) { m.Graph.Nodes[0].Attributes[0].Name = "ofset" }, "scale has 2 values, offset 0", false},
		"input":              {func(m *onnx.Model) { m.Graph.Nodes[0].Inputs[0] = "z" }, `input "z" is computed by no node before it`, false},
		"inputs":             {func(m *onnx.Model) { m.Graph.Nodes[0].Inputs = []string{"x", "x"} }, "has 2 inputs, expected 1 to 1", false},
		"itself":             {func(m *onnx.Model) { m.Graph.Nodes[0].Inputs[0] = "y" }, "computed by no node", false},
		"output":             {func(m *onnx.Model) { m.Graph.Outputs[0].Name = "z" }, `output "z" is computed by no node`, false},
		"twice":              {func(m *onnx.Model) { m.Graph.Nodes[0].Outputs[0] = "x" }, `the value "x" is defined twice`, false},
		"no outputs":         {func(m *onnx.Model) { m.Graph.Outputs = nil }, "at least one input and one output", false},
		"input type":         {func(m *onnx.Model) { m.Graph.Inputs[0] = onnxtest.Value("x", onnx.Float16, -1, 2) }, "float16", true},
		"map input": {func(m *onnx.Model) {
			m.Graph.Inputs[0].Type = &onnx.Type{Kind: onnx.KindMap, DataType: onnx.Int64, Elem: &onnx.Type{Kind: onnx.KindTensor, DataType: onnx.Float}}
		}, "only tensors are known here", true},
		"scalar input": {func(m *onnx.Model) { m.Graph.Inputs[0] = onnxtest.Value("x", onnx.Float) }, "no row dimension", false},
		"constant": {func(m *onnx.Model) {
			m.Graph.Initializers = []*onnx.Tensor{{Name: "w", DataType: onnx.Float, Dims: []int64{3}, HasRaw: true, Raw: []byte{1}}}
		}, `tensor "w" of float has 1 bytes`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := scaler()
			c.change(m)
			_, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
			require.ErrorContains(t, err, c.err)
			var unsupported *native.UnsupportedError
			if assert.Equal(t, c.unsupported, errors.As(err, &unsupported)) && c.unsupported {
				assert.ErrorContains(t, err, "this release cannot serve the model")
				assert.NotContains(t, err.Error(), "onnxruntime engine")
			}
		})
	}
	_, err := native.Load(context.Background(), []byte("hello"), engine.Budget{})
	assert.ErrorIs(t, err, onnx.ErrNotONNX)
}

func TestInferRefuses(t *testing.T) {
	t.Parallel()
	e, err := native.Load(context.Background(), onnxtest.Encode(scaler()), engine.Budget{})
	require.NoError(t, err)
	good := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{1, 2}}
	for name, c := range map[string]struct {
		input tensor.Tensor
		err   string
	}{
		"name":   {tensor.Tensor{Name: "z"}, `input "x" is missing`},
		"type":   {tensor.Tensor{Name: "x", Datatype: tensor.Int64, Shape: []int64{1, 2}, I64: []int64{1, 2}}, `input "x" is INT64, the model takes FP32`},
		"rank":   {tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{2}, F32: []float32{1, 2}}, `input "x" has shape [2], the model takes [-1 2]`},
		"width":  {tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 3}, F32: []float32{1, 2, 3}}, "the model takes [-1 2]"},
		"length": {tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{2, 2}, F32: []float32{1, 2, 3}}, "has 3 elements, its shape [2 2] needs 4"},
		"huge":   {tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{1 << 40, 2}}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := e.Infer(context.Background(), []tensor.Tensor{c.input})
			assert.ErrorContains(t, err, c.err)
		})
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = e.Infer(cancelled, []tensor.Tensor{good})
	require.ErrorIs(t, err, context.Canceled)
	out, err := e.Infer(context.Background(), []tensor.Tensor{{Name: "unused"}, good})
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 0}, out[0].F32)
	assert.Equal(t, "native", e.Name())
	assert.NoError(t, e.Close())
}

// An input that no output needs, an output that is an input, a constant output.
func TestGraphsOfLittleWork(t *testing.T) {
	t.Parallel()
	m := scaler()
	m.Graph.Inputs = append(m.Graph.Inputs, onnxtest.Value("unused", onnx.String, -1, 1), onnxtest.Value("w", onnx.Float, 2))
	m.Graph.Initializers = []*onnx.Tensor{onnxtest.Floats("w", []float32{1, 2})} // as before IR version 4
	m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Abs", Inputs: []string{"w"}, Outputs: []string{"a"}})
	m.Graph.Outputs = append(m.Graph.Outputs, onnxtest.Value("x", onnx.Float, -1, 2), onnxtest.Value("a", onnx.Float, 2))
	e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
	require.NoError(t, err)
	s := e.Signature()
	require.Len(t, s.Inputs, 2)
	assert.Equal(t, tensor.Bytes, s.Inputs[1].Datatype)
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{1, 2}}
	out, err := e.Infer(context.Background(), []tensor.Tensor{x, {Name: "unused", Datatype: tensor.Bytes, Shape: []int64{1, 1}, Strs: []string{""}}})
	require.NoError(t, err)
	require.Len(t, out, 3)
	assert.Equal(t, x.F32, out[1].F32)
	assert.Equal(t, []float32{1, 2}, out[2].F32)
}

// What a model cannot say in advance is said by the request: no panic gets out.
func TestKernelsReportWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	m := model([]*onnx.Node{{OpType: "Concat", Inputs: []string{"x", "z"}, Outputs: []string{"y"}, Attributes: []*onnx.Attribute{onnxtest.Attribute("axis", 0)}}},
		[]*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, -1), onnxtest.Value("z", onnx.Float, -1, -1)},
		[]*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, -1)})
	e, err := native.Load(context.Background(), onnxtest.Encode(m), engine.Budget{})
	require.NoError(t, err)
	_, err = e.Infer(context.Background(), []tensor.Tensor{
		{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{1, 2}},
		{Name: "z", Datatype: tensor.FP32, Shape: []int64{1, 3}, F32: []float32{1, 2, 3}},
	})
	assert.ErrorContains(t, err, `its shapes do not fit the model: node 0 "Concat": input 1 has shape [1 3], the first [1 2]`)
	var value *engine.InputError
	assert.ErrorAs(t, err, &value, "other widths may fit: the request is told")
}

func TestManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pipeline-forest", "pipeline-logistic-zipmap", "mlp-multi", "hist-boosting-text", "forest-double"} {
		e, c := load(t, committed(t), name)
		inputs, _, err := c.Tensors()
		require.NoError(t, err)
		want, err := e.Infer(context.Background(), inputs)
		require.NoError(t, err)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 20 {
					got, err := e.Infer(context.Background(), inputs)
					if !assert.NoError(t, err) {
						return
					}
					assert.Empty(t, bundle.CompareOutputs(want, got, bundle.Tolerance{}))
				}
			})
		}
		wait.Wait()
	}
}

// A large batch is shared among cores; its rows are those of small batches.
func TestBatchSizeDoesNotChangeTheBits(t *testing.T) {
	t.Parallel()
	e, err := native.Load(context.Background(), onnxtest.Encode(forest(60, 6, 5)), engine.Budget{})
	require.NoError(t, err)
	const rows = 2000
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{rows, 5}}
	for i := range rows * 5 {
		x.F32 = append(x.F32, float32(i*7919%1000)/300-1.5)
	}
	all, err := e.Infer(context.Background(), []tensor.Tensor{x})
	require.NoError(t, err)
	for _, size := range []int{1, 3, 100} {
		for from := 0; from+size <= rows; from += 97 {
			part, err := e.Infer(context.Background(), []tensor.Tensor{x.Slice(from, from+size)})
			require.NoError(t, err)
			require.Equal(t, all[0].F32[from:from+size], part[0].F32)
		}
	}
}

// The compiler fuses products and sums on arm64. In this package it may do so
// in dot alone, where the product of two float32 is exact in float64.
func TestNothingElseIsFused(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for another architecture")
	}
	t.Parallel()
	command := exec.Command("go", "build", "-gcflags=-S", ".", "./op", "../forest")
	command.Env = append(command.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	listing, err := command.CombinedOutput()
	require.NoError(t, err, "building for arm64")
	require.Contains(t, string(listing), "FMULD", "the listing shows arm64 instructions")
	fused := regexp.MustCompile(`\(([^()]*)\)\s+FN?M(ADD|SUB)[SD]\s`)
	for _, found := range fused.FindAllStringSubmatch(string(listing), -1) {
		assert.Contains(t, found[1], "dot.go", "a fused operation outside dot")
	}
}

// FuzzLoad: whatever the bytes, loading and answering end without a panic.
func FuzzLoad(f *testing.F) {
	files := committed(f)
	for _, name := range []string{"op-tree-mixed-modes", "op-class-mixed-both-none-2", "op-label-encoder-tensor", "op-slice", "op-gather", "op-constants", "logistic-multi-zipmap", "op-split", "op-matmul-batch", "op-top-k", "op-reshape", "op-one-hot-text"} {
		data, err := fs.ReadFile(files, name+".onnx")
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := native.Load(context.Background(), data, engine.Budget{})
		if err != nil {
			return
		}
		s := e.Signature()
		_, err = json.Marshal(s)
		require.NoError(t, err)
		var inputs []tensor.Tensor
		for _, spec := range s.Inputs {
			shape := make([]int64, len(spec.Shape))
			for i, d := range spec.Shape {
				if shape[i] = d; d < 0 {
					shape[i] = 2
				}
			}
			n, err := tensor.Elements(shape, 10_000)
			if err != nil {
				return
			}
			in := tensor.Tensor{Name: spec.Name, Datatype: spec.Datatype, Shape: shape}
			switch {
			case spec.Datatype == tensor.FP32:
				in.F32 = make([]float32, n)
			case spec.Datatype == tensor.FP64:
				in.F64 = make([]float64, n)
			case spec.Datatype == tensor.Bool:
				in.Bools = make([]bool, n)
			case spec.Datatype == tensor.Bytes:
				in.Strs = make([]string, n)
			case spec.Datatype.Unsigned():
				in.U64 = make([]uint64, n)
			default:
				in.I64 = make([]int64, n)
			}
			inputs = append(inputs, in)
		}
		out, err := e.Infer(context.Background(), inputs)
		if err != nil {
			// The net that catches panics is for what the kernels overlook.
			require.False(t, strings.Contains(err.Error(), "its inputs do not fit each other"), "%v", err)
			return
		}
		for i := range out {
			assert.NoError(t, out[i].Check())
		}
	})
}
