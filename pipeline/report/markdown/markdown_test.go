package markdown

import (
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		for kind, render := range map[string]func(*report.Report, Options) string{"comment": Comment, "summary": Summary} {
			t.Run(c.Name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				got := render(c.Report, Options{Page: "https://github.com/acme/flights/actions/runs/7"})
				path := filepath.Join("testdata", c.Name+"."+kind+".md")
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err, "run go test with -update once")
				assert.Equal(t, string(want), got)
			})
		}
	}
}

// ownTags are the only tags that a rendering writes itself.
var ownTags = map[string]bool{
	"<code>": true, "</code>": true, "<details>": true, "<details open>": true, "</details>": true,
	"<summary>": true, "</summary>": true, "<sub>": true, "</sub>": true,
}

var (
	tag      = regexp.MustCompile(`<[^>]*>`)
	codeText = regexp.MustCompile("<code>[^<]*</code>|`[^`\n]*`")
	// What GitHub looks for in rendered text (outside code).
	mention   = regexp.MustCompile(`@[A-Za-z0-9]`)
	reference = regexp.MustCompile(`#[0-9]|(?i:gh-[0-9])`)
	address   = regexp.MustCompile(`(?i)https?://|www\.[a-z]|[a-z0-9]@[a-z0-9]`)
	// What Markdown reads as structure: none of it may come from outside. "|"
	// is counted per row below.
	structure = regexp.MustCompile(`[\\*~\[\]{}$<>]|\b_|_\b`)
)

func TestOutsideTextDoesNothing(t *testing.T) {
	t.Parallel()
	r := reporttest.Hostile()
	for i, text := range []string{Comment(r, Options{}), Summary(r, Options{}), Comment(r, Options{Limit: 6000}), Comment(r, Options{Limit: 2500})} {
		for _, found := range tag.FindAllString(text, -1) {
			assert.True(t, ownTags[found], "form %d writes the tag %q", i, found)
		}
		columns := 0
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.HasPrefix(line, "|") {
				columns = 0
			} else if n := strings.Count(line, "|"); columns == 0 {
				columns = n
			} else {
				assert.Equal(t, columns, n, "a row with another number of cells: %s", line)
			}
			bare := tag.ReplaceAllString(codeText.ReplaceAllString(line, ""), "")
			own := strings.TrimPrefix(strings.ReplaceAll(bare, "**", ""), "> ")
			assert.NotRegexp(t, structure, own, "structure from outside")
			shown := html.UnescapeString(bare)
			for _, p := range []*regexp.Regexp{mention, reference, address} {
				assert.NotRegexp(t, p, shown)
			}
			for _, c := range []string{"\u202E", "\u2066", "\u200B"} {
				assert.NotContains(t, line, c)
			}
		}
		assert.Equal(t, strings.Count(text, "<details"), strings.Count(text, "</details>"))
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range reporttest.HostileText {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = string(report.NewProse(s))
		var b strings.Builder
		prose(&b, s)
		require.NotRegexp(t, structure, b.String())
		require.NotContains(t, b.String(), "|")
		require.NotContains(t, b.String(), "`")
		shown := html.UnescapeString(b.String())
		require.NotRegexp(t, mention, shown)
		require.NotRegexp(t, reference, shown)
		require.NotRegexp(t, address, shown)
		require.Equal(t, s, strings.ReplaceAll(shown, "\u200B", ""), "it reads as itself")
		b.Reset()
		code(&b, s)
		if inner, ok := strings.CutPrefix(b.String(), "<code>"); ok && strings.HasSuffix(inner, "</code>") {
			inner = strings.TrimSuffix(inner, "</code>")
			require.NotRegexp(t, "[`|<>\\\\*_\\[\\]]", inner)
		} else {
			require.NotContains(t, strings.Trim(b.String(), "`"), "`")
			require.NotRegexp(t, "[|<]", b.String())
		}
	})
}

func TestLadder(t *testing.T) {
	t.Parallel()
	r := reporttest.ManySlices(200, 20)
	last := ""
	for _, limit := range []int{SummaryLimit, CommentLimit, 20_000, 8_000, 2_000, 700, 300} {
		text := Comment(r, Options{Limit: limit})
		assert.LessOrEqual(t, len(text), limit)
		assert.True(t, strings.HasPrefix(text, "### ❌ FAIL · `flights-delay` → `production`\n"), "the verdict is on every rung")
		if last != "" {
			assert.LessOrEqual(t, len(text), len(last))
		}
		last = text
	}
	assert.Contains(t, last, "Shortened")
	assert.NotContains(t, Comment(reporttest.Pass(), Options{}), "Shortened")
}

func TestPageLink(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://github.com/acme/x/actions/runs/7": "https://github.com/acme/x/actions/runs/7",
		"https://x.example/a)b|c":                  "https://x.example/a%29b%7Cc",
		"http://x.example":                         "",
		"javascript:alert(1)":                      "",
		"https://user:pw@x.example":                "",
		"report.html":                              "",
	} {
		assert.Equal(t, want, pageURL(in))
	}
}

func BenchmarkComment(b *testing.B) {
	for _, levels := range []int{1, 10, 100} {
		r := reporttest.ManySlices(200, levels)
		b.Run(fmt.Sprintf("metrics=200/slices=%d", 200*levels), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Comment(r, Options{})
			}
		})
	}
}
