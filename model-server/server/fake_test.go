package server

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine/enginetest"
)

type fake = enginetest.Fake

var rows = enginetest.Rows

// openFake returns a server of f for the bare model "m".
func openFake(t testing.TB, f *fake, o Options) *Server {
	t.Helper()
	o.Load = f.Load
	if o.Name == "" {
		o.Name = "m"
	}
	s, err := open(context.Background(), []byte("model"), "model.onnx", "model", nil, o)
	require.NoError(t, err)
	return s
}

// sealed writes a bundle of f whose golden answers are f's own.
func sealed(t testing.TB, f *fake) string {
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
