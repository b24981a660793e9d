package config

import (
	"bytes"
	_ "embed"
)

var (
	//go:embed config.schema.json
	configSchema []byte
	//go:embed manifest.schema.json
	manifestSchema []byte
)

// Schema returns the JSON Schema (draft 2020-12) of dosirak.yaml, for editors.
// Parse knows more rules. It is made from the types and their tags by the
// tests of this package, which also hold the copy in docs/schema against it.
func Schema() []byte { return bytes.Clone(configSchema) }

// ManifestSchema returns the JSON Schema of deploy/<environment>.yaml.
func ManifestSchema() []byte { return bytes.Clone(manifestSchema) }
