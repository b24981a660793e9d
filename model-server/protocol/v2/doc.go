// Package v2 is the Open Inference Protocol (V2) over JSON: what requests,
// answers, metadata and errors look like as bytes, and the http.Handler that
// speaks it for a model. Server and client share it, so that what one writes
// the other reads. It knows no engine and no bundle on disk: the model that it
// speaks for is a Core.
//
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
//
// # Design
//
// The infer path has a decoder and an encoder of its own: reflection would
// cost more than a small model. The decoder makes one pass over the body and
// fills the tensor's slice directly; where "data" stands before "shape" and
// "datatype" it comes back to it. Everything else (metadata, health, errors) is
// small and rare and goes through encoding/json.
//
// What comes from outside is measured before anything is allocated for it: see
// Limits. A number of elements that the shape only claims allocates nothing;
// room is made for what the body can hold.
//
// # Rules
//
//   - Data is flat in row-major order, or nested exactly as the shape says.
//   - Integers are written without fraction or exponent and must fit the type.
//     FP32 and FP64 take any JSON number that is finite in the type.
//   - JSON has no NaN and no infinities. They are written as the strings "NaN",
//     "Infinity" and "-Infinity" (as protobuf's JSON form has them:
//     https://protobuf.dev/programming-guides/json/). Read are these, and the
//     bare words NaN, Infinity and -Infinity that Python's json writes. null in
//     FP32 and FP64 is a missing value, NaN, as pandas writes it and MLServer
//     documents it (https://github.com/SeldonIO/MLServer/pull/1346); in every
//     other type nothing is missing, and null is an error.
//   - BOOL is true or false. BYTES is a string of valid UTF-8.
//   - FP16 and BF16 have no exact form in JSON and are not spoken.
//   - A key that is known here may appear once; unknown keys and parameters
//     are skipped, as the protocol's extensions demand.
//
// Errors of the decoder are *Error with the HTTP status that belongs to them;
// their texts name the tensor, the element and what was expected, and quote at
// most a few characters of the body.
package v2
