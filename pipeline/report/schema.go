package report

import (
	"bytes"
	_ "embed"
)

//go:embed report.schema.json
var schema []byte

// Schema returns the JSON Schema of report.json. It is generated from the
// types of this package by its tests (go test -update), which also hold the
// copy in docs/schema against it.
func Schema() []byte { return bytes.Clone(schema) }
