// Package seal makes a bundle of a model file: weights, signature, golden
// answers, named by a digest.
//
// # Design
//
// The model is loaded by the server that will ship, on a loopback port, and
// asked the golden rows over the protocol that callers use: the golden answers
// are what a caller would have seen. Then the finished bundle is opened the
// way any server opens it, which includes that these answers hold.
//
// The signature records the columns that each input reads of the table, in
// their order. By them the model is asked for as long as the bundle lives.
//
// Nothing of the bundle depends on clock, host or path, so the same model with
// the same rows has the same digest, whoever seals it and where.
//
// Golden rows are chosen by the table alone: half of those wanted are spread
// evenly over the file; the others are first rows of what is rare: missing
// values, and the levels of text columns from the rarest on. A server that
// handles an unknown category or a missing value otherwise is found by these
// and not by the bulk.
//
// Nothing is unpickled. What a file is, its bytes tell (bundle.SniffFormat).
package seal
