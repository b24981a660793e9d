package github_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const branch = "dosirak/promote/flights-delay/production"

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// proposal promotes the bundle sha256:ccc…, binary weights included.
func proposal(t require.TestingT, c string) promote.Proposal {
	p, err := promote.Plan(promote.Decision{
		Manifest: manifest.Manifest{
			Schema: manifest.Schema, Model: "flights-delay", Environment: "production",
			Bundle: digest(c), Verdict: verdict.Pass, Exam: digest("e"),
		},
		ManifestPath: "deploy/production.yaml",
		Base:         "main",
		Bundle:       map[string][]byte{"bundle.json": []byte("{}"), "model.onnx": []byte("\xff\x00" + c), "golden.json": []byte("[]")},
		Evidence:     map[string][]byte{"report.json": []byte("{}"), "candidate.parquet": []byte("\xfePAR1"), "baseline.parquet": []byte("\xfdPAR1")},
		ReportDigest: digest("d"),
	}, func(m manifest.Manifest) ([]byte, error) { return []byte("bundle: " + m.Bundle + "\n"), nil })
	require.NoError(t, err)
	return p
}

func server(t *testing.T) *githubtest.Server {
	t.Helper()
	return githubtest.New(t, map[string]string{"train.sh": "true\n"})
}

// connect opens a forge whose waiting takes no time.
func connect(t testing.TB, s *githubtest.Server, token string, change ...func(*github.Options)) *github.Forge {
	t.Helper()
	o := github.Options{
		API: s.URL, Repository: s.Owner + "/" + s.Name, Token: token,
		Sleep:  func(ctx context.Context, d time.Duration) error { s.Pass(d); return ctx.Err() },
		Now:    s.Clock,
		Jitter: func() float64 { return 0.5 },
	}
	for _, c := range change {
		c(&o)
	}
	f, err := github.New(o)
	require.NoError(t, err)
	return f
}

func propose(t *testing.T, f *github.Forge, c string) promote.Outcome {
	t.Helper()
	out, err := promote.Propose(t.Context(), f, proposal(t, c))
	require.NoError(t, err)
	return out
}

func withdraw(t *testing.T, f *github.Forge) promote.Outcome {
	t.Helper()
	out, err := promote.Withdraw(t.Context(), f, branch, "main", "the newest commit of main is FAIL")
	require.NoError(t, err)
	return out
}

// proposes asserts that exactly one pull request is open, and that it is this
// proposal: one commit on the base with just its files.
func proposes(t *testing.T, s *githubtest.Server, c string) {
	t.Helper()
	open := s.OpenPulls()
	require.Len(t, open, 1)
	p := proposal(t, c)
	assert.Equal(t, p.Branch, open[0].Head)
	assert.Equal(t, p.Title, open[0].Title)
	assert.Contains(t, open[0].Body, digest(c))
	assert.Equal(t, s.Branch(branch), open[0].Commit)
	for path, content := range p.Files {
		assert.Equal(t, strings.TrimSpace(string(content)), s.File(branch, path), path)
	}
	assert.Equal(t, "true", s.File(branch, "train.sh"), "the base's own files stay")
}
