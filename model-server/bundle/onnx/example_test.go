package onnx_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

func model(weight float32, graph string) []byte {
	return onnxtest.Encode(&onnx.Model{
		IRVersion: 10, ProducerName: "example", Opsets: []onnx.Opset{{Version: 21}},
		Graph: &onnx.Graph{
			Name:         graph,
			Nodes:        []*onnx.Node{{OpType: "Mul", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
			Initializers: []*onnx.Tensor{onnxtest.Floats("w", []float32{weight, 2})},
			Inputs:       []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)},
			Outputs:      []*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, 2)},
		},
	})
}

// A model is read whole, and nothing of it is believed before it is checked.
func ExampleParse() {
	m, err := onnx.Parse(model(1.5, "g"))
	if err != nil {
		panic(err)
	}
	weights, err := m.Graph.Initializers[0].Floats()
	fmt.Println(m.Opset(""), m.Graph.Nodes[0].OpType, weights, err)
	_, err = onnx.Parse([]byte("hello"))
	fmt.Println(err)
	// Output:
	// 21 Mul [1.5 2] <nil>
	// reading the ONNX model: not an ONNX model
}

// Where two exports differ, what they compute comes first.
func ExampleCompare() {
	c, err := onnx.Compare(model(1.5, "a"), model(1.25, "b"))
	if err != nil {
		panic(err)
	}
	fmt.Println(c.Outcome)
	for _, d := range c.Differences {
		fmt.Println(d.Where+":", d.Detail)
	}
	// Output:
	// different
	// initializer "w" [0]: 1.5 vs 1.25 (max |difference| 0.25 over 2 elements, 1 of them differ)
	// graph name: "a" vs "b"
}
