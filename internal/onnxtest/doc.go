// Package onnxtest writes small ONNX models for tests, so that they need no
// exporter and no file. It is the inverse of model-server/bundle/onnx.Parse.
package onnxtest
