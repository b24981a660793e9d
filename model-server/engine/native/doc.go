// Package native computes ONNX models in pure Go: the operators that
// scikit-learn's models and pipelines, and small networks, are exported to.
//
// A model is planned once, when it is loaded: operators are resolved, their
// attributes read and checked, datatypes followed through the graph, constants
// folded, trees laid out flat. What is not known is refused then, by name, and
// so is a model that can answer nobody: one whose types do not fit, or whose
// shapes do not for any number of made-up rows (refuse.go says what mends the
// export). A loaded model is read-only and used by any number of requests at
// once.
//
// Design. The operators are in package op, the walk through trees in package
// forest; here is the graph: its plan, its signature, its run. Values are
// tensor.Tensor throughout. ZipMap's sequence of maps is what the protocol
// cannot carry: it becomes its tensor of probabilities, and the classes stand
// in the signature.
//
// Budget. Loading a model and each answer have a budget of memory, operations
// and time (engine.Budget): a few bytes of a hostile model ask for any amount
// of them. Initializers are shared by the nodes that use them, also in the
// form in which a product needs them. Between nodes, and within those that take
// long, the caller's context is looked at.
//
// Bits. The same model gives the same bits on every machine. Go may fuse
// x*y + z into one operation on arm64 and not on amd64
// (https://go.dev/ref/spec#Floating_point_operators), and math.Exp and
// math.Log have assembly on some architectures only. So a product is converted
// explicitly before it is added, float64(x*y) + z, sums of float32 products
// run in float64, where the product is exact and fusing changes nothing, and
// exp, log, pow and tanh are this package's own. Sums have one fixed order,
// whatever the batch and the number of cores.
//
// Semantics follow the operators' specifications and, where those are silent,
// onnxruntime, the reference that models are exported against:
// https://github.com/onnx/onnx/blob/main/docs/Operators.md
// https://github.com/onnx/onnx/blob/main/docs/Operators-ml.md
// https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/providers/cpu
package native
