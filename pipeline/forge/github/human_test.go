package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// The button "Update branch" merges the base into the proposal. It changes
// nothing that is proposed and hands the branch to nobody.
func TestUpdateBranch(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []githubtest.Behaviour{githubtest.Calm(), githubtest.Hostile()} {
		s := server(t)
		s.Behaviour = behaviour
		f := connect(t, s, s.Actions())
		out := propose(t, f, "a")
		for i := range 2 {
			s.Push("main", "work goes on", map[string]string{"notes.txt": string(rune('a' + i))})
			s.UpdateBranch(out.Number, nil)
			again := propose(t, f, "a")
			assert.Equal(t, promote.Unchanged, again.Operation, again.Reason)
			assert.Equal(t, out.Number, again.Number)
		}
		s.Push("main", "the base moves on", map[string]string{"notes.txt": "z"})
		newer := propose(t, f, "b")
		assert.Equal(t, promote.Updated, newer.Operation, "replaced in place")
		proposes(t, s, "b")
		s.UpdateBranch(out.Number, nil)
		assert.Equal(t, promote.Withdrawn, withdraw(t, f).Operation)
		assert.Empty(t, s.OpenPulls())
	}
}

// A merge in which somebody changed what is proposed, or anything else, is
// somebody's.
func TestUpdateBranchWithEdits(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string]map[string]string{
		"the manifest": {"deploy/production.yaml": "bundle: mine\n"}, "another file": {"train.sh": "false\n"}, "a new file": {"x": "y\n"},
	} {
		s := server(t)
		f := connect(t, s, s.Actions())
		out := propose(t, f, "a")
		s.Push("main", "work goes on", map[string]string{"notes.txt": "x\n"})
		commit := s.UpdateBranch(out.Number, edits)
		assert.Equal(t, promote.Stopped, propose(t, f, "b").Operation, name)
		assert.Equal(t, promote.Stopped, withdraw(t, f).Operation, name)
		assert.Equal(t, commit, s.Branch(branch), name)
	}
	// After an update a human's commit is a human's commit.
	s := server(t)
	f := connect(t, s, s.Actions())
	out := propose(t, f, "a")
	s.Push("main", "work goes on", map[string]string{"notes.txt": "x\n"})
	s.UpdateBranch(out.Number, nil)
	s.Push(branch, "by hand", map[string]string{"by": "hand\n"})
	assert.Equal(t, promote.Stopped, propose(t, f, "b").Operation)
}

// One reviewer who cannot be asked does not lose the others.
func TestReviewersOneByOne(t *testing.T) {
	t.Parallel()
	s := server(t)
	f := connect(t, s, s.Actions(), func(o *github.Options) {
		o.Reviewers, o.Teams = []string{"ada", "nobody", "grace"}, []string{"ml"}
	})
	out := propose(t, f, "a")
	require.Len(t, out.Warnings, 1)
	assert.Contains(t, out.Warnings[0], "asking nobody for a review")
	assert.Equal(t, []string{"ada", "grace", "ml"}, s.Pulls()[0].Reviewers)
}
