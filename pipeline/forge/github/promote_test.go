package github_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// The whole life on a bad day, for a token that gets signatures from the Git
// Data API and for one that does not.
func TestLifeOfAPromotion(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]githubtest.Kind{"installation": githubtest.Installation, "personal": githubtest.Personal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			f := connect(t, s, s.Token(kind, "robot", "contents=write", "pull_requests=write"), func(o *github.Options) {
				o.Labels, o.Reviewers, o.Teams = []string{"model"}, []string{"ada"}, []string{"ml"}
			})

			out := propose(t, f, "a")
			assert.Equal(t, promote.Created, out.Operation)
			assert.Empty(t, out.Warnings)
			proposes(t, s, "a")
			assert.True(t, s.Verified(out.Commit), "GitHub signs the commit")
			assert.Equal(t, []string{"model"}, s.Pulls()[0].Labels)
			assert.Equal(t, []string{"ada", "ml"}, s.Pulls()[0].Reviewers)
			assert.Empty(t, s.Branch("dosirak/draft/flights-delay/production"))

			again := propose(t, f, "a")
			assert.Equal(t, promote.Unchanged, again.Operation)
			assert.Equal(t, out.Address, again.Address)
			assert.Equal(t, out.Commit, s.Branch(branch))

			s.Push("main", "work goes on", map[string]string{"notes.txt": "x\n"})
			assert.Equal(t, promote.Unchanged, propose(t, f, "a").Operation, "a base that moves on changes nothing")

			newer := propose(t, f, "b")
			assert.Equal(t, promote.Updated, newer.Operation)
			assert.Equal(t, out.Number, newer.Number, "replaced in place")
			proposes(t, s, "b")
			assert.Equal(t, "x", s.File(branch, "notes.txt"), "on the newest base")

			clone := t.TempDir()
			text, err := exec.Command("git", "clone", "--quiet", "--branch", branch, s.Dir, clone).CombinedOutput()
			require.NoError(t, err, "%s", text)

			gone := withdraw(t, f)
			assert.Equal(t, promote.Withdrawn, gone.Operation)
			assert.Empty(t, s.OpenPulls())
			assert.Empty(t, s.Branch(branch))
			require.Len(t, s.Comments(out.Number), 1)
			assert.Contains(t, s.Comments(out.Number)[0].Body, "the newest commit of main is FAIL")
			assert.Equal(t, promote.Unchanged, withdraw(t, f).Operation)

			back := propose(t, f, "b")
			assert.Equal(t, promote.Created, back.Operation, "what dosirak itself withdrew may come again")
			proposes(t, s, "b")

			s.Merge(back.Number, false)
			merged := propose(t, f, "b")
			assert.Equal(t, promote.Unchanged, merged.Operation)
			assert.Contains(t, merged.Reason, "holds this bundle")
			assert.Empty(t, s.OpenPulls())

			next := propose(t, f, "c")
			assert.Equal(t, promote.Created, next.Operation, "a merged branch starts afresh")
			proposes(t, s, "c")
			s.Merge(next.Number, true)
			squashed := propose(t, f, "d")
			assert.Equal(t, promote.Created, squashed.Operation, "a squashed one too")
			assert.NotEqual(t, next.Number, squashed.Number)
			proposes(t, s, "d")
		})
	}
}

func TestHumanCommitStopsTheBot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		touch  func(s *githubtest.Server) string
		reason string
	}{
		{"pushed on top", func(s *githubtest.Server) string {
			return s.Push(branch, "by hand", map[string]string{"deploy/production.yaml": "mine\n"})
		}, "a commit that dosirak did not make"},
		{"amended, trailers and all", func(s *githubtest.Server) string {
			return s.Amend(branch, map[string]string{"deploy/production.yaml": "mine\n"})
		}, "a commit that somebody rewrote"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			f := connect(t, s, s.Actions())
			out := propose(t, f, "a")
			commit := tt.touch(s)
			for range 2 {
				stopped := propose(t, f, "b")
				assert.Equal(t, promote.Stopped, stopped.Operation)
				assert.Contains(t, stopped.Reason, tt.reason)
				assert.Equal(t, promote.Stopped, withdraw(t, f).Operation)
			}
			assert.Equal(t, commit, s.Branch(branch), "the human's commit is still there")
			require.Len(t, s.OpenPulls(), 1)
			require.Len(t, s.Comments(out.Number), 1, "said, and said once")
			assert.Contains(t, s.Comments(out.Number)[0].Body, tt.reason)

			s.Merge(out.Number, true)
			assert.Equal(t, promote.Created, propose(t, f, "c").Operation, "merging it hands the branch back")
			proposes(t, s, "c")
		})
	}
}

