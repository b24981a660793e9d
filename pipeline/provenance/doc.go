// Package provenance says where a model comes from: commit, dirty or not,
// seeds, digests of the data, versions of the libraries, hardware, and the
// release of dosirak, as an in-toto statement beside the bundle.
//
// The types and the statement are pure: the same facts give the same bytes.
// Collect is the thin edge that looks at the project and the machine.
//
// The statement has the form of https://in-toto.io/Statement/v1
// (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) with
// the predicate https://slsa.dev/provenance/v1
// (https://slsa.dev/spec/v1.0/provenance). It is not signed here: on its own
// it is a record, not a proof, and its builder id says so.
package provenance
