package seal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// linear is the server's own test model: two numbers "x" to two classes.
var linear = filepath.Join("..", "..", "model-server", "server", "testdata", "linear.onnx")

func table(t testing.TB, rows int) *dataset.Table {
	t.Helper()
	var b strings.Builder
	b.WriteString("a,b,y\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%g,%d\n", i, float64(i)/8, i%2)
	}
	path := filepath.Join(t.TempDir(), "eval.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	out, err := dataset.Read(t.Context(), path, dataset.Options{})
	require.NoError(t, err)
	return out
}

func options(t testing.TB) Options {
	return Options{Model: linear, Name: "m", Dir: filepath.Join(t.TempDir(), "bundles"), Rows: table(t, 100), N: 8, Data: exam.Data{Label: "y"}, Task: exam.Binary}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	o := options(t)
	got, err := Seal(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(o.Dir, strings.TrimPrefix(got.Digest, "sha256:")), got.Dir)
	assert.Equal(t, bundle.Model{Name: "m", Format: "onnx", File: "model.onnx"}, got.Bundle.Model)
	assert.Equal(t, bundle.RoleProbabilities, got.Signature.Outputs[1].Role)
	opened, err := bundle.Open(got.Dir)
	require.NoError(t, err)
	assert.Equal(t, got.Digest, opened.Digest)
	golden, err := opened.Golden()
	require.NoError(t, err)
	inputs, outputs, err := golden.Tensors()
	require.NoError(t, err)
	assert.Equal(t, []int64{8, 2}, inputs[0].Shape)
	assert.Equal(t, []int64{8, 2}, outputs[1].Shape)

	again, err := Seal(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, got, again)
}

// Another day, another folder, another name of the file: the same digest.
func TestSealIsReproducible(t *testing.T) {
	t.Parallel()
	first, err := Seal(t.Context(), options(t))
	require.NoError(t, err)
	o := options(t)
	o.Model = filepath.Join(t.TempDir(), "other name.onnx")
	model, err := os.ReadFile(linear)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.Model, model, 0o600))
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, os.Chtimes(o.Model, old, old))
	second, err := Seal(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, first.Digest, second.Digest)
	assert.NotEqual(t, first.Dir, second.Dir)

	o.Name = "other"
	third, err := Seal(t.Context(), o)
	require.NoError(t, err)
	assert.NotEqual(t, first.Digest, third.Digest, "the name is part of what is sealed")
}

