package native_test

import (
	"math/rand/v2"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

const mlDomain = "ai.onnx.ml"

// model is a model around nodes.
func model(nodes []*onnx.Node, inputs, outputs []*onnx.ValueInfo, constants ...*onnx.Tensor) *onnx.Model {
	return &onnx.Model{
		IRVersion: 10,
		Opsets:    []onnx.Opset{{Domain: "", Version: 21}, {Domain: mlDomain, Version: 3}},
		Graph:     &onnx.Graph{Name: "test", Nodes: nodes, Inputs: inputs, Outputs: outputs, Initializers: constants},
	}
}

// forest is a random forest regressor with complete trees of the given depth.
func forest(trees, depth, features int) *onnx.Model {
	rng := rand.New(rand.NewPCG(1, 2))
	var treeIDs, nodeIDs, featureIDs, yes, no, leafTrees, leafNodes, targets []int64
	var values, weights []float32
	var modes []string
	inner := 1<<depth - 1
	for t := range trees {
		for i := range 2*inner + 1 {
			treeIDs, nodeIDs = append(treeIDs, int64(t)), append(nodeIDs, int64(i))
			if i < inner {
				modes, featureIDs, values = append(modes, "BRANCH_LEQ"), append(featureIDs, int64(rng.IntN(features))), append(values, float32(rng.NormFloat64()))
				yes, no = append(yes, int64(2*i+1)), append(no, int64(2*i+2))
				continue
			}
			modes, featureIDs, values = append(modes, "LEAF"), append(featureIDs, 0), append(values, 0)
			yes, no = append(yes, 0), append(no, 0)
			leafTrees, leafNodes, targets = append(leafTrees, int64(t)), append(leafNodes, int64(i)), append(targets, 0)
			weights = append(weights, rng.Float32())
		}
	}
	node := &onnx.Node{OpType: "TreeEnsembleRegressor", Domain: mlDomain, Inputs: []string{"x"}, Outputs: []string{"y"}, Attributes: []*onnx.Attribute{
		onnxtest.Attribute("nodes_treeids", treeIDs), onnxtest.Attribute("nodes_nodeids", nodeIDs),
		onnxtest.Attribute("nodes_featureids", featureIDs), onnxtest.Attribute("nodes_values", values),
		onnxtest.Attribute("nodes_modes", modes), onnxtest.Attribute("nodes_truenodeids", yes),
		onnxtest.Attribute("nodes_falsenodeids", no), onnxtest.Attribute("n_targets", 1),
		onnxtest.Attribute("target_treeids", leafTrees), onnxtest.Attribute("target_nodeids", leafNodes),
		onnxtest.Attribute("target_ids", targets), onnxtest.Attribute("target_weights", weights),
	}}
	return model([]*onnx.Node{node},
		[]*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, int64(features))},
		[]*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, -1, 1)})
}
