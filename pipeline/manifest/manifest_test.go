package manifest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for _, tt := range []struct {
		name    string
		change  func(m *manifest.Manifest)
		message string
	}{
		{"as it should be", func(*manifest.Manifest) {}, ""},
		{"of a newer release", func(m *manifest.Manifest) { m.Schema = "dosirak/manifest/v2" }, `schema is "dosirak/manifest/v2"`},
		{"no model", func(m *manifest.Manifest) { m.Model = "" }, "model is missing"},
		{"no environment", func(m *manifest.Manifest) { m.Environment = "" }, "environment is missing"},
		{"short bundle", func(m *manifest.Manifest) { m.Bundle = "sha256:abc" }, "is not a digest"},
		{"no exam", func(m *manifest.Manifest) { m.Exam = "" }, "exam"},
		{"anchor by name", func(m *manifest.Manifest) { m.Anchor = "v1" }, "anchor"},
		{"replaces by name", func(m *manifest.Manifest) { m.Replaces = "v1" }, "replaces"},
		{"verdict in small letters", func(m *manifest.Manifest) { m.Verdict = "pass" }, "verdict"},
		{"bundle elsewhere", func(m *manifest.Manifest) { m.Sources.Bundle = "../secrets" }, "sources.bundle"},
		{"evidence at the root", func(m *manifest.Manifest) { m.Sources.Evidence = "/etc" }, "sources.evidence"},
		{"anchor is everything", func(m *manifest.Manifest) { m.Sources.Anchor = "." }, "sources.anchor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := manifest.Manifest{
				Schema: manifest.Schema, Model: "m", Environment: "production", Bundle: digest, Exam: digest,
				Verdict: verdict.Pass, Sources: manifest.Sources{Bundle: "deploy/bundles/a"},
			}
			tt.change(&m)
			err := m.Validate()
			if tt.message == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.message)
		})
	}
}
