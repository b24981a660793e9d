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
// A model format (bundle.Formats) has its engine in engines.go; a protocol is a
// folder under protocol/ that gives an http.Handler, and its row is in http.go.
// Package inference stands between the two and checks requests against the
// signature.
//
// # Rules
//
//   - Statuses over HTTP: 400 a bad request, 404 an unknown path or model, 405,
//     408, 413 too much at a time, 415, 500 the model failed, 503 not ready.
//     Triton and MLServer answer 400 where KServe answers 503 for not ready;
//     every prober takes any non-2xx.
//   - Loading and every answer have a budget (Options.Budget): what one model
//     or one request may ask of the machine is bounded.
//   - Asked to end while a model is loading, it ends.
package server
