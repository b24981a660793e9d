package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// shownRun is what a real run shows, each way of it.
type shownRun struct {
	code                           int
	text, page, markdown, runsList string
}

func showRun(t *testing.T, r gittest.Repository, flags ...string) shownRun {
	t.Helper()
	code, stdout, stderr := call(t, append([]string{"run", "-C", r.Dir}, flags...)...)
	_, list, _ := call(t, "runs", "list", "-C", r.Dir, "--limit", "1")
	lines := strings.Split(strings.TrimSpace(list), "\n")
	require.Greater(t, len(lines), 1, stderr)
	id, _, _ := strings.Cut(lines[1], " ")
	dir := filepath.Join(r.Dir, ".dosirak", "runs", id)
	html, err := os.ReadFile(filepath.Join(dir, evidence.Page))
	require.NoError(t, err, stderr)
	text, err := os.ReadFile(filepath.Join(dir, evidence.Markdown))
	require.NoError(t, err)
	return shownRun{code, strings.Join(strings.Fields(stdout), " "), string(html), string(text), lines[1]}
}

// section is the part of the page below the heading with the given id.
func (s shownRun) section(t *testing.T, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(s.page, `<section id="`+id+`">`)
	require.True(t, found, "the page has no section %s", id)
	part, _, _ := strings.Cut(rest, "</section>")
	return part
}

// headed checks that each rendering leads with the outcome and its own sign.
func (s shownRun) headed(t *testing.T, outcome, class, sign string) {
	t.Helper()
	assert.Contains(t, s.text, "["+outcome+"]")
	assert.True(t, strings.HasPrefix(s.markdown, "### "+sign+" "+outcome+" "), "%.80s", s.markdown)
	assert.Contains(t, s.page, "<title>"+outcome+": ")
	assert.Contains(t, s.page, `<header class="hero `+class+`">`)
	assert.Regexp(t, `\s`+outcome+`\s`, s.runsList)
}

