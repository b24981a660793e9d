package server

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
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func loads(f engine.Engine) func(context.Context, []byte, engine.Budget) (engine.Engine, error) {
	return func(context.Context, []byte, engine.Budget) (engine.Engine, error) { return f, nil }
}

func TestOpenBundle(t *testing.T) {
	t.Parallel()
	dir := sealed(t, &fake{})
	s, err := Open(t.Context(), dir, Options{Load: loads(&fake{})})
	require.NoError(t, err)
	assert.Equal(t, "sealed", s.Name())
	assert.Equal(t, "fake", s.Engine())
	opened, err := bundle.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, opened.Digest, s.Digest())
	assert.Equal(t, opened.Bundle.Signature, s.Signature())

	named, err := Open(t.Context(), dir, Options{Load: loads(&fake{}), Name: "other"})
	require.NoError(t, err)
	assert.Equal(t, "other", named.Name())
	assert.Equal(t, s.Digest(), named.Digest())
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flights-delay.onnx")
	require.NoError(t, os.WriteFile(path, []byte("model"), 0o600))
	s, err := Open(t.Context(), path, Options{Load: loads(&fake{})})
	require.NoError(t, err)
	assert.Equal(t, "flights-delay", s.Name())
	assert.Empty(t, s.Digest())
}

// A model that no longer gives its golden answers is not served.
func TestSelfTest(t *testing.T) {
	t.Parallel()
	dir := sealed(t, &fake{})
	changed := &fake{Offset: 0.25}
	_, err := Open(t.Context(), dir, Options{Load: loads(changed)})
	var failed *SelfTestError
	require.ErrorAs(t, err, &failed)
	assert.NotEmpty(t, failed.Mismatches)
	assert.ErrorContains(t, err, `output "p" row 0 element 0`)
	assert.True(t, changed.Closed.Load())
	assert.Equal(t, ExitSelfTest, ExitCode(err))
}

// wider is a fake with another input than the bundle says.
type wider struct{ *fake }

func (w wider) Signature() bundle.Signature {
	s := w.fake.Signature()
	s.Inputs[0].Shape = []int64{-1, 3}
	return s
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	file := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	damaged := sealed(t, &fake{})
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "model.onnx"), []byte("modem"), 0o600))
	for name, c := range map[string]struct {
		path string
		load engine.Engine
		name string
		err  string
	}{
		"missing":         {filepath.Join(t.TempDir(), "none"), &fake{}, "", "no such file"},
		"no bundle":       {t.TempDir(), &fake{}, "", "no bundle.json"},
		"empty":           {empty, &fake{}, "", "the model file is empty"},
		"damaged":         {damaged, &fake{}, "", "SHA-256"},
		"name":            {file, &fake{}, "a/b", `the model's name "a/b"`},
		"other signature": {sealed(t, &fake{}), wider{&fake{}}, "", `its inputs are "x" FP32 [N, 2], "name" BYTES [N, 1], the model's are "x" FP32 [N, 3]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), c.path, Options{Load: loads(c.load), Name: c.name})
			require.ErrorContains(t, err, c.err)
			assert.Equal(t, ExitUsage, ExitCode(err))
		})
	}
	_, err := Open(t.Context(), file, Options{Load: func(context.Context, []byte, engine.Budget) (engine.Engine, error) {
		return nil, errors.New("operator Foo is not known")
	}})
	assert.ErrorContains(t, err, "m.onnx: operator Foo is not known")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := openFake(t, &fake{}, Options{Limits: Limits{Rows: 4}})
	x := func(change func(*tensor.Tensor)) []tensor.Tensor {
		inputs := rows(2)
		change(&inputs[0])
		return inputs
	}
	for name, c := range map[string]struct {
		inputs []tensor.Tensor
		err    string
	}{
		"missing":      {rows(2)[:1], `input "name" is missing; expected BYTES with shape [N, 1]`},
		"none":         {nil, `input "x" is missing; expected FP32 with shape [N, 2]`},
		"unknown":      {x(func(t *tensor.Tensor) { t.Name = "y" }), `input "y" is unknown; the model's inputs are "x" FP32 [N, 2], "name" BYTES [N, 1]`},
		"twice":        {append(rows(2), rows(2)[0]), `input "x" is there twice`},
		"datatype":     {x(func(t *tensor.Tensor) { t.Datatype, t.I64, t.F32 = tensor.Int64, []int64{1, 2, 3, 4}, nil }), `input "x": the datatype is INT64, expected FP32`},
		"dimensions":   {x(func(t *tensor.Tensor) { t.Shape = []int64{4} }), `input "x": the shape is [4], expected [N, 2]`},
		"width":        {x(func(t *tensor.Tensor) { t.Shape = []int64{4, 1} }), `input "x": the shape is [4 1], expected [N, 2]`},
		"no rows":      {rows(0), `input "x": the shape [0 2] has no rows`},
		"too many":     {rows(5), `input "x" has 5 rows, at most 4`},
		"unequal rows": {[]tensor.Tensor{rows(1)[0], rows(2)[1]}, `input "name" has 2 rows, input "x" has 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Infer(t.Context(), c.inputs)
			assert.ErrorContains(t, err, c.err)
		})
	}
	reversed := rows(2)
	reversed[0], reversed[1] = reversed[1], reversed[0]
	outputs, err := s.Infer(t.Context(), reversed)
	require.NoError(t, err)
	assert.Equal(t, "label", outputs[0].Name)

	// A list is a column of as many rows.
	list := rows(2)
	list[1].Shape = []int64{2}
	outputs, err = s.Infer(t.Context(), list)
	require.NoError(t, err)
	assert.Equal(t, []int64{2}, outputs[0].Shape)
	list[1].Shape = []int64{2, 1, 1}
	_, err = s.Infer(t.Context(), list)
	assert.ErrorContains(t, err, `input "name": the shape is [2 1 1], expected [N, 1]`)
}
