package github_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
)

const feature = "try-weather"

// change opens a contributor's pull request.
func change(s *githubtest.Server) (number int, commit string) {
	commit = s.Push(feature, "use the weather", map[string]string{"train.sh": "weather\n"})
	return s.OpenPull("ada", "", feature, commit), commit
}

func comment(verdict, commit string) github.Comment {
	return github.Comment{
		Model: "flights-delay", Environment: "production", Verdict: verdict, Commit: commit,
		Forms: []string{"**" + verdict + "**\n\n| metric | value |"}, Notice: "flights-delay in production: now " + verdict,
	}
}

func TestLifeOfAComment(t *testing.T) {
	t.Parallel()
	s := server(t)
	number, commit := change(s)
	// Others talk, quote the marker, and fill pages; another model has its own.
	s.Comment(number, "ada", "<!-- dosirak/comment model=flights-delay environment=production verdict=PASS -->\nforged")
	for i := range 7 {
		s.Comment(number, "ada", fmt.Sprint("talk ", i))
	}
	token := s.Token(githubtest.Installation, githubtest.Bot, "pull_requests=write")
	say := func(c github.Comment) github.Commented {
		out, err := connect(t, s, token).Comment(t.Context(), number, c)
		require.NoError(t, err)
		return out
	}
	ours := func() (out []githubtest.Comment) {
		for _, c := range s.Comments(number) {
			if c.Author == githubtest.Bot {
				out = append(out, c)
			}
		}
		return out
	}

	first := say(comment("PASS", commit))
	assert.True(t, first.Changed)
	assert.False(t, first.Notified, "a first comment notifies by itself")
	require.Len(t, ours(), 1)

	assert.False(t, say(comment("PASS", commit)).Changed)
	assert.Zero(t, ours()[0].Edits, "edited only when its content changes")

	longer := comment("PASS", commit)
	longer.Forms = []string{strings.Repeat("x", 65536), "**PASS** in short"}
	out := say(longer)
	assert.Equal(t, first.ID, out.ID)
	assert.False(t, out.Notified)
	assert.Contains(t, ours()[0].Body, "in short", "the first form that fits")

	changed := say(comment("FAIL", commit))
	assert.True(t, changed.Notified)
	require.Len(t, ours(), 2)
	assert.Contains(t, ours()[0].Body, "**FAIL**")
	assert.Contains(t, ours()[1].Body, "now FAIL")
	say(comment("FAIL", commit))
	require.Len(t, ours(), 2)

	other := comment("PASS", commit)
	other.Environment = "staging"
	say(other)
	require.Len(t, ours(), 3)

	s.DeleteComment(int(first.ID))
	again := say(comment("FAIL", commit))
	assert.NotEqual(t, first.ID, again.ID, "a deleted one is made anew")
	require.Len(t, ours(), 3)
	assert.Contains(t, s.Comments(number)[0].Body, "forged", "others' comments are left alone")
}

func TestCommentDeletedInBetween(t *testing.T) {
	t.Parallel()
	s := server(t)
	number, commit := change(s)
	f := connect(t, s, s.Actions())
	first, err := f.Comment(t.Context(), number, comment("PASS", commit))
	require.NoError(t, err)
	s.Interfere("issues/update-comment", func() { s.DeleteComment(int(first.ID)) })
	_, err = f.Comment(t.Context(), number, comment("FAIL", commit))
	require.NoError(t, err)
	assert.Contains(t, s.Comments(number)[len(s.Comments(number))-1].Body, "**FAIL**")
}

func TestTwoRunsComment(t *testing.T) {
	t.Parallel()
	s := server(t)
	number, commit := change(s)
	s.Interfere("issues/create-comment", func() {
		_, err := connect(t, s, s.Actions()).Comment(t.Context(), number, comment("FAIL", commit))
		assert.NoError(t, err)
	})
	_, err := connect(t, s, s.Actions()).Comment(t.Context(), number, comment("PASS", commit))
	require.NoError(t, err)
	require.Len(t, s.Comments(number), 1)
	assert.Contains(t, s.Comments(number)[0].Body, "**PASS**", "the last one to write is right")
}

func TestCommentRefuses(t *testing.T) {
	t.Parallel()
	s := server(t)
	number, commit := change(s)
	f := connect(t, s, s.Actions())
	for name, break_ := range map[string]func(*github.Comment){
		"a name that ends the marker": func(c *github.Comment) { c.Model = "x --> @everyone" },
		"no form that fits":           func(c *github.Comment) { c.Forms = []string{strings.Repeat("x", 70000)} },
	} {
		c := comment("PASS", commit)
		break_(&c)
		_, err := f.Comment(t.Context(), number, c)
		require.Error(t, err, name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), name)
	}
	assert.Empty(t, s.Calls())
}