func TestSealWithoutRows(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Rows = nil
	got, err := Seal(t.Context(), o)
	require.NoError(t, err)
	opened, err := bundle.Open(got.Dir)
	require.NoError(t, err)
	golden, err := opened.Golden()
	require.NoError(t, err)
	assert.Empty(t, golden.Inputs)
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	model, err := os.ReadFile(linear)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*Options)
		err    string
	}{
		"pickle":       {func(o *Options) { o.Model = file("model.pkl", "\x80\x04}.") }, "Write ONNX instead"},
		"empty":        {func(o *Options) { o.Model = file("model.onnx", "") }, "the model file is empty"},
		"truncated":    {func(o *Options) { o.Model = file("model.onnx", string(model[:len(model)-9])) }, "truncated"},
		"corrupt":      {func(o *Options) { o.Model = file("model.onnx", "no model at all") }, "model.onnx"},
		"missing":      {func(o *Options) { o.Model = "none.onnx" }, "none.onnx"},
		"too many":     {func(o *Options) { o.N = MaxRows + 1 }, "at most 10000"},
		"does not fit": {func(o *Options) { o.Data.Features = []string{"a"} }, `its input "x" takes 2 values a row`},
		"no rows":      {func(o *Options) { o.Rows = table(t, 0) }, "has no rows"},
		"name":         {func(o *Options) { o.Name = "a b" }, `the model's name "a b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			c.change(&o)
			_, err := Seal(t.Context(), o)
			require.ErrorContains(t, err, c.err)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), "%v", err)
			assert.NoDirExists(t, o.Dir)
		})
	}
}

// restless answers another number each time.
type restless struct {
	engine.Engine
	calls *int
}

func (r restless) Infer(ctx context.Context, in []tensor.Tensor) ([]tensor.Tensor, error) {
	out, err := r.Engine.Infer(ctx, in)
	*r.calls++
	out[1].F32[0] += float32(*r.calls)
	return out, err
}

func (restless) Close() error { return nil }

type plain struct{ *server.Server }

func (p plain) Name() string { return "restless" }

func (p plain) Close() error { return nil }

// A model that does not answer alike twice is not sealed.
func TestSealAsksTwice(t *testing.T) {
	t.Parallel()
	s, err := server.Open(t.Context(), linear, server.Options{})
	require.NoError(t, err)
	calls := 0
	_, err = seal(t.Context(), options(t), func(context.Context, []byte, engine.Budget) (engine.Engine, error) {
		return restless{plain{s}, &calls}, nil
	})
	require.ErrorContains(t, err, "opening what was sealed: bundle sha256:")
	assert.ErrorContains(t, err, "the golden answers do not hold")
	assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
	assert.Equal(t, 2, calls)
}

func TestChoose(t *testing.T) {
	t.Parallel()
	text := tensor.Tensor{Datatype: tensor.Bytes, Shape: []int64{100, 1}, Strs: make([]string, 100)}
	number := tensor.Tensor{Datatype: tensor.FP32, Shape: []int64{100, 2}, F32: make([]float32, 200)}
	for i := range text.Strs {
		text.Strs[i] = []string{"often", "common"}[i%2]
	}
	text.Strs[41], text.Strs[77] = "rare", "rare"
	text.Strs[63] = "rarest"
	nan := number.F32[0] - number.F32[0]
	nan /= nan
	number.F32[2*17+1] = nan
	inputs := []tensor.Tensor{text, number}
	got := choose(inputs, 100, 8)
	assert.Len(t, got, 8)
	assert.IsIncreasing(t, got)
	for _, row := range []int{0, 99, 63, 17, 41} {
		assert.Contains(t, got, row)
	}
	assert.Equal(t, got, choose(inputs, 100, 8))
	assert.Equal(t, []int{0, 1, 2}, choose(nil, 3, 8))
	assert.Equal(t, []int{0}, choose(nil, 3, 1))
	for n := 1; n < 100; n++ {
		assert.Len(t, choose(inputs, 100, n), n)
		assert.IsIncreasing(t, append([]int{-1}, choose(inputs, 100, n)...))
	}
}

// What is a model the bytes tell; what else a trainer leaves is none.
func TestFindModel(t *testing.T) {
	t.Parallel()
	onnx, err := os.ReadFile(linear)
	require.NoError(t, err)
	model, pickle := string(onnx), "\x80\x04}."
	mlmodel := "flavors:\n  onnx:\n    data: model.onnx\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		err   string
	}{
		"one": {map[string]string{
			"model.onnx": model, "params.json": "{}", "metrics.json": "{}", "history.jsonl": "", ".cache": model, "predictions.csv": "id,prediction\n",
		}, "model.onnx", ""},
		"beside others": {map[string]string{
			"m.onnx": model, "roc.png": "\x89PNG\r\n", "confusion.csv": "a,b\n", "report.html": "<html>", "x.md": "x", "x.txt": "x\n", "empty": "",
			"plots/roc.png": "x", "encoder.joblib": pickle, "summary.json": "{}",
		}, "m.onnx", ""},
		"of any name":        {map[string]string{"weights.bin": model}, "weights.bin", ""},
		"MLflow":             {map[string]string{"model/MLmodel": mlmodel, "model/model.onnx": model, "params.json": "{}"}, "model/model.onnx", ""},
		"MLflow itself":      {map[string]string{"MLmodel": mlmodel, "model.onnx": model, "conda.yaml": "{}"}, "model.onnx", ""},
		"MLflow of sklearn":  {map[string]string{"model/MLmodel": "flavors:\n  sklearn:\n    pickled_model: m.pkl\n"}, "", "without the onnx flavor (it has: sklearn)"},
		"none":               {map[string]string{"params.json": "{}"}, "", "the trainer wrote no model to {out}; it must write one"},
		"nothing":            {nil, "", "no model"},
		"a folder":           {map[string]string{"plots/roc.png": "x"}, "", "what is there is none (plots/)"},
		"a picture":          {map[string]string{"roc.png": "x", "report.html": "x"}, "", "what is there is none (report.html, roc.png)"},
		"a pickle":           {map[string]string{"model.pkl": pickle}, "", "a Python pickle"},
		"two pickles":        {map[string]string{"a.pkl": pickle, "b.pkl": pickle}, "", "a.pkl, b.pkl to {out}, and none of them can be served"},
		"truncated":          {map[string]string{"model.onnx": model[:len(model)-9], "roc.png": "x"}, "", "truncated"},
		"empty":              {map[string]string{"model.onnx": ""}, "", "the model file is empty"},
		"two":                {map[string]string{"a.onnx": model, "b.onnx": model}, "", "wrote 2 models to {out}: a.onnx, b.onnx"},
		"two with MLflow":    {map[string]string{"model.onnx": model, "model/MLmodel": mlmodel, "model/model.onnx": model}, "", "model/model.onnx, model.onnx"},
		"external data":      {map[string]string{"model.onnx": model, "model.onnx.data": "x"}, "", "keeps its numbers in another file (external data)"},
		"external data, too": {map[string]string{"model.onnx": model, "model.onnx_data": "x"}, "", "beside model.onnx lies model.onnx_data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			for f, content := range c.files {
				path := filepath.Join(out, f)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			}
			got, err := FindModel(out)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(out, c.want), got)
		})
	}
	_, err = FindModel(filepath.Join(t.TempDir(), "none"))
	assert.Error(t, err)
}