// says checks that each rendering says all of texts.
func (s shownRun) says(t *testing.T, texts ...string) {
	t.Helper()
	for where, got := range map[string]string{"terminal": s.text, "page": s.page, "markdown": strings.ReplaceAll(s.markdown, `\`, "")} {
		for _, text := range texts {
			assert.Contains(t, got, text, where)
		}
	}
}

// What real runs show is true, in each rendering and whatever the outcome.
func TestWhatRealRunsShow(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)

	// A first model whose proposal is refused: its branch stands elsewhere.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	r.Git("branch", promotionBranch)
	r.Git("worktree", "add", "--quiet", elsewhere, promotionBranch)
	s := showRun(t, r, "--promote")
	assert.Equal(t, 2, s.code)
	s.headed(t, "PASS", "pass", "✅")
	s.says(t, "First model of this environment", "Propose this model", "dosirak promote ")
	assert.NotContains(t, s.page+s.markdown+s.text, "git merge")
	r.Git("worktree", "remove", elsewhere)
	r.Git("branch", "-D", promotionBranch)

	// Promoted: nobody is told to propose what is proposed.
	s = showRun(t, r, "--promote")
	assert.Equal(t, 0, s.code)
	s.headed(t, "PASS", "pass", "✅")
	s.says(t, "git merge "+promotionBranch)
	assert.NotContains(t, s.page+s.markdown+s.text, "dosirak promote ")
	r.Git("merge", "--quiet", "--no-edit", promotionBranch)

	// From here on each change is a branch of its own.
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.Repository{T: t, Dir: r.Dir}
			dir := filepath.Join(t.TempDir(), "change")
			r.Git("worktree", "add", "--quiet", "-b", strings.ReplaceAll(change.name, " ", "-"), dir)
			r.Dir = dir
			if len(change.config) > 0 {
				rows := projecttest.EvalRows(t)
				fewer := rows[:strings.LastIndex(strings.TrimSpace(rows), "\n")+1]
				r.Commit(change.name, map[string]string{"data/fewer.csv": fewer, "dosirak.yaml": strings.NewReplacer(change.config...).Replace(projecttest.MiniConfig)})
			}
			s := showRun(t, r)
			assert.Equal(t, change.code, s.code, s.text)
			change.check(t, s)
			for _, never := range []string{"floors and ceilings decided", "nobody can tell", "git merge"} {
				assert.NotContains(t, s.page+s.markdown+s.text, never)
			}
		})
	}
}

// changes are made once the first model is merged.
var changes = []struct {
	name   string
	config []string // what is replaced in the config, and by what
	code   int
	check  func(t *testing.T, s shownRun)
}{
	{"nothing", nil, 0, func(t *testing.T, s shownRun) {
		s.headed(t, "UNCHANGED", "same", "➖")
		s.says(t, "Nothing to do")
		assert.NotContains(t, s.runsList, "PASS")
	}},
	{"missed floor", []string{"seeds: [1, 2]", "seeds: [2, 1]", "accuracy, direction: higher, margin: 0.3", "accuracy, direction: higher, margin: 0.3, floor: 0.99"}, 1, func(t *testing.T, s shownRun) {
		s.headed(t, "FAIL", "fail", "❌")
		s.says(t, "under its floor of 0.99")
		assert.Equal(t, map[string]string{"roc_auc": "✓", "accuracy": "✗"}, boundMarks(t, s))
	}},
	{"other rows", []string{"seeds: [1, 2]", "seeds: [2, 1]", "eval: data/eval.csv", "eval: data/fewer.csv"}, 0, func(t *testing.T, s shownRun) {
		s.headed(t, "PASS", "pass", "✅")
		s.says(t, "The exam was changed", "--acknowledge-exam")
		exam := s.section(t, "exam")
		assert.Contains(t, exam, "sha256:")
		assert.NotRegexp(t, `<td>[^<]{40,}</td>`, exam, "what is long wraps")
	}},
	{"kept floor", []string{"seeds: [1, 2]", "seeds: [2, 1]", "roc_auc, direction: higher, margin: 0.3", "roc_auc, direction: higher, margin: 0"}, 3, func(t *testing.T, s shownRun) {
		s.headed(t, "INCONCLUSIVE", "unclear", "❔")
		s.says(t, "roc_auc is inconclusive")
		assert.Equal(t, map[string]string{"roc_auc": "✓"}, boundMarks(t, s), "the margin is what cannot be told")
	}},
	{"other seed", []string{"seeds: [1, 2]", "seeds: [2, 1]"}, 0, func(t *testing.T, s shownRun) {
		s.headed(t, "PASS", "pass", "✅")
		s.says(t, "Not worse than the baseline", "ropose this model", "dosirak promote ")
		changed := s.section(t, "different")
		assert.Contains(t, changed, "seed")
		assert.NotContains(t, changed, "deploy/")
		assert.NotContains(t, changed, "dosirak.yaml")
		boxes := proofBoxes(s.section(t, "determinism"))
		require.Len(t, boxes, 2)
		assert.Regexp(t, `^[0-9a-f]{12}$`, boxes[0])
		assert.Equal(t, boxes[0], boxes[1], "the same bytes")
	}},
	// The model's notes (doc_string, field 6 of ModelProto) hold the time.
	{"unseeded", []string{"seeds: [1, 2]", "seeds: [2, 1]", "command: cp models/{seed}.onnx {out}/model.onnx",
		"command: >-\n    { cat models/{seed}.onnx; printf '2\\012%s' $(date +%s%N | tail -c 11); } > {out}/model.onnx\n  reproduce: bitwise"}, 1, func(t *testing.T, s shownRun) {
		s.headed(t, "FAIL", "fail", "❌")
		s.says(t, "was trained twice and gave different bytes")
		boxes := proofBoxes(s.section(t, "determinism"))
		require.Len(t, boxes, 2)
		assert.NotEqual(t, boxes[0], boxes[1])
	}},
}

var boundRow = regexp.MustCompile(`(?s)<span class="sign[^>]*>(.)</span><div><b>([^<]*)</b>`)

// boundMarks are the marks under "Floors and ceilings", by metric.
func boundMarks(t *testing.T, s shownRun) map[string]string {
	t.Helper()
	_, part, found := strings.Cut(s.section(t, "metrics"), "<h3>Floors and ceilings</h3>")
	require.True(t, found)
	part, _, _ = strings.Cut(part, "<details")
	out := map[string]string{}
	for _, m := range boundRow.FindAllStringSubmatch(part, -1) {
		out[m[2]] = m[1]
	}
	return out
}

// proofBoxes are what the page says of the two trainings.
func proofBoxes(section string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`training</small><code>([^<]*)</code>`).FindAllStringSubmatch(section, -1) {
		out = append(out, m[1])
	}
	return out
}
