package adopt

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func decision() Decision {
	return Decision{
		Model: "flights-delay", Environment: "production", Digest: digest("a"), Exam: digest("e"),
		Files: map[string][]byte{"bundle.json": []byte("{}")}, ManifestPath: "deploy/production.yaml", Base: "main",
	}
}

func format(m manifest.Manifest) ([]byte, error) { return json.Marshal(m) }

func TestPlanClaimsNothing(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), format)
	require.NoError(t, err)
	assert.Equal(t, "dosirak/adopt/flights-delay/production", p.Branch)
	assert.Equal(t, []string{"deploy/.gitattributes", "deploy/bundles/aaaaaaaaaaaa/bundle.json", "deploy/production.yaml"}, p.Paths())
	var m manifest.Manifest
	require.NoError(t, json.Unmarshal(p.Files["deploy/production.yaml"], &m))
	assert.Equal(t, manifest.Manifest{
		Schema: manifest.Schema, Model: "flights-delay", Environment: "production", Bundle: digest("a"), Anchor: digest("a"),
		Verdict: verdict.Inconclusive, Exam: digest("e"),
		Sources: manifest.Sources{Bundle: "deploy/bundles/aaaaaaaaaaaa", Anchor: "deploy/bundles/aaaaaaaaaaaa"},
	}, m)
	for _, text := range []string{p.Title, p.Body, p.Message} {
		assert.NotContains(t, text, "PASS")
	}
	assert.Contains(t, p.Body, "not judged")
	parsed, ours := promote.ParseTrailers(p.Message)
	assert.True(t, ours)
	assert.Equal(t, p.Trailers, parsed)
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	d := decision()
	d.Present = &manifest.Manifest{Bundle: digest("b")}
	_, err := Plan(d, format)
	require.ErrorContains(t, err, "adopting is for an environment without a manifest")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	d = decision()
	d.Files["model.onnx"] = make([]byte, promote.MaxGitBytes+1)
	_, err = Plan(d, format)
	require.ErrorContains(t, err, "go into Git")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}
