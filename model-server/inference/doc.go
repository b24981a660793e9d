// Package inference is the core of the server: one model that answers. It
// stands between the engine, which computes, and the protocols, which turn
// bytes into tensors and back, and neither knows the other.
//
// A request is checked against the signature here, whatever the protocol, so
// that an engine sees only inputs that are complete and of the right type and
// shape. What is wrong with a request is a *RequestError; each protocol has its
// own form for it. What is wrong with the model is a *ModelError: it is logged
// here, and a caller is told no more than that.
//
// # Rules
//
//   - An input's datatype must be the signature's. INT64 for FP32 is refused
//     even where the values would fit: a caller that sends other types than it
//     was told has other columns than it thinks. (JSON has one kind of number,
//     so 1 and 1.0 are the same FP32.)
//   - A list [N] is read as the column [N, 1] and the other way round: as many
//     elements can mean nothing else. Every other shape must be the
//     signature's.
//   - Every input that is variable in its first dimension has the same number
//     of rows, at least 1 and at most Options.MaxRows.
//   - Messages to callers name the input and what was expected. They never hold
//     an internal error, a path or a stack; those go to the log, which never
//     holds a request's data.
package inference
