// Package op holds the operators of ONNX graphs that the native engine
// computes.
//
// Every operator, or family of them, is one file that registers itself in the
// table of operator.go with three things: how many inputs it takes, a function
// that turns a node into a kernel, and the rule by which the datatypes of its
// outputs follow from those of its inputs. A new operator is one new file.
//
// A kernel gets a Call, which holds the budget of the run: memory is asked for
// before it is allocated, work before it is done, and what takes long looks
// now and then whether the caller is still there. Shapes come from models and
// models from outside, so nothing is allocated by a shape that was not
// measured first.
//
// An error of a kernel is the model's fault and goes to the log. What is the
// fault of a value in the request (an unknown category, an index outside a
// table) is an engine.InputError, which is for the caller.
//
// Where scores become probabilities the kernels compute in float64 and round
// once, from the side that does not cancel: the tails have all their digits.
// docs/engine.md says where onnxruntime differs.
package op
