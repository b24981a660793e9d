package git_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

func TestChangedBetween(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"p/train.py": "a", "p/한글 name.py": "b", "p/gone.py": "c", "p/same.py": "d", "outside.py": "e"})
	first := r.Git("rev-parse", "HEAD")
	r.Git("rm", "--quiet", "p/gone.py")
	second := r.Commit("second", map[string]string{"p/train.py": "A", "p/한글 name.py": "B", "p/lib/new.py": "n", "outside.py": "E"})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)

	changes, err := repo.ChangedBetween(t.Context(), first, second)
	require.NoError(t, err)
	blob := func(object string) string { return r.Git("rev-parse", object) }
	assert.Equal(t, []git.FileChange{
		{Path: "gone.py", Old: blob(first + ":p/gone.py")},
		{Path: "lib/new.py", New: blob(second + ":p/lib/new.py")},
		{Path: "train.py", Old: blob(first + ":p/train.py"), New: blob(second + ":p/train.py")},
		{Path: "한글 name.py", Old: blob(first + ":p/한글 name.py"), New: blob(second + ":p/한글 name.py")},
	}, changes)

	changes, err = repo.ChangedBetween(t.Context(), second, second)
	require.NoError(t, err)
	assert.Empty(t, changes)

	_, err = repo.ChangedBetween(t.Context(), "0123456789012345678901234567890123456789", second)
	assert.ErrorIs(t, err, git.ErrNotFound, "a shallow clone lacks production's commit")
	_, err = repo.ChangedBetween(t.Context(), first, "--output=x")
	assert.ErrorIs(t, err, git.ErrNotFound)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = repo.ChangedBetween(cancelled, first, second)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestHistory(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"p/deploy/production.yaml": "one\n"})
	first := r.Git("rev-parse", "HEAD")
	r.Commit("elsewhere", map[string]string{"p/other.txt": "x"})
	// A promotion's branch that was rewritten twice before it was merged.
	r.Git("checkout", "--quiet", "-b", "promote")
	r.Commit("try", map[string]string{"p/deploy/production.yaml": "try\n"})
	r.Commit("try again", map[string]string{"p/deploy/production.yaml": "two\x00\nmissing\n"})
	r.Git("checkout", "--quiet", "main")
	r.Git("merge", "--quiet", "--no-ff", "--message", "merge", "promote")
	merge := r.Git("rev-parse", "HEAD")
	r.Git("rm", "--quiet", "p/deploy/production.yaml")
	r.Git("commit", "--quiet", "--message", "gone")
	last := r.Commit("back", map[string]string{"p/deploy/production.yaml": ""})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)

	h, err := repo.History(t.Context(), "main", "deploy/production.yaml", 100)
	require.NoError(t, err)
	assert.Equal(t, git.History{Complete: true, Versions: []git.Version{
		{Commit: last, Content: []byte{}},
		{Commit: merge, Content: []byte("two\x00\nmissing\n")},
		{Commit: first, Content: []byte("one\n")},
	}}, h)

	cut, err := repo.History(t.Context(), "main", "deploy/production.yaml", 3)
	require.NoError(t, err)
	assert.False(t, cut.Complete)
	assert.Len(t, cut.Versions, 2, "of the three newest commits one took the file away")

	none, err := repo.History(t.Context(), "main", "deploy/none.yaml", 3)
	require.NoError(t, err)
	assert.Equal(t, git.History{Complete: true}, none)

	for _, bad := range []string{"a\nb", "no-such-ref"} {
		ref, path := "main", bad
		if bad == "no-such-ref" {
			ref, path = bad, "x"
		}
		_, err = repo.History(t.Context(), ref, path, 3)
		assert.ErrorContains(t, err, "reading the history of")
	}
}

// What a CI job checks out by default has one commit: the history is there,
// but nobody may take it for all of it.
func TestHistoryOfAShallowClone(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"m.yaml": "one\n"})
	r.Commit("second", map[string]string{"m.yaml": "two\n"})
	dir := filepath.Join(t.TempDir(), "clone")
	r.Git("clone", "--quiet", "--depth=1", "file://"+r.Dir, dir)
	repo, err := git.Open(t.Context(), dir)
	require.NoError(t, err)

	h, err := repo.History(t.Context(), "HEAD", "m.yaml", 100)
	require.NoError(t, err)
	assert.False(t, h.Complete)
	require.Len(t, h.Versions, 1)
	assert.Equal(t, "two\n", string(h.Versions[0].Content))
}
