// Package bundle is the sealed model: bundle.json, the model file and
// golden.json in one folder, named by the digest of bundle.json.
//
// bundle.json lists every other file with its digest, so the digest of
// bundle.json covers everything. It holds no clock, host or path: the same
// model sealed on another day in another folder has the same digest.
//
// The folder holds bundle.json, the files that it lists and nothing else. Its
// JSON is canonical: fields in the order of the types here, two spaces of
// indent, line feeds, a line feed at the end, no HTML escapes, no unknown key.
// Open refuses what is not written exactly so, since two spellings of one
// bundle would be two digests. The files are model.onnx (or what model.file
// names) and golden.json; names are plain, without folders.
//
// Golden answers must be given again bit by bit, unless the bundle allows more,
// by the arithmetic that gave them (engine.arithmetic). A later release may
// compute a digit more exactly: answers that another arithmetic gave may differ
// by some units in the last place of single precision, and a bundle in
// production stays one.
package bundle
