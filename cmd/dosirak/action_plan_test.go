package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// promotedText is the manifest of a bundle that a commit trained.
func promotedText(environment, bundle, commit string) string {
	return manifestText(manifest.Manifest{
		Schema: manifest.Schema, Model: "flights-delay", Environment: environment, Bundle: "sha256:" + strings.Repeat(bundle, 64),
		Exam: "sha256:" + strings.Repeat("e", 64), Verdict: verdict.Pass, Commit: commit,
	})
}

// A push is judged from the newest commit whose model was proposed or promoted:
// GitHub cancels the run of a push that waits when another one comes.
func TestPlanLosesNoMergedChange(t *testing.T) {
	s := newStage(t)
	t.Chdir(s.clone.Dir)
	first := s.clone.Git("rev-parse", "HEAD")
	push := func(message string, files map[string]string) (before, after string) {
		before = s.clone.Git("rev-parse", "HEAD")
		return before, s.clone.Commit(message, files)
	}
	plan := func(before, after string) string {
		t.Helper()
		s.clone.Git("checkout", "--quiet", "--detach", after)
		s.on("push", map[string]any{"before": before})
		got := s.act("plan", nil)
		require.Equal(t, 0, got.code, got.log)
		var models struct{ Include []struct{ Change string } }
		require.NoError(t, json.Unmarshal([]byte(got.outputs["models"]), &models))
		s.clone.Git("checkout", "--quiet", "main")
		return models.Include[0].Change
	}

	before, after := push("a note before anything was promoted", map[string]string{"README.md": "1\n"})
	assert.Equal(t, "model", plan(before, after), "nothing was ever proposed")

	before, after = push("promoted", map[string]string{"deploy/production.yaml": promotedText("production", "a", first)})
	assert.Equal(t, "manifest", plan(before, after))
	before, after = push("a note", map[string]string{"README.md": "2\n"})
	assert.Equal(t, "none", plan(before, after))

	_, change := push("a change of the model, whose run is cancelled", map[string]string{"models/1.onnx": "x"})
	before, after = push("a note right after it", map[string]string{"README.md": "3\n"})
	assert.Equal(t, "model", plan(before, after), "the change before it is not lost")

	// Proposed: from there on it is looked at what comes.
	proposal := func(source string) {
		p, err := promote.Plan(promote.Decision{
			Manifest:     manifest.Manifest{Schema: manifest.Schema, Model: "flights-delay", Environment: "production", Bundle: "sha256:" + strings.Repeat("b", 64), Exam: "sha256:" + strings.Repeat("e", 64), Verdict: verdict.Pass, Commit: source},
			ManifestPath: "deploy/production.yaml", Base: "main", Bundle: map[string][]byte{"bundle.json": []byte("{}")},
		}, codec.Format)
		require.NoError(t, err)
		s.clone.Git("checkout", "--quiet", "--detach", source)
		commit := s.clone.Commit(p.Message, map[string]string{"deploy/production.yaml": string(p.Files["deploy/production.yaml"])})
		s.clone.Git("update-ref", "refs/remotes/origin/"+p.Branch, commit)
		s.clone.Git("checkout", "--quiet", "main")
	}
	s.clone.Git("reset", "--quiet", "--hard", change)
	proposal(change)
	before, after = push("a note while it is proposed", map[string]string{"README.md": "4\n"})
	assert.Equal(t, "none", plan(before, after))
	_, _ = push("another change", map[string]string{"models/2.onnx": "x"})
	before, after = push("and a note", map[string]string{"README.md": "5\n"})
	assert.Equal(t, "model", plan(before, after))

	// Promoted and rolled back: the manifest names the older commit again, and the
	// change that was rolled back is not trained anew for it.
	_, newer := push("again promoted", map[string]string{"deploy/production.yaml": promotedText("production", "c", s.clone.Git("rev-parse", "HEAD"))})
	before, after = push("rolled back", map[string]string{"deploy/production.yaml": promotedText("production", "a", first)})
	assert.Equal(t, newer, before)
	assert.Equal(t, "manifest", plan(before, after))
	before, after = push("a note after it", map[string]string{"README.md": "6\n"})
	assert.Equal(t, "none", plan(before, after))

	// History that was rewritten says nothing.
	before, after = push("a manifest of elsewhere", map[string]string{"deploy/production.yaml": promotedText("production", "d", strings.Repeat("d", 40))})
	assert.Equal(t, "manifest", plan(before, after))
}

// Production waits for what staging runs until it runs it, or it is proposed.
func TestPlanLosesNoPromotionToTheNextEnvironment(t *testing.T) {
	s := newStage(t, func(files map[string]string) {
		files["dosirak.yaml"] += "promote: {environments: [staging, production]}\n"
	})
	t.Chdir(s.clone.Dir)
	first := s.clone.Git("rev-parse", "HEAD")
	waits := func(message string, files map[string]string) string {
		t.Helper()
		before := s.clone.Git("rev-parse", "HEAD")
		s.clone.Commit(message, files)
		s.on("push", map[string]any{"before": before})
		got := s.act("plan", nil)
		require.Equal(t, 0, got.code, got.log)
		return got.outputs["has-next"]
	}
	assert.Equal(t, "false", waits("a note", map[string]string{"README.md": "1\n"}))
	assert.Equal(t, "true", waits("staging", map[string]string{"deploy/staging.yaml": promotedText("staging", "a", first)}))
	assert.Equal(t, "true", waits("a note, while the run before it was cancelled", map[string]string{"README.md": "2\n"}))
	assert.Equal(t, "false", waits("production", map[string]string{"deploy/production.yaml": promotedText("production", "a", first)}))
	assert.Equal(t, "false", waits("a note", map[string]string{"README.md": "3\n"}))
	assert.Equal(t, "true", waits("staging again", map[string]string{"deploy/staging.yaml": promotedText("staging", "b", first)}))
	head := s.clone.Git("rev-parse", "HEAD")
	s.clone.Git("checkout", "--quiet", "--detach", "main")
	proposed := s.clone.Commit("proposed", map[string]string{"deploy/production.yaml": promotedText("production", "b", first)})
	s.clone.Git("update-ref", "refs/remotes/origin/dosirak/promote/flights-delay/production", proposed)
	s.clone.Git("checkout", "--quiet", "main")
	require.Equal(t, head, s.clone.Git("rev-parse", "HEAD"))
	assert.Equal(t, "false", waits("a note while it is proposed", map[string]string{"README.md": "4\n"}))
	assert.Equal(t, "true", waits("a manifest that cannot be read is a job's to say", map[string]string{"deploy/staging.yaml": "x"}))
}