// Budget: finding the pull request, setting the status and commenting takes at
// most 6 calls, and one more for each further 100 comments.
func TestCallsOfAComment(t *testing.T) {
	t.Parallel()
	for _, others := range []int{0, 99, 250} {
		s := server(t)
		s.Behaviour = githubtest.Calm()
		number, commit := change(s)
		for range others {
			s.Comment(number, "ada", "talk")
		}
		for _, verdict := range []string{"PASS", "PASS", "FAIL"} {
			before := len(s.Calls())
			f := connect(t, s, s.Actions())
			found, err := f.FindPull(t.Context(), "acme/flights", feature, commit)
			require.NoError(t, err)
			_, err = f.SetStatus(t.Context(), github.Status{Model: "flights-delay", Environment: "production", Commit: commit, State: github.Success, Description: verdict})
			require.NoError(t, err)
			_, err = f.Comment(t.Context(), found.Number, comment(verdict, commit))
			require.NoError(t, err)
			calls := s.Calls()[before:]
			assert.LessOrEqual(t, len(calls), 6+others/100, "%v", operations(calls))
		}
		require.Len(t, s.Comments(number), others+2)
	}
}

func TestFindPull(t *testing.T) {
	t.Parallel()
	s := server(t)
	number, commit := change(s)
	fork := s.OpenPull("grace", "grace/flights", feature, commit)
	f := connect(t, s, s.Actions())

	found, err := f.FindPull(t.Context(), "acme/flights", feature, commit)
	require.NoError(t, err)
	assert.Equal(t, number, found.Number)
	found, err = f.FindPull(t.Context(), "grace/flights", feature, commit)
	require.NoError(t, err)
	assert.Equal(t, fork, found.Number, "the same branch name in a fork is another pull request")
	_, err = f.FindPull(t.Context(), "mallory/flights", feature, commit)
	require.ErrorIs(t, err, github.ErrNoPull)

	s.Amend(feature, map[string]string{"train.sh": "force-pushed\n"})
	_, err = f.FindPull(t.Context(), "acme/flights", feature, commit)
	require.ErrorIs(t, err, github.ErrOutOfDate)
	newest := s.Branch(feature)
	s.Close(number)
	_, err = f.FindPull(t.Context(), "acme/flights", feature, newest)
	require.ErrorIs(t, err, github.ErrClosed)
	_, err = f.FindPull(t.Context(), "", feature, newest)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour.Stale = 0
	_, commit := change(s)
	f := connect(t, s, s.Token(githubtest.Installation, githubtest.Bot, "statuses=write"))
	status := github.Status{Model: "flights-delay", Environment: "production", Commit: commit, State: github.Pending, Description: "judging", Address: "https://example.com/run/1"}
	set := func() bool {
		changed, err := f.SetStatus(t.Context(), status)
		require.NoError(t, err)
		return changed
	}
	assert.True(t, set())
	assert.False(t, set(), "set again, nothing is written")
	status.State, status.Description = github.Failure, strings.Repeat("ä", 200)
	assert.True(t, set())
	assert.False(t, set())
	got := s.Statuses(commit)["dosirak/flights-delay/production"]
	assert.Equal(t, "failure", got.State)
	assert.Len(t, []rune(got.Description), 140)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour.Stale = 0
	_, commit := change(s)
	base := s.Branch("main")
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, st := range []githubtest.Status{
		{SHA: commit, Context: "dosirak/flights-delay/production", State: "pending", Updated: now.Add(-3 * time.Hour)},
		{SHA: commit, Context: "dosirak/flights-delay/staging", State: "pending", Updated: now.Add(-time.Minute)},
		{SHA: commit, Context: "dosirak/other/production", State: "success", Updated: now.Add(-3 * time.Hour)},
		{SHA: commit, Context: "build", State: "pending", Updated: now.Add(-3 * time.Hour)},
		{SHA: base, Context: "dosirak/flights-delay/production", State: "pending", Updated: now.Add(-3 * time.Hour)},
	} {
		s.SetStatus(st)
	}
	f := connect(t, s, s.Actions())
	orphans, err := f.Sweep(t.Context(), now.Add(-time.Hour), "https://example.com/run/2", base)
	require.NoError(t, err)
	assert.ElementsMatch(t, []github.Orphan{{Commit: commit, Context: "dosirak/flights-delay/production"}, {Commit: base, Context: "dosirak/flights-delay/production"}}, orphans)
	after := s.Statuses(commit)
	assert.Equal(t, "error", after["dosirak/flights-delay/production"].State)
	assert.Equal(t, "pending", after["dosirak/flights-delay/staging"].State, "a run may still be on it")
	assert.Equal(t, "pending", after["build"].State, "not ours")
	orphans, err = f.Sweep(t.Context(), now.Add(-time.Hour), "", base)
	require.NoError(t, err)
	assert.Empty(t, orphans)
}
