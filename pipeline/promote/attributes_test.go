package promote

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAttributes(t *testing.T) {
	t.Parallel()
	const lines = "/production.yaml -text -ident -filter !working-tree-encoding\n/bundles/** -text -ident -filter !working-tree-encoding\n/evidence/** -text -ident -filter !working-tree-encoding\n"
	first := string(attributes(nil, "deploy/production.yaml"))
	assert.True(t, strings.HasPrefix(first, "# dosirak: "))
	assert.True(t, strings.HasSuffix(first, lines), first)
	assert.Nil(t, attributes([]byte(first), "deploy/production.yaml"), "it is said once")
	assert.Equal(t, first+"/staging.yaml -text -ident -filter !working-tree-encoding\n", string(attributes([]byte(first), "deploy/staging.yaml")), "another environment")
	assert.Equal(t, "*.yaml text\n"+first, string(attributes([]byte("*.yaml text"), "deploy/production.yaml")), "the team's lines stay, and lose")
	assert.Nil(t, attributes([]byte(strings.ReplaceAll(first, "\n", "\r\n")), "deploy/production.yaml"))
}
