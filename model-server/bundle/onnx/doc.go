// Package onnx reads ONNX model files and tells where two of them differ.
//
// It is written on the wire format of protocol buffers, without generated
// code: a model file comes from outside, so every length, count and depth is
// checked before anything is allocated, and what the reader does not know it
// skips as protobuf demands. It never panics; a fuzz test holds it to that.
//
// The messages and their field numbers are those of onnx.proto:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
// Protobuf's encoding: https://protobuf.dev/programming-guides/encoding/
package onnx
