// Package server assembles the inference server: a model, the engine that
// computes it, and the protocols that callers speak. It is the same code in
// the image, in `dosirak serve` and, on a loopback port, in every evaluation:
// what judges a model is what ships.
//
// # Design
//
// Open does all that can fail: it verifies the bundle's digests, loads the
// model, compares the signature, and asks the golden examples. A server that
// exists is one whose golden answers held; there is no half-ready state.
// Serve adds the network and ends with its context: first readiness turns
// false while requests are still answered, so that a load balancer can look
// away; then the listener closes and what is in flight finishes, for a bounded
// time. Run is both, with a line on stdout.
//
// A protocol is a folder under protocol/: it turns bytes into tensors and
// back. A batcher wraps the engine and is an engine. Neither knows the other;
// this package checks requests against the signature in between, so that an
// engine sees only inputs that are complete and of the right type and shape.
//
// # Rules
//
//   - An input's datatype must be the signature's. INT64 for FP32 is refused
//     even where the values would fit: a caller that sends other types than it
//     was told has other columns than it thinks. (JSON has one kind of number,
//     so 1 and 1.0 are the same FP32.)
//   - Every input that is variable in its first dimension has the same number
//     of rows, at least 1 and at most Options.MaxRows.
//   - Statuses: 400 a bad request, 404 an unknown path or model, 405, 408, 413,
//     415, 500 the model failed, 503 not ready. Triton and MLServer answer 400
//     where KServe answers 503 for not ready; every prober takes any non-2xx.
//   - Messages to callers name the input and what was expected. They never hold
//     an internal error, a path or a stack; those go to the log, which never
//     holds a request's data.
package server
