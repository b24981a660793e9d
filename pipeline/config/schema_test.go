package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dosirak-ml/dosirak/pipeline/config"
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
	files = append(files, "testdata/design.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, s.Validate(value(t, data)), file)
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
