// Package codec reads and writes the text of a manifest: YAML, read as strictly
// as the config (unknown keys, duplicate keys, anchors and tags are refused),
// and written so that equal manifests have equal texts and a change of one
// field changes its lines only.
package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// manifestHead stands above every manifest: whoever opens the file has to know
// what a change of it does.
const manifestHead = `# Merging a change of this file promotes the model that it names;
# reverting that change rolls back. Written by dosirak.
`

// Parse checks the text of a manifest, which messages call by name.
func Parse(name string, data []byte) (manifest.Manifest, error) {
	var m manifest.Manifest
	if err := config.Decode(name, data, &m); err != nil {
		return manifest.Manifest{}, err
	}
	if err := m.Validate(); err != nil {
		return manifest.Manifest{}, fault.ManifestInvalid.Usage(fmt.Errorf("%s: %w", name, err))
	}
	return m, nil
}

// Format returns the text of m, which Parse reads.
func Format(m manifest.Manifest) ([]byte, error) {
	if m.Metrics == nil {
		m.Metrics = []manifest.Metric{}
	}
	var b bytes.Buffer
	b.WriteString(manifestHead)
	text, err := yaml.MarshalWithOptions(m, yaml.Indent(2), yaml.IndentSequence(true), yaml.CustomMarshaler(quoted))
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	b.Write(text)
	return b.Bytes(), nil
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
