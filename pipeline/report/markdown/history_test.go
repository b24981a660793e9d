package markdown

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/reporttest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func commit(c string) report.Commit { return report.Commit(strings.Repeat(c, 40)) }

// at is r as it was judged at another commit.
func at(r *report.Report, c string) *report.Report {
	r.Run.Commit = commit(c)
	return r
}

// past is what four runs came to, newest first.
func past() []Past {
	var out []Past
	for _, r := range []*report.Report{at(reporttest.Fail(), "a"), at(reporttest.Irreproducible(), "b"), at(reporttest.Inconclusive(), "c"), at(reporttest.Hostile(), "d")} {
		out = append(out, PastOf(r))
	}
	return out
}

func TestHistoryGolden(t *testing.T) {
	t.Parallel()
	got := Comment(reporttest.Pass(), Options{History: past(), Remember: true})
	path := filepath.Join("testdata", "history.comment.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test with -update once")
	assert.Equal(t, string(want), got)
}

func TestPastOf(t *testing.T) {
	t.Parallel()
	p := PastOf(at(reporttest.Fail(), "a"))
	assert.Equal(t, verdict.Fail, p.Verdict)
	assert.Equal(t, report.Text("log_loss is worse than the baseline by 3.19% (-3.98..-2.40%), beyond the margin of 2%."), p.Line)
	assert.Equal(t, report.Name("roc_auc"), p.Metric)
	require.NotNil(t, p.InMargins)
	assert.InDelta(t, 3.38, *p.InMargins, 1e-9)
	for _, r := range []*report.Report{reporttest.Bare(), reporttest.Unchanged(), reporttest.FirstModel()} {
		assert.Nil(t, PastOf(r).InMargins)
	}
}

// TestHistoryRoundTrip: what a comment is rendered from its own history is the
// same comment, so judging a commit again edits nothing.
func TestHistoryRoundTrip(t *testing.T) {
	t.Parallel()
	first := Comment(at(reporttest.Fail(), "a"), Options{Remember: true})
	assert.NotContains(t, first, "Earlier runs")
	recalled := Recall(first)
	require.Len(t, recalled, 1)
	assert.Equal(t, PastOf(at(reporttest.Fail(), "a")), recalled[0])

	body := first
	for _, c := range []string{"b", "c", "d"} {
		body = Comment(at(reporttest.Pass(), c), Options{History: Recall(body), Remember: true})
		assert.Equal(t, body, Comment(at(reporttest.Pass(), c), Options{History: Recall(strings.ReplaceAll(body, "\n", "\r\n")), Remember: true}))
	}
	assert.Contains(t, body, "Earlier runs of this pull request (3)")
	assert.Contains(t, body, "line [3.38, 3.38, 3.38, 3.38]")
	assert.Equal(t, []report.Commit{commit("d"), commit("c"), commit("b"), commit("a")}, commits(Recall(body)))

	// A commit that comes back moves to the front, and stands there once.
	body = Comment(at(reporttest.Pass(), "b"), Options{History: Recall(body), Remember: true})
	assert.Equal(t, []report.Commit{commit("b"), commit("d"), commit("c"), commit("a")}, commits(Recall(body)))
}

func commits(history []Past) []report.Commit {
	var out []report.Commit
	for _, p := range history {
		out = append(out, p.Commit)
	}
	return out
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	var history []Past
	for _, c := range "0123456789abcdef" {
		history = append(history, PastOf(at(reporttest.Hostile(), string(c))))
	}
	r := at(reporttest.ManySlices(200, 20), "e")
	for _, limit := range []int{SummaryLimit, CommentLimit - 512, 20_000, 8_000, 2_000, 300} {
		text := Comment(r, Options{Limit: limit, History: history, Remember: true})
		assert.LessOrEqual(t, len(text), limit)
		kept := len(Recall(text))
		assert.Equal(t, limit >= 20_000, kept == MaxHistory+1, "%d are kept in %d", kept, limit)
		assert.Equal(t, limit >= 2_000, kept > 0, "%d are kept in %d", kept, limit)
	}
	assert.NotContains(t, Comment(at(reporttest.Pass(), ""), Options{Remember: true}), "dosirak/history", "no commit")
	assert.NotContains(t, Comment(reporttest.Pass(), Options{History: past()}), "dosirak/history", "not asked for")
}

// TestRecallRefuses: the comment may have been edited by anyone who may.
func TestRecallRefuses(t *testing.T) {
	t.Parallel()
	line := func(json string) string {
		return "x\n<!-- dosirak/history " + base64.StdEncoding.EncodeToString([]byte(json)) + " -->\n"
	}
	good := `{"commit":"` + strings.Repeat("a", 40) + `","verdict":"PASS","line":"fine"}`
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"nothing":         {"", 0},
		"good":            {line("[" + good + "]"), 1},
		"no base64":       {"<!-- dosirak/history ===== -->", 0},
		"no JSON":         {line("<html>"), 0},
		"an object":       {line(good), 0},
		"within a line":   {"x <!-- dosirak/history " + base64.StdEncoding.EncodeToString([]byte("["+good+"]")) + " --> y", 0},
		"a branch":        {line(strings.ReplaceAll("["+good+"]", strings.Repeat("a", 40), "main")), 0},
		"another verdict": {line(strings.ReplaceAll("["+good+"]", "PASS", "pass")), 0},
		"a metric":        {line(`[{"commit":"` + strings.Repeat("a", 40) + `","verdict":"PASS","metric":"a\"]\nclick","in_margins":1}]`), 0},
		"one of two":      {line(`[{"commit":"x"},` + good + "]"), 1},
		"the last counts": {line("[]") + line("["+good+"]"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Len(t, Recall(c.body), c.want)
		})
	}
	hostile := Recall(line(`[{"commit":"` + strings.Repeat("a", 40) + `","verdict":"PASS","line":"a\u202e\nb -->"}]`))
	require.Len(t, hostile, 1)
	assert.Equal(t, report.Text("a b -->"), hostile[0].Line)
}

func FuzzRecall(f *testing.F) {
	f.Add(Comment(reporttest.Pass(), Options{History: past(), Remember: true}))
	f.Fuzz(func(t *testing.T, body string) {
		history := Recall(body)
		again := Comment(reporttest.Pass(), Options{History: history, Remember: true})
		require.Equal(t, again, Comment(reporttest.Pass(), Options{History: Recall(again), Remember: true}))
	})
}
