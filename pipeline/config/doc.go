// Package config reads what people write: the config dosirak.yaml and the
// manifests deploy/<environment>.yaml.
//
// # Design
//
// A file goes through four steps, and each step adds its problems to one list
// that is sorted by position and returned as one error (Problems):
//
//	parse    text -> syntax tree, by goccy/go-yaml, after the bounds of
//	         document.go: size, depth, no anchors, aliases or tags
//	decode   syntax tree -> types, strictly: unknown and repeated keys, wrong
//	         types; remembers the position of every value and puts in the
//	         defaults, which stand in the types' tags
//	rules    of single fields: tags of validator/v10
//	checks   across fields: check.go
//
// Decoding is not left to the YAML library: it stops at its first problem, and
// whoever starts with a new tool wants to see all of them, each with line,
// column, the allowed values and the nearest right spelling.
//
// The types are the documentation: their tags hold the keys, the defaults, the
// rules and a sentence for each, and the JSON Schema for editors is made from
// the same tags, by a test (Schema; published as docs/schema/config.schema.json).
//
// Keys whose rooms come in a later release are decoded and checked like the
// others and then refused by the table in unsupported.go: a key that is
// silently ignored is worse than one that is unknown.
//
// # Rules of the outside world
//
//   - YAML 1.2.2, core schema: numbers are decimal, booleans are true and false;
//     off and yes are texts.
//   - PYTHONHASHSEED and numpy.random.seed take seeds of 0..4294967295
//     (docs.python.org, "Command line and environment"; numpy.org,
//     numpy.random.seed), so seeds have that range.
//   - JSON Schema draft 2020-12.
package config
