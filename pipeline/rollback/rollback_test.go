package rollback

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// version is the manifest of bundle "a…"; equal names are equal texts.
func version(name string) Version {
	auc := 0.5 + float64(name[0]-'a')/100
	return Version{Commit: strings.Repeat(name[:1], 40), Text: []byte("bundle: " + name + "\n"), Manifest: manifest.Manifest{
		Model: "flights-delay", Environment: "production", Bundle: digest(name[:1]), Exam: digest("e"), Verdict: verdict.Pass,
		Metrics: []manifest.Metric{{Name: "roc_auc", Candidate: &auc}}, Sources: manifest.Sources{Evidence: "deploy/evidence"},
	}}
}

// history is versions from newest to oldest, "c b a".
func history(names string) (out []Version) {
	for _, name := range strings.Fields(names) {
		out = append(out, version(name))
	}
	return out
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		history, to, back string
		incomplete        bool
		says              string
	}{
		{history: "c b a", back: "b"},
		{history: "b c b a", back: "a"},             // rolled back once: twice goes back twice
		{history: "a b c b a", says: "first model"}, // and to the end
		{history: "d b c b a", back: "b"},           // promoted after a rollback
		{history: "c2 b c b a", back: "b"},          // promoted again, by another judgement
		{history: "c2 c b a", back: "b"},            // the text changed, the bundle did not
		{history: "c b a", to: digest("a"), back: "a"},
		{history: "c b a", to: "aaaaaa", back: "a"},
		{history: "c a2 b a", to: "aaaaaa", back: "a2"}, // the newest of them
		{history: "b c b a", to: "cccccc", back: "c"},   // forward again, when it is named
		{history: "c b a", to: "ffffff", says: "never ran such a bundle"},
		{history: "c b a", to: "ffffff", incomplete: true, says: "fetch-depth: 0"},
		{history: "c b a", to: "aaa", says: "at least 6 digits"},
		{history: "c b a", to: "latest", says: "at least 6 digits"},
		{history: "c b a", to: "../../aaaaaa", says: "at least 6 digits"},
		{history: "c b a", to: "cccccc", says: ErrRunning.Error()},
		{history: "a", says: "first model"},
		{history: "a", incomplete: true, says: "git fetch --unshallow"},
		{history: "", says: "nothing was promoted"},
	} {
		c, err := Choose(history(tt.history), !tt.incomplete, tt.to)
		if tt.says != "" {
			require.ErrorContains(t, err, tt.says, "%+v", tt)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			continue
		}
		require.NoError(t, err, "%+v", tt)
		assert.Equal(t, "bundle: "+tt.back+"\n", string(c.Back.Text), "%+v", tt)
		assert.Equal(t, tt.history[:1], string(c.Now.Commit[:1]))
	}
	ambiguous := history("c b a")
	ambiguous[1].Manifest.Bundle = "sha256:aaaaaa" + strings.Repeat("b", 58)
	_, err := Choose(ambiguous, true, "aaaaaa")
	assert.ErrorContains(t, err, "give more digits")
}

// Against a reference that keeps a stack of promotions: whatever was promoted
// and rolled back before, a rollback leads to what the stack has below its
// top.
func TestChooseAgainstStack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var stack, log []Version // oldest first
		for i := range rapid.IntRange(1, 20).Draw(t, "steps") {
			if len(stack) > 1 && rapid.Bool().Draw(t, "roll back") {
				newestFirst := make([]Version, 0, len(log))
				for j := range log {
					newestFirst = append(newestFirst, log[len(log)-1-j])
				}
				c, err := Choose(newestFirst, true, "")
				require.NoError(t, err)
				stack = stack[:len(stack)-1]
				require.Equal(t, stack[len(stack)-1].Text, c.Back.Text)
				log = append(log, c.Back)
				continue
			}
			v := version(string(rune('a' + i%26)))
			v.Text = []byte(strings.Repeat("x", i+1)) // every promotion's own
			stack, log = append(stack, v), append(log, v)
		}
	})
}

func TestPlan(t *testing.T) {
	t.Parallel()
	back := version("b")
	back.Manifest.Sources.Evidence = ""
	p := Plan(Choice{Now: version("c"), Back: back}, "deploy/production.yaml", "main")
	assert.Equal(t, "dosirak/rollback/flights-delay/production", p.Branch)
	assert.Equal(t, map[string][]byte{"deploy/production.yaml": []byte("bundle: b\n")}, p.Files)
	for name, got := range map[string]string{"body.md": p.Body, "message.txt": p.Message} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, path)
	}
	parsed, ours := promote.ParseTrailers(p.Message)
	assert.True(t, ours)
	assert.Equal(t, p.Trailers, parsed)
	for _, text := range []string{p.Trailers.Bundle, p.Trailers.Exam, p.Trailers.Replaces} {
		assert.Contains(t, p.Body, text, "a pull request is found again by what its text names")
	}
}

// What somebody wrote into a manifest forges nothing.
func TestPlanOfAHostileManifest(t *testing.T) {
	t.Parallel()
	back := version("b")
	back.Manifest.Image = "x` @everyone <b>\n# PASS"
	back.Manifest.Commit = "abc\nDosirak-Bundle: " + digest("f")
	back.Manifest.Metrics = append(back.Manifest.Metrics, manifest.Metric{Name: "auc | `x`\n![](http://tracker)"}, manifest.Metric{Name: "\u202elive"})
	p := Plan(Choice{Now: version("c"), Back: back}, "deploy/production.yaml", "main")
	for _, text := range []string{"@everyone", "<b>", "tracker", "\u202e", digest("f")} {
		assert.NotContains(t, p.Body+p.Message, text)
	}
	parsed, _ := promote.ParseTrailers(p.Message)
	assert.Equal(t, digest("b"), parsed.Bundle)
}

func TestPropose(t *testing.T) {
	t.Parallel()
	p := Plan(Choice{Now: version("c"), Back: version("b")}, "deploy/production.yaml", "main")
	f := &promote.Fake{BaseCommit: "base"}
	out, err := Propose(context.Background(), f, p)
	require.NoError(t, err)
	assert.Equal(t, promote.Created, out.Operation)
	f.Current = &promote.Head{Commit: "proposed", Messages: []string{p.Message}}
	out, err = Propose(context.Background(), f, p)
	require.NoError(t, err)
	assert.Equal(t, promote.Unchanged, out.Operation)
	assert.Equal(t, []string{"proposed"}, f.Moves)
	f.Current.Messages = append([]string{"by hand"}, f.Current.Messages...)
	out, err = Propose(context.Background(), f, p)
	require.NoError(t, err)
	assert.Equal(t, promote.Stopped, out.Operation)
}
