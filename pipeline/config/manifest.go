package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// manifestHead stands above every manifest: whoever opens the file has to know
// what a change of it does.
const manifestHead = `# Merging a change of this file promotes the model that it names;
# reverting that change rolls back. Written by dosirak.
`

// ReadManifest reads and checks the manifest at path. An absent file is an
// error that errors.Is fs.ErrNotExist.
func ReadManifest(path string) (manifest.Manifest, error) {
	data, err := readBounded(path, "nothing was promoted to this environment yet")
	if err != nil {
		return manifest.Manifest{}, err
	}
	return ParseManifest(path, data)
}

// ParseManifest checks the text of a manifest, which messages call by name.
func ParseManifest(name string, data []byte) (manifest.Manifest, error) {
	var m manifest.Manifest
	d := newDecoder()
	d.nullable = true // an undefined metric has the value null
	d.read(data, &m)
	if err := d.err(name); err != nil {
		return manifest.Manifest{}, err
	}
	if err := m.Validate(); err != nil {
		return manifest.Manifest{}, fault.ManifestInvalid.Usage(fmt.Errorf("%s: %w", name, err))
	}
	return m, nil
}

// FormatManifest returns the text of m, which ParseManifest reads: equal
// manifests have equal texts, and a change of one field changes its lines
// only.
func FormatManifest(m manifest.Manifest) []byte {
	if m.Metrics == nil {
		m.Metrics = []manifest.Metric{}
	}
	var b bytes.Buffer
	b.WriteString(manifestHead)
	text, err := yaml.MarshalWithOptions(m, yaml.Indent(2), yaml.IndentSequence(true), yaml.CustomMarshaler(quoted))
	if err != nil {
		// The type holds texts, numbers and booleans only, which encode.
		panic(fmt.Sprintf("spec: encoding a manifest: %v", err))
	}
	b.Write(text)
	return b.Bytes()
}

// plainText is a text that every YAML reader takes for a text when it stands
// without quotes. A commit such as 12e4567 would be a number to most.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*([/@:+][A-Za-z0-9_.-]+)*$|^[0-9.]+%$`)

// reserved are words that one version of YAML or another reads as a boolean or
// as nothing.
var reserved = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}

func quoted(s string) ([]byte, error) {
	if plainText.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return []byte(s), nil
	}
	// A JSON text is a YAML text in double quotes (YAML 1.2.2, section 1.3).
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
