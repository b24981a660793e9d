package markdown

import (
	"cmp"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

// cmark renders Markdown by GitHub's own parser, raw HTML let through.
const cmark = `import sys, cmarkgfm
from cmarkgfm.cmark import Options
sys.stdout.buffer.write(cmarkgfm.github_flavored_markdown_to_html(sys.stdin.buffer.read().decode(), options=Options.CMARK_OPT_UNSAFE).encode())`

// TestByGitHubsParser asks cmark-gfm (PyPI cmarkgfm) whether outside text
// becomes anything but text. DOSIRAK_PYTHON names an interpreter that has it.
func TestByGitHubsParser(t *testing.T) {
	t.Parallel()
	python := cmp.Or(os.Getenv("DOSIRAK_PYTHON"), "python3")
	if err := exec.CommandContext(t.Context(), python, "-c", "import cmarkgfm").Run(); err != nil {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "cmarkgfm") {
			require.NoError(t, err, "%s has no cmarkgfm, and DOSIRAK_REQUIRE names it", python)
		}
		t.Skipf("%s has no cmarkgfm; DOSIRAK_REQUIRE=cmarkgfm makes this a failure", python)
	}
	own := map[string]bool{}
	for _, name := range strings.Fields("code details h3 li p strong sub summary table tbody td th thead tr ul blockquote") {
		own[name] = true
	}
	element := regexp.MustCompile(`<\s*/?\s*([a-zA-Z!][a-zA-Z0-9]*)`)
	for _, c := range reporttest.Cases() {
		for form, render := range map[string]func(*report.Report, Options) string{"comment": Comment, "summary": Summary} {
			cmd := exec.CommandContext(t.Context(), python, "-c", cmark)
			cmd.Stdin = strings.NewReader(render(c.Report, Options{}))
			out, err := cmd.Output()
			require.NoError(t, err)
			for _, m := range element.FindAllStringSubmatch(string(out), -1) {
				assert.True(t, own[m[1]], "%s of %s holds the element %s", form, c.Name, m[1])
			}
		}
	}
}
