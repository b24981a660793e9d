package op

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the list of operators in docs/engine.md anew")

// docs/engine.md lists the operators that there are.
func TestOperatorsAreListed(t *testing.T) {
	t.Parallel()
	const path = "../../../../docs/engine.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	page := string(text)
	lists := map[string][]string{}
	for key := range operators {
		domain, name := key[0], key[1]
		if domain == "" {
			domain = "ai.onnx"
		}
		lists[domain] = append(lists[domain], "`"+name+"`")
	}
	for domain, names := range lists {
		slices.Sort(names)
		mark := "<!-- operators " + domain + " -->\n\n"
		before, rest, found := strings.Cut(page, mark)
		require.True(t, found, mark)
		_, after, _ := strings.Cut(rest, "\n\n")
		page = before + mark + strings.Join(names, ", ") + "\n\n" + after
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
		return
	}
	assert.Equal(t, page, string(text), "run go test ./model-server/engine/native/op -update")
}
