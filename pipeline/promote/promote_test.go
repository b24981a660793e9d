package promote

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func ptr(v float64) *float64 { return &v }

func decision() Decision {
	return Decision{
		Manifest: manifest.Manifest{
			Schema: manifest.Schema, Model: "flights-delay", Environment: "production",
			Bundle: digest("a"), Replaces: digest("b"), Anchor: digest("b"), Exam: digest("e"),
			Image: "ghcr.io/acme/flights-delay@" + digest("f"), Verdict: verdict.Pass, Commit: strings.Repeat("1", 40),
			Metrics: []manifest.Metric{
				{Name: "roc_auc", Candidate: ptr(0.62345), Baseline: ptr(0.61), Improvement: ptr(0.01345), Low: ptr(0.005), High: ptr(0.02), Margin: "0.01"},
				{Name: "log_loss", Candidate: ptr(0.5086), Baseline: ptr(0.5095), Improvement: ptr(0.0009), Low: ptr(-0.0003776), High: ptr(0.003884), Margin: "2%"},
				{Name: "accuracy", Candidate: ptr(0.78), Floor: ptr(0.7), ValueLow: ptr(0.771), ValueHigh: ptr(0.789)},
				{Name: "ece", Candidate: ptr(0.03)},
			},
		},
		ManifestPath: "deploy/production.yaml", Base: "main",
		Bundle:       map[string][]byte{"bundle.json": []byte("{}"), "model.onnx": []byte("weights")},
		Evidence:     map[string][]byte{"report.json": []byte("{}")},
		ReportDigest: digest("d"), AnchorSource: "deploy/bundles/bbbbbbbbbbbb",
	}
}

func formatJSON(m manifest.Manifest) ([]byte, error) { return json.MarshalIndent(m, "", "  ") }

func TestPlan(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	assert.Equal(t, "dosirak/promote/flights-delay/production", p.Branch)
	assert.Equal(t, []string{
		"deploy/.gitattributes", "deploy/bundles/aaaaaaaaaaaa/bundle.json", "deploy/bundles/aaaaaaaaaaaa/model.onnx",
		"deploy/evidence/production/aaaaaaaaaaaa/report.json", "deploy/production.yaml",
	}, p.Paths())

	var written manifest.Manifest
	require.NoError(t, json.Unmarshal(p.Files["deploy/production.yaml"], &written))
	assert.Equal(t, manifest.Sources{
		Bundle: "deploy/bundles/aaaaaaaaaaaa", Anchor: "deploy/bundles/bbbbbbbbbbbb",
		Evidence: "deploy/evidence/production/aaaaaaaaaaaa", EvidenceDigest: digest("d"),
	}, written.Sources)

	for name, got := range map[string]string{"body.md": p.Body, "message.txt": p.Message} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, path)
	}

	parsed, ours := ParseTrailers(p.Message)
	assert.True(t, ours)
	assert.Equal(t, p.Trailers, parsed)
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(d *Decision)
		message string
	}{
		{"no digest", func(d *Decision) { d.Manifest.Bundle = "aaaa" }, "is not the digest of a bundle"},
		{"no exam", func(d *Decision) { d.Manifest.Exam = "" }, "exam"},
		{"too large for Git", func(d *Decision) { d.Bundle["model.onnx"] = make([]byte, MaxGitBytes+1) }, "at most 10 MB go into Git"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := decision()
			tt.change(&d)
			_, err := Plan(d, formatJSON)
			require.ErrorContains(t, err, tt.message)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

func TestTrailersOfOthers(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"", "fix a typo", "Merge branch 'main'\n\nSigned-off-by: x\n", "Dosirak-Bundle: quoted in the text\n\nbut not a trailer"} {
		_, ours := ParseTrailers(message)
		assert.False(t, ours, "%q", message)
	}
}

// A forge that loses the race for the branch reports it, and the outcome
// claims nothing.
func TestProposeReportsLostRace(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	_, err = Propose(t.Context(), &Fake{BaseCommit: "base", MoveErr: errors.New("moved by somebody else")}, p)
	assert.ErrorContains(t, err, "moved by somebody else")
}

func TestProposeNeverMovesPastForeignCommits(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	fake := &Fake{BaseCommit: "base", Current: &Head{Commit: "human", Messages: []string{"mine", p.Message}}}
	out, err := Propose(context.Background(), fake, p)
	require.NoError(t, err)
	assert.Equal(t, Stopped, out.Operation)
	assert.Empty(t, fake.Moves)
}
