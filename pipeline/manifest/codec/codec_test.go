package codec_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

var update = flag.Bool("update", false, "write the golden files")

func format(t *testing.T, m manifest.Manifest) []byte {
	t.Helper()
	text, err := codec.Format(m)
	require.NoError(t, err)
	return text
}

func digest(r string) string { return "sha256:" + strings.Repeat(r, 64) }

func number(v float64) *float64 { return &v }

func flightsManifest() manifest.Manifest {
	return manifest.Manifest{
		Schema: manifest.Schema, Model: "flights-delay", Environment: "production",
		Bundle: digest("a"), Image: "ghcr.io/acme/flights-delay@" + digest("b"), Verdict: verdict.Pass, Improved: true,
		Metrics: []manifest.Metric{
			{Name: "roc_auc", Candidate: number(0.642), Baseline: number(0.62), Improvement: number(0.022), Low: number(0.0151), High: number(0.0289), Margin: "0.01"},
			{Name: "log_loss", Candidate: number(0.45), Baseline: number(0.46), Improvement: number(0.01), Low: number(0), High: number(0.02), Margin: "2%"},
			{Name: "ece"},
		},
		Replaces: digest("c"), Anchor: digest("d"), Exam: digest("e"), Commit: strings.Repeat("0", 40),
		Sources:  manifest.Sources{Bundle: "deploy/bundles/aaaa", Evidence: "deploy/evidence/aaaa", EvidenceDigest: digest("f")},
		Registry: &manifest.Registry{Kind: "mlflow", Model: "flights-delay", Version: "3"},
	}
}

func TestManifestGolden(t *testing.T) {
	t.Parallel()
	text := format(t, flightsManifest())
	const golden = "testdata/manifest.yaml"
	if *update {
		require.NoError(t, os.WriteFile(golden, text, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(text))

	m, err := codec.Parse(golden, text)
	require.NoError(t, err)
	assert.Equal(t, flightsManifest(), m)
}

func TestManifestErrors(t *testing.T) {
	t.Parallel()
	good := string(format(t, flightsManifest()))
	for _, c := range []struct{ from, to, want string }{
		{"bundle: sha256:aa", "bundel: sha256:aa", `m.yaml:6:1: unknown key "bundel"; did you mean "bundle"?`},
		{"bundle: sha256:aa", "bundle: sha256:a", `m.yaml: bundle "sha256:`},
		{"verdict: PASS", "verdict: GOOD", `m.yaml: verdict is "GOOD", not PASS, FAIL or INCONCLUSIVE`},
		{"improved: true", "improved: maybe", `m.yaml:9:11: improved: is the text "maybe", expected true or false`},
		{"dosirak/manifest/v1", "dosirak/manifest/v2", `m.yaml: schema is "dosirak/manifest/v2", this release knows "dosirak/manifest/v1"`},
		{"model: flights-delay", "model: a\nmodel: b", `m.yaml:5:1: key "model" is given twice; the first is on line 4`},
		{"margin: 2%", "margin: !!str 2%", `tags (!) are not supported`},
		{"candidate: 0.642", "candidate: .nan", `expected a finite number`},
		{good, "", `m.yaml:1:1: the file is empty`},
	} {
		require.Contains(t, good, c.from)
		_, err := codec.Parse("m.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
		if assert.ErrorContains(t, err, c.want) {
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		}
	}
}

// Any manifest is read back as it was, whatever its texts look like to YAML.
func TestManifestRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(
		rapid.StringMatching(`[a-z][a-z0-9._/-]{0,12}`),
		rapid.SampledFrom([]string{"1", "007", "1e5", "true", "no", "null", "~", "3.10", "0x1F", "2%", "- a", "a: b", "#c", "'q'", `"`, `\`, " lead", "trail ", "é 도시락", "{a}", "[b]", "&x", "*y", "!z", "%", "@", "`", "?", "a #b", "0o17", "1_000", ".inf", ".nan", "2013-01-01", "12:30", "=", "<<", "a:", "|", ">", "-", "---", "...", "a\tb"}),
	)
	float := rapid.Custom(func(t *rapid.T) *float64 {
		if rapid.IntRange(0, 4).Draw(t, "nil") == 0 {
			return nil
		}
		v := rapid.OneOf(rapid.Float64Range(-1e300, 1e300), rapid.SampledFrom([]float64{0, 1, -1, 0.1, 1e-9, 1e21, 123456789, 5e-324, 0.3000000000000004})).Draw(t, "v")
		return &v
	})
	path := rapid.StringMatching(`([a-z0-9#:' -]{1,6}/){0,3}[a-z0-9é%&*!]{1,6}`)
	hex := rapid.StringMatching(`[0-9a-f]{64}`)
	rapid.Check(t, func(t *rapid.T) {
		m := manifest.Manifest{
			Schema: manifest.Schema, Model: text.Draw(t, "model"), Environment: text.Draw(t, "environment"),
			Bundle: "sha256:" + hex.Draw(t, "bundle"), Exam: "sha256:" + hex.Draw(t, "exam"), Image: text.Draw(t, "image"),
			Verdict: rapid.SampledFrom([]verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive}).Draw(t, "verdict"), Improved: rapid.Bool().Draw(t, "improved"),
			Commit: rapid.StringMatching(`[0-9a-f]{40}|[0-9]{40}|[0-9]{7}|[0-9]e[0-9]{3}`).Draw(t, "commit"), Sources: manifest.Sources{Bundle: path.Draw(t, "source"), Evidence: path.Draw(t, "evidence")},
			Metrics: []manifest.Metric{},
		}
		for range rapid.IntRange(0, 4).Draw(t, "metrics") {
			m.Metrics = append(m.Metrics, manifest.Metric{Name: text.Draw(t, "name"), Candidate: float.Draw(t, "c"), Baseline: float.Draw(t, "b"), Low: float.Draw(t, "l"), Margin: text.Draw(t, "margin")})
		}
		if rapid.Bool().Draw(t, "registry") {
			m.Registry = &manifest.Registry{Kind: text.Draw(t, "kind"), Model: text.Draw(t, "m"), Version: text.Draw(t, "version")}
		}
		written, err := codec.Format(m)
		require.NoError(t, err)
		got, err := codec.Parse("m.yaml", written)
		require.NoError(t, err, "%s", written)
		require.Equal(t, m, got)
		again, err := codec.Format(got)
		require.NoError(t, err)
		require.Equal(t, written, again)

		// Other tools read the same texts as texts.
		var other struct {
			Model   string
			Commit  any
			Image   any
			Metrics []struct{ Name, Margin any }
		}
		require.NoError(t, yaml.Unmarshal(written, &other), "%s", written)
		require.Equal(t, m.Model, other.Model)
		require.Equal(t, m.Commit, other.Commit)
		require.Equal(t, m.Image, other.Image)
		for i, metric := range m.Metrics {
			require.Equal(t, metric.Name, other.Metrics[i].Name)
			require.Equal(t, metric.Margin, other.Metrics[i].Margin)
		}
	})
}
