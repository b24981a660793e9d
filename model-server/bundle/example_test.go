package bundle_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// A bundle is a model with its signature and the answers that every server
// must give again. Its digest names it on any machine.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "bundle")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	x := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{0.5, 2}}
	y := tensor.Tensor{Name: "y", Datatype: tensor.FP32, Shape: []int64{1, 1}, F32: []float32{2.5}}
	golden, err := bundle.NewGolden([]tensor.Tensor{x}, []tensor.Tensor{y}, bundle.Tolerance{})
	if err != nil {
		panic(err)
	}
	b := bundle.Bundle{
		Model: bundle.Model{Name: "sum", Format: bundle.FormatONNX, File: "model.onnx"},
		Signature: bundle.Signature{
			Inputs:  []bundle.TensorSpec{{Name: "x", Datatype: tensor.FP32, Shape: []int64{-1, 2}}},
			Outputs: []bundle.TensorSpec{{Name: "y", Datatype: tensor.FP32, Shape: []int64{-1, 1}, Role: bundle.RoleValue}},
		},
	}
	digest, err := bundle.Write(filepath.Join(dir, "sum"), b, []byte("weights"), golden)
	if err != nil {
		panic(err)
	}
	opened, err := bundle.Open(filepath.Join(dir, "sum")) // verifies every file
	if err != nil {
		panic(err)
	}
	fmt.Println(digest == opened.Digest, opened.Bundle.Model.Name)

	// Whoever changes a file is noticed.
	if err := os.WriteFile(filepath.Join(dir, "sum", "model.onnx"), []byte("weightz"), 0o600); err != nil {
		panic(err)
	}
	_, err = bundle.Open(filepath.Join(dir, "sum"))
	fmt.Println(err != nil)
	// Output:
	// true sum
	// true
}

// What a file is, its bytes tell; nothing in it is executed.
func ExampleSniffFormat() {
	dir, err := os.MkdirTemp("", "models")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	model := onnxtest.Encode(&onnx.Model{IRVersion: 10, ProducerName: "example", Graph: &onnx.Graph{Name: "g"}})
	for name, data := range map[string][]byte{"model.onnx": model, "model.pkl": []byte("\x80\x04.")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			panic(err)
		}
	}
	found, err := bundle.SniffFormat(filepath.Join(dir, "model.onnx"))
	fmt.Println(found.Name, found.File, err)
	_, err = bundle.SniffFormat(filepath.Join(dir, "model.pkl"))
	refused, _ := err.(*bundle.RefusedError)
	fmt.Println(refused.What)
	// Output:
	// onnx model.onnx <nil>
	// a Python pickle
}
