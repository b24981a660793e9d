package page

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
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

// The style sheet is left out of the golden files: it is long, and a file of
// its own already.
var styleElement = regexp.MustCompile(`(?s)<style>(.*?)</style>`)

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			whole, err := Render(c.Report)
			require.NoError(t, err)
			got := regexp.MustCompile(`sha256-([A-Za-z0-9/=]|&#43;)+`).ReplaceAll(styleElement.ReplaceAll(whole, []byte("<style></style>")), []byte("sha256-x"))
			path := filepath.Join("testdata", c.Name+".html")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run go test with -update once")
			assert.Equal(t, string(want), string(got))
		})
	}
}

// TestPolicyNamesTheStyleSheet: the hash is that of what stands in the page.
func TestPolicyNamesTheStyleSheet(t *testing.T) {
	t.Parallel()
	whole, err := Render(reporttest.Pass())
	require.NoError(t, err)
	found := styleElement.FindSubmatch(whole)
	require.NotNil(t, found)
	sum := sha256.Sum256(found[1])
	assert.Contains(t, policy(), base64.StdEncoding.EncodeToString(sum[:]))
}

// TestNothingFromOutside: no element that loads or runs, no attribute that
// does, whatever the report's text.
func TestNothingFromOutside(t *testing.T) {
	t.Parallel()
	for _, c := range reporttest.Cases() {
		whole, err := Render(c.Report)
		require.NoError(t, err)
		text := styleElement.ReplaceAllString(string(whole), "")
		assert.NotRegexp(t, `(?i)<(script|img|iframe|link|object|embed|form|base|a|image|use|foreignObject|video|audio)\b`, text, c.Name)
		for _, tag := range regexp.MustCompile(`<[a-zA-Z][^>]*>`).FindAllString(text, -1) {
			bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`)
			assert.NotRegexp(t, `(?i)\s(on\w+|href|src|style|xlink:href|action|srcset)\s*=`, bare, c.Name)
		}
		assert.NotContains(t, text, "ZgotmplZ", "html/template refused a value")
	}
}

func TestMinus(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "long-haul 2013-10-02 (−3.98..−2.40%) −1 GH-45 --x", minus("long-haul 2013-10-02 (-3.98..-2.40%) -1 GH-45 --x"))
}

func BenchmarkRender(b *testing.B) {
	r := reporttest.ManySlices(200, 10)
	for b.Loop() {
		if _, err := Render(r); err != nil {
			b.Fatal(err)
		}
	}
}

// Only the first of two trainings is sealed: the second is never shown by the
// first one's digest where they differ.
func TestProofShowsEachDigestOnce(t *testing.T) {
	t.Parallel()
	digest := report.Digest("sha256:" + strings.Repeat("ab", 32))
	for kind, want := range map[report.DeterminismKind][2]string{
		report.Identical:        {"abababababab", "abababababab"},
		report.Different:        {"abababababab", "other bytes"},
		report.EqualPredictions: {"abababababab", "other bytes"},
	} {
		r := reporttest.Pass()
		r.Determinism = &report.Determinism{Kind: kind, First: digest}
		if kind == report.Identical {
			r.Determinism.Second = digest
		}
		v := viewOf(r)
		assert.Equal(t, want, [2]string{v.Determinism.First, v.Determinism.Second}, kind)
	}
}
