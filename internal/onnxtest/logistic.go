package onnxtest

import "github.com/dosirak-ml/dosirak/model-server/bundle/onnx"

// Logistic is a logistic regression over named columns: one float input [N,1]
// for each, and an output "probabilities" [N,2] for the classes 0 and 1.
func Logistic(columns []string, weights []float32) *onnx.Model {
	g := &onnx.Graph{
		Name:         "logistic",
		Initializers: []*onnx.Tensor{Floats("weights", weights, int64(len(weights)), 1), Floats("one", []float32{1}, 1, 1)},
		Outputs:      []*onnx.ValueInfo{Value("probabilities", onnx.Float, -1, 2)},
		Nodes: []*onnx.Node{
			{Name: "join", OpType: "Concat", Inputs: columns, Outputs: []string{"x"}, Attributes: []*onnx.Attribute{Attribute("axis", 1)}},
			{Name: "weigh", OpType: "MatMul", Inputs: []string{"x", "weights"}, Outputs: []string{"z"}},
			{Name: "squash", OpType: "Sigmoid", Inputs: []string{"z"}, Outputs: []string{"p"}},
			{Name: "rest", OpType: "Sub", Inputs: []string{"one", "p"}, Outputs: []string{"q"}},
			{Name: "both", OpType: "Concat", Inputs: []string{"q", "p"}, Outputs: []string{"probabilities"}, Attributes: []*onnx.Attribute{Attribute("axis", 1)}},
		},
	}
	for _, name := range columns {
		g.Inputs = append(g.Inputs, Value(name, onnx.Float, -1, 1))
	}
	return &onnx.Model{IRVersion: 8, ProducerName: "onnxtest", Graph: g, Opsets: []onnx.Opset{{Version: 17}}}
}
