package main

import (
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

// reportFile writes a report as a job left it.
func reportFile(t *testing.T, r *report.Report) string {
	t.Helper()
	r.Run.Model, r.Run.Environment = "flights-delay", "production"
	data, err := report.Encode(r)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

// The comment says what works where it is read, and no more than there is to
// say.
func TestCommentIsForItsReader(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	head := s.clone.Git("rev-parse", "HEAD")
	number := s.hub.OpenPull("ada", "", "better", head)
	s.onJudge(s.ours(), "better", head, "completed", "success")
	say := func(inputs map[string]string) string {
		t.Helper()
		inputs["directory"] = s.clone.Dir
		got := s.act("comment", inputs)
		require.Equal(t, 0, got.code, got.log)
		comments := s.hub.Comments(number)
		if len(comments) == 0 {
			return ""
		}
		return comments[0].Body
	}
	unchanged := reporttest.Unchanged()
	require.Equal(t, verdict.Pass, unchanged.Verdict)
	assert.Empty(t, say(map[string]string{"report": reportFile(t, unchanged)}), "unchanged, and nothing was said before: no comment")

	body := say(map[string]string{"report": reportFile(t, reporttest.Pass()), "artifact": "dosirak-report-flights-delay"})
	assert.Contains(t, body, "Merge: main trains again and opens the promotion")
	assert.NotContains(t, body, "dosirak promote ", "that run is gone with its runner")
	assert.Contains(t, body, "artifact `dosirak-report-flights-delay`")
	assert.Contains(t, body, "(https://github.com/acme/flights/commit/", "commits are links")

	body = say(map[string]string{"report": reportFile(t, reporttest.Fail()), "artifact": "dosirak-report-flights-delay"})
	assert.Contains(t, body, "`gh run download 7 -n dosirak-report-flights-delay -D report && dosirak explain report/report.json ")
	assert.NotContains(t, body, "dosirak explain 2026")

	body = say(map[string]string{"report": reportFile(t, unchanged), "artifact": "dosirak-report-flights-delay"})
	assert.Contains(t, body, "UNCHANGED")
	assert.NotContains(t, body, "<details>", "one line")

	// A name that could be more than a name is left out.
	body = say(map[string]string{"report": reportFile(t, reporttest.Fail()), "artifact": "x; rm -rf ~"})
	assert.NotContains(t, body, "rm -rf")
}

// A change that could not be judged is told why; the reason may be written by
// anybody.
func TestCommentSaysWhyThereIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	head := s.clone.Git("rev-parse", "HEAD")
	number := s.hub.OpenPull("ada", "", "better", head)
	s.onJudge(s.ours(), "better", head, "completed", "failure")
	reason := filepath.Join(t.TempDir(), "reason.txt")
	require.NoError(t, os.WriteFile(reason, []byte("run 7 left no artifact; @everyone [click](https://evil.test) <img src=x> `x` #1"), 0o644))
	for range 2 {
		got := s.act("comment", map[string]string{"directory": s.clone.Dir, "report": "nowhere.json", "reason": reason, "change": "model", "outcome": "failure"})
		require.Equal(t, 0, got.code, got.log)
	}
	assert.Equal(t, "error", s.hub.Statuses(head)[statusContext].State)
	require.Len(t, s.hub.Comments(number), 1)
	body := s.hub.Comments(number)[0].Body
	assert.Contains(t, body, "NO VERDICT")
	assert.Contains(t, body, "run 7 left no artifact")
	assert.Contains(t, body, "[the run that trains](https://github.com/acme/flights/actions/runs/7)")
	for _, hostile := range []string{"@everyone", "](https://evil", "<img", "#1"} {
		assert.NotContains(t, body, hostile)
	}
	// Once it is judged, the same comment says the verdict.
	got := s.act("comment", map[string]string{"directory": s.clone.Dir, "report": reportFile(t, reporttest.Pass())})
	require.Equal(t, 0, got.code, got.log)
	assert.Contains(t, s.hub.Comments(number)[0].Body, "PASS")
}

// What fails tells the next job why, in one line.
func TestActionsLeaveTheirReason(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.onJudge(s.ours(), "better", s.clone.Git("rev-parse", "HEAD"), "completed", "failure")
	for name, inputs := range map[string]map[string]string{
		"download": {"model": "flights-delay", "out": filepath.Join(t.TempDir(), "x")},
		"gather":   {"from": t.TempDir(), "out": filepath.Join(t.TempDir(), "y")},
		"compare":  {"directory": s.clone.Dir, "trained": t.TempDir()},
	} {
		got := s.act(name, inputs)
		assert.NotZero(t, got.code, name)
		assert.NotEmpty(t, got.outputs["reason"], name)
		assert.NotContains(t, got.outputs["reason"], "\n")
		assert.Less(t, len(strings.Fields(got.outputs["reason"])), 200)
	}
}
