package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func compiled(t *testing.T, name string, text []byte) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(name, value))
	s, err := c.Compile(name)
	require.NoError(t, err)
	return s
}

// value reads YAML as a JSON Schema validator sees it, by another library than
// ours.
func value(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal(data, &v))
	text, err := json.Marshal(v)
	require.NoError(t, err)
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return v
}

func TestSchemaAcceptsGoodConfigs(t *testing.T) {
	t.Parallel()
	s := compiled(t, "config.schema.json", config.Schema())
	files, err := filepath.Glob("testdata/good/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, s.Validate(value(t, data)), file)
	}
}

// What this release refuses is not offered to an editor.
func TestSchemaOffersNothingThatIsRefused(t *testing.T) {
	t.Parallel()
	s := compiled(t, "config.schema.json", config.Schema())
	good, err := os.ReadFile("testdata/good/design.yaml")
	require.NoError(t, err)
	for _, refused := range []struct{ old, replacement string }{
		{"train:\n", "train:\n  notebook: train.ipynb\n"},
		{"train:\n", "train:\n  image: python:3.13\n"},
		{"engine: auto", "engine: onnxruntime"},
		{"engine: auto", "engine: auto\n  dockerfile: Dockerfile"},
		{"engine: auto", "engine: auto\n  image: server:1"},
		{"engine: auto", "engine: auto\n  command: ./server"},
		{"engine: auto", "engine: auto\n  protocol: v2"},
		{"version: 1\n", "version: 1\nregistry: {mlflow: {model: flights-delay}}\n"},
		{"version: 1\n", "version: 1\ntracking: {mlflow: {}}\n"},
	} {
		require.Contains(t, string(good), refused.old)
		text := strings.Replace(string(good), refused.old, refused.replacement, 1)
		_, err := config.Parse("dosirak.yaml", []byte(text), nil)
		assert.ErrorContains(t, err, "not supported by this release", refused.replacement)
		assert.NotNil(t, fault.CodeOf(err))
		assert.Error(t, s.Validate(value(t, []byte(text))), refused.replacement)
	}
}

// An editor sees the plain mistakes; rules across fields are Parse's.
func TestSchemaRefusesBadConfigs(t *testing.T) {
	t.Parallel()
	s := compiled(t, "config.schema.json", config.Schema())
	for _, name := range []string{
		"unknown-key", "unknown-key-nested", "missing-version", "missing-train", "missing-label", "missing-metric-name", "empty-metrics",
		"version", "model-name", "mode", "task", "direction", "confidence-low", "confidence-high", "confidence-percent", "margin-negative", "margin-text",
		"seeds-empty", "seeds-range", "parallel", "timeout", "reproduce", "reproduce-tolerance", "reproduce-empty", "type-text-for-number",
		"type-number-for-text", "type-text-for-bool", "type-float-for-int", "type-text-for-list", "slice-mode", "slice-min-n", "slo", "repository",
		"environments", "manifest-suffix", "when", "smoke", "path-format", "registry-model",
	} {
		data, err := os.ReadFile("testdata/bad/" + name + ".yaml")
		require.NoError(t, err)
		assert.Error(t, s.Validate(value(t, data)), name)
	}
}

// What the codec writes is what the manifest's schema describes.
func TestManifestSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../manifest/codec/testdata/manifest.yaml")
	require.NoError(t, err)
	assert.NoError(t, compiled(t, "manifest.schema.json", config.ManifestSchema()).Validate(value(t, text)))
}
