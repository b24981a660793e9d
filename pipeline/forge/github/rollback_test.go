package github_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const rollbackBranch = "dosirak/rollback/flights-delay/production"

// returning proposes the return to bundle c.
func returning(ctx context.Context, f *github.Forge, c string) (promote.Outcome, error) {
	version := func(c string) rollback.Version {
		return rollback.Version{Commit: c, Text: []byte("bundle: " + c + "\n"), Manifest: manifest.Manifest{
			Model: "flights-delay", Environment: "production", Bundle: digest(c), Exam: digest("e"), Verdict: verdict.Pass,
		}}
	}
	return rollback.Propose(ctx, f, rollback.Plan(rollback.Choice{Now: version("f"), Back: version(c)}, "deploy/production.yaml", "main"))
}

func returns(t *testing.T, s *githubtest.Server, c string) {
	t.Helper()
	open := s.OpenPulls()
	require.Len(t, open, 1)
	assert.Equal(t, rollbackBranch, open[0].Head)
	assert.Contains(t, open[0].Body, digest(c))
	assert.Equal(t, "bundle: "+c, s.File(rollbackBranch, "deploy/production.yaml"))
	assert.Equal(t, s.Branch(rollbackBranch), open[0].Commit)
	assert.Empty(t, s.Branch("dosirak/draft/flights-delay/production"))
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s := server(t)
	f := connect(t, s, s.Actions())
	must := func(c string) promote.Outcome {
		t.Helper()
		out, err := returning(t.Context(), f, c)
		require.NoError(t, err)
		return out
	}
	assert.Equal(t, promote.Created, must("a").Operation)
	assert.Equal(t, promote.Unchanged, must("a").Operation)
	returns(t, s, "a")
	assert.Equal(t, promote.Updated, must("b").Operation, "another one is asked for")
	returns(t, s, "b")

	// Somebody thought better of it, and now needs it after all: no label is
	// asked for in an incident.
	s.Close(s.OpenPulls()[0].Number)
	assert.Equal(t, promote.Created, must("b").Operation)
	returns(t, s, "b")
}

// Killed at any call of a rollback, before or after its effect, and run again:
// one pull request, and what a human did meanwhile stays.
func TestRollbackCrashMatrix(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]string{"first": "", "another": "a"} {
		for kindName, kind := range map[string]githubtest.Kind{"installation": githubtest.Installation, "personal": githubtest.Personal} {
			t.Run(name+"/"+kindName, func(t *testing.T) {
				t.Parallel()
				for _, when := range []githubtest.When{githubtest.Before, githubtest.After} {
					for n := 1; ; n++ {
						s := server(t)
						s.Behaviour = githubtest.Calm()
						token := s.Token(kind, "robot", "contents=write", "pull_requests=write")
						if prepare != "" {
							_, err := returning(t.Context(), connect(t, s, token), prepare)
							require.NoError(t, err)
						}
						s.FailCall(n, githubtest.Fault{When: when, Dead: true})
						_, err := returning(t.Context(), connect(t, s, token), "b")
						if !s.Revive() {
							require.NoError(t, err)
							require.Greater(t, n, 5)
							break
						}
						require.Error(t, err)
						_, err = returning(t.Context(), connect(t, s, token), "b")
						require.NoError(t, err)
						returns(t, s, "b")
						assert.Len(t, s.Pulls(), 1, fmt.Sprintf("killed at call %d", n))

						commit := s.Push(rollbackBranch, "by hand", map[string]string{"by": "hand\n"})
						out, err := returning(t.Context(), connect(t, s, token), "c")
						require.NoError(t, err)
						assert.Equal(t, promote.Stopped, out.Operation)
						assert.Equal(t, commit, s.Branch(rollbackBranch))
					}
				}
			})
		}
	}
}