func TestClosedByAHuman(t *testing.T) {
	t.Parallel()
	s := server(t)
	f := connect(t, s, s.Actions())
	first := propose(t, f, "a")
	s.Close(first.Number)

	declined := propose(t, f, "a")
	assert.Equal(t, promote.Declined, declined.Operation)
	assert.Contains(t, declined.Reason, first.Address)
	assert.Empty(t, s.OpenPulls())
	assert.Equal(t, promote.Unchanged, withdraw(t, f).Operation)
	assert.Equal(t, first.Commit, s.Branch(branch), "the branch stays, for reopening")

	require.True(t, s.Reopen(first.Number))
	assert.Equal(t, promote.Unchanged, propose(t, f, "a").Operation)
	s.Close(first.Number)

	other := propose(t, f, "b")
	assert.Equal(t, promote.Created, other.Operation, "another bundle is another question")
	proposes(t, s, "b")
	s.Close(other.Number)
	s.SetBranch(branch, "")
	assert.Equal(t, promote.Declined, propose(t, f, "a").Operation, "remembered without the branch, and past a newer one")
	assert.Equal(t, promote.Declined, propose(t, f, "b").Operation)

	latest := propose(t, f, "c")
	assert.Equal(t, promote.Created, latest.Operation)
	s.Settle()
	assert.Equal(t, promote.Declined, propose(t, f, "a").Operation)
	assert.Empty(t, s.OpenPulls(), "what is not the newest any more does not stay open")
	assert.Contains(t, s.Comments(latest.Number)[0].Body, "was declined in "+first.Address)

	s.Label(first.Number, promote.Again)
	assert.Equal(t, promote.Created, propose(t, f, "a").Operation)
	proposes(t, s, "a")
}

func TestForksOfTheSameNameDoNotCount(t *testing.T) {
	t.Parallel()
	s := server(t)
	f := connect(t, s, s.Actions())
	first := propose(t, f, "a")
	withdraw(t, f)
	for range 3 {
		n := s.OpenPull("mallory", "mallory/flights", branch, first.Commit)
		s.Close(n)
	}
	s.OpenPull("mallory", "mallory/flights", branch, first.Commit)
	assert.Equal(t, promote.Created, propose(t, f, "a").Operation, "a fork cannot decline for us")
	proposes(t, s, "a")
}

func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	t.Run("a human pushes just before the branch moves", func(t *testing.T) {
		t.Parallel()
		s := server(t)
		f := connect(t, s, s.Actions())
		propose(t, f, "a")
		var commit string
		s.Interfere("updateRefs", func() { commit = s.Push(branch, "by hand", map[string]string{"x": "y\n"}) })
		assert.Equal(t, promote.Stopped, propose(t, f, "b").Operation)
		assert.Equal(t, commit, s.Branch(branch))
	})
	t.Run("a human pushes just before a withdrawal", func(t *testing.T) {
		t.Parallel()
		s := server(t)
		f := connect(t, s, s.Actions())
		propose(t, f, "a")
		var commit string
		s.Interfere("updateRefs", func() { commit = s.Push(branch, "by hand", map[string]string{"x": "y\n"}) })
		assert.Equal(t, promote.Stopped, withdraw(t, f).Operation)
		assert.Equal(t, commit, s.Branch(branch))
		assert.Len(t, s.OpenPulls(), 1)
	})
	for _, operation := range []string{"repos/get-branch", "git/create-commit", "updateRefs", "pulls/create"} {
		t.Run("another run proposes the same before "+operation, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			other := connect(t, s, s.Actions())
			s.Interfere(operation, func() { propose(t, other, "a") })
			propose(t, connect(t, s, s.Actions()), "a")
			proposes(t, s, "a")
		})
	}
	for _, operation := range []string{"updateRefs", "createCommitOnBranch"} {
		t.Run("on a draft, before "+operation, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			token := s.Token(githubtest.Personal, "robot", "contents=write", "pull_requests=write")
			s.Interfere(operation, func() { propose(t, connect(t, s, token), "a") })
			propose(t, connect(t, s, token), "a")
			proposes(t, s, "a")
			assert.Empty(t, s.Branch("dosirak/draft/flights-delay/production"))
		})
	}
}

// Budgets, counted on a calm day: a promotion is opened in at most 14 calls,
// left unchanged in at most 5.
func TestCallsOfAPromotion(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]githubtest.Kind{"installation": githubtest.Installation, "personal": githubtest.Personal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			s.Behaviour = githubtest.Calm()
			token := s.Token(kind, "robot", "contents=write", "pull_requests=write")
			fresh := func() *github.Forge {
				return connect(t, s, token, func(o *github.Options) { o.Labels, o.Reviewers = []string{"model"}, []string{"ada"} })
			}
			count := func(do func()) int {
				before := len(s.Calls())
				do()
				t.Logf("%d calls: %v", len(s.Calls())-before, operations(s.Calls()[before:]))
				return len(s.Calls()) - before
			}
			assert.LessOrEqual(t, count(func() { propose(t, fresh(), "a") }), 14, "opening")
			assert.LessOrEqual(t, count(func() { propose(t, fresh(), "a") }), 5, "unchanged")
			s.Push("main", "work goes on", map[string]string{"notes.txt": "x\n"})
			assert.LessOrEqual(t, count(func() { propose(t, fresh(), "a") }), 5, "unchanged, the base moved on")
			assert.LessOrEqual(t, count(func() { propose(t, fresh(), "b") }), 14, "replacing")
			assert.LessOrEqual(t, count(func() { withdraw(t, fresh()) }), 14, "withdrawing")
		})
	}
}

func operations(calls []githubtest.Call) (names []string) {
	for _, c := range calls {
		names = append(names, c.Operation)
	}
	return names
}
