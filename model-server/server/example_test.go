package server_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// A model is loaded and answers, without a network.
func ExampleOpen() {
	ctx := context.Background()
	s, err := server.Open(ctx, filepath.Join("testdata", "linear.onnx"), server.Options{})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	outputs, err := s.Infer(ctx, []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 2}, F32: []float32{2, 1}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Name(), s.Engine(), outputs[0].Name, outputs[0].I64)

	// What is wrong with a request is said with what was expected.
	_, err = s.Infer(ctx, []tensor.Tensor{{Name: "x", Datatype: tensor.FP32, Shape: []int64{1, 3}, F32: []float32{1, 2, 3}}})
	fmt.Println(err)
	// Output:
	// linear native label [1]
	// input "x": the shape is [1 3], expected [N, 2]
}
