package project_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Two models in one repository: what dosirak writes for either is no input of
// any, and what only looks like it is.
func TestOwnFiles(t *testing.T) {
	t.Parallel()
	const config = `version: 1
model: shop
task: binary
train: {command: "true {seed}"}
data: {train: a.csv, eval: b.csv, label: y, positive: "1"}
metrics: [{name: accuracy, floor: 0.1}]
promote: {environments: [staging, production], manifest: "deploy/shop/{environment}.yaml"}
`
	r := gittest.New(t, map[string]string{
		"dosirak.yaml": config, "cart.yaml": config, "nested/dosirak.yaml": "version: 1\nmodel: cart\n# cut off",
		"nested/deploy/production.yaml": "# ours\nschema: dosirak/manifest/v1\nmodel: cart\n",
		"helm/values.yaml":              "version: 1\nmodel: big\n", "params.yaml": "task: binary\nmodel: x\n", "broken.yaml": "schema: [\n",
	})
	p, err := project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	own, err := p.OwnFiles(t.Context())
	require.NoError(t, err)
	for _, name := range []string{"**/dosirak.yaml", "dosirak.yaml", "cart.yaml", "**/dosirak.lock", ".github/**", "deploy/shop/staging.yaml", "deploy/shop/production.yaml", "deploy/shop/.gitattributes", "nested/deploy/production.yaml", "nested/deploy/.gitattributes"} {
		assert.Contains(t, own, name)
	}
	for _, name := range []string{"helm/values.yaml", "params.yaml", "broken.yaml", "deploy/**"} {
		assert.NotContains(t, own, name)
	}
}
