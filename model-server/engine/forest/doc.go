// Package forest walks ensembles of decision trees: which leaf a row ends in,
// and what that leaf weighs. What is made of the weights (sums, averages,
// classes, transforms) is the format's affair, so that engines of different
// formats share one walk.
//
// A forest is laid out once: nodes in one flat list, siblings beside each
// other, each tree level by level. Float32 ensembles whose comparisons are all
// orders are walked with integers and without branches, four walks side by
// side; everything else by the plain walk, which a test holds it to. A node
// that two branches lead to is refused: such a graph is no tree, or is walked
// for ever.
//
// A NaN holds no comparison: it takes the false branch unless the node says
// that missing values take the true one (ONNX, nodes_missing_value_tracks_true:
// https://github.com/onnx/onnx/blob/main/docs/Operators-ml.md).
package forest
