package git_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a", "sub/project/b.txt": "b"})

	top, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)
	assert.Empty(t, top.Prefix)

	sub, err := git.Open(t.Context(), filepath.Join(r.Dir, "sub/project"))
	require.NoError(t, err)
	assert.Equal(t, "sub/project/", sub.Prefix)
	tracked, err := sub.Tracked(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"b.txt"}, tracked)

	_, err = git.Open(t.Context(), t.TempDir())
	assert.ErrorIs(t, err, git.ErrNoRepository)

	bare := t.TempDir()
	r.Git("clone", "--quiet", "--bare", r.Dir, bare+"/x.git")
	_, err = git.Open(t.Context(), bare+"/x.git")
	assert.ErrorIs(t, err, git.ErrNoRepository)
	assert.ErrorContains(t, err, "bare")
}

// A repository that cannot be read is not the same as none: a run that went on
// without it would believe the change's own manifest.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a"})
	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, ".git/config"), []byte("[core\n"), 0o644))
	_, err := git.Open(t.Context(), r.Dir)
	require.ErrorContains(t, err, "bad config line")
	assert.NotErrorIs(t, err, git.ErrNoRepository)
}

// What a commit names and the repository has lost, as a partial clone may, is
// trouble and not a file that does not exist.
func TestShowTellsMissingFromUnreadable(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a", "sub/b.txt": "b"})
	repo, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)
	head := r.Git("rev-parse", "HEAD")

	text, err := repo.Show(t.Context(), head, "sub/b.txt")
	require.NoError(t, err)
	assert.Equal(t, "b", string(text))
	_, err = repo.Show(t.Context(), head, "sub/c.txt")
	assert.ErrorIs(t, err, git.ErrNotFound)
	_, err = repo.Show(t.Context(), head, "a.txt/b")
	assert.ErrorIs(t, err, git.ErrNotFound)
	_, err = repo.Show(t.Context(), head, "sub")
	require.ErrorContains(t, err, "folder")
	assert.NotErrorIs(t, err, git.ErrNotFound)

	for _, object := range []string{r.Git("rev-parse", "HEAD:a.txt"), r.Git("rev-parse", "HEAD:")} {
		require.NoError(t, os.Remove(filepath.Join(r.Dir, ".git/objects", object[:2], object[2:])))
		_, err = repo.Show(t.Context(), head, "a.txt")
		require.Error(t, err)
		assert.NotErrorIs(t, err, git.ErrNotFound)
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a"})
	repo, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)

	commit, branch, err := repo.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, r.Git("rev-parse", "HEAD"), commit)
	assert.Equal(t, "main", branch)

	r.Git("checkout", "--quiet", "--detach")
	_, branch, err = repo.Head(t.Context())
	require.NoError(t, err)
	assert.Empty(t, branch, "a detached HEAD has no branch")

	empty := t.TempDir()
	gittest.Repository{T: t, Dir: empty}.Git("init", "--quiet", "--initial-branch=main")
	repo, err = git.Open(t.Context(), empty)
	require.NoError(t, err)
	commit, branch, err = repo.Head(t.Context())
	require.NoError(t, err)
	assert.Empty(t, commit, "a repository without commits")
	assert.Equal(t, "main", branch)
}

func TestShowAndList(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"p/deploy/x.yaml": "one\n", "p/deploy/b/model": "\x00\x01", "other.txt": "o"})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)

	content, err := repo.Show(t.Context(), "main", "deploy/b/model")
	require.NoError(t, err)
	assert.Equal(t, "\x00\x01", string(content))
	_, err = repo.Show(t.Context(), "main", "deploy/none")
	assert.ErrorIs(t, err, git.ErrNotFound)

	paths, err := repo.List(t.Context(), "main", "deploy")
	require.NoError(t, err)
	assert.Equal(t, []string{"deploy/b/model", "deploy/x.yaml"}, paths)
	paths, err = repo.List(t.Context(), "main", "nowhere")
	require.NoError(t, err)
	assert.Empty(t, paths)
}

// What a user has in the work tree and the index stays as it is while a
// commit is made beside it.
func TestCommitLeavesWorkTreeAlone(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"p/a.txt": "a\n", "p/.gitattributes": "*.txt text eol=crlf\n"})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)
	r.Write(map[string]string{"p/a.txt": "changed\n", "p/new.txt": "new"})
	r.Git("add", "p/new.txt")
	before := r.Git("status", "--porcelain")

	base := r.Git("rev-parse", "main")
	tree, err := repo.WriteTree(t.Context(), base, map[string][]byte{"deploy/m.txt": []byte("one\r\ntwo\n")})
	require.NoError(t, err)
	commit, err := repo.CommitTree(t.Context(), tree, base, "title\n\nDosirak-Bundle: x\n")
	require.NoError(t, err)
	require.NoError(t, repo.UpdateRef(t.Context(), "refs/heads/side", commit, "", "test"))

	assert.Equal(t, before, r.Git("status", "--porcelain"))
	assert.Equal(t, base, r.Git("rev-parse", "main"))
	assert.Equal(t, "p/deploy/m.txt", r.Git("diff", "--name-only", "main", "side"))
	content, err := repo.Show(t.Context(), "side", "deploy/m.txt")
	require.NoError(t, err)
	assert.Equal(t, "one\r\ntwo\n", string(content), "attributes change no byte")
	got, err := os.ReadFile(filepath.Join(r.Dir, "p/a.txt"))
	require.NoError(t, err)
	assert.Equal(t, "changed\n", string(got))
}

func TestUpdateRefComparesAndSwaps(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a"})
	repo, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)
	first := r.Git("rev-parse", "HEAD")
	second := r.Commit("second", nil)

	require.NoError(t, repo.UpdateRef(t.Context(), "refs/heads/x", first, "", "test"))
	assert.ErrorIs(t, repo.UpdateRef(t.Context(), "refs/heads/x", second, "", "test"), git.ErrMoved)
	assert.ErrorIs(t, repo.UpdateRef(t.Context(), "refs/heads/x", first, second, "test"), git.ErrMoved)
	require.NoError(t, repo.UpdateRef(t.Context(), "refs/heads/x", second, first, "test"))

	ancestor, err := repo.IsAncestor(t.Context(), first, second)
	require.NoError(t, err)
	assert.True(t, ancestor)
	ancestor, err = repo.IsAncestor(t.Context(), second, first)
	require.NoError(t, err)
	assert.False(t, ancestor)
}

// A git that was ended because the user wants to end says so, and not that a
// signal killed it: the exit code depends on it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"a.txt": "a"})
	repo, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = repo.WriteTree(ctx, "HEAD", map[string][]byte{"b.txt": []byte("b")})
	assert.ErrorIs(t, err, context.Canceled)
	_, err = repo.Tracked(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestExport(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{"p/a/b.txt": "old", "other.txt": "o"})
	old := r.Git("rev-parse", "HEAD")
	r.Commit("newer", map[string]string{"p/a/b.txt": "new", "p/c.txt": "c"})
	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "p"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, repo.Export(t.Context(), old, dir))
	content, err := os.ReadFile(filepath.Join(dir, "a/b.txt"))
	require.NoError(t, err)
	assert.Equal(t, "old", string(content))
	assert.NoFileExists(t, filepath.Join(dir, "c.txt"))
	assert.NoFileExists(t, filepath.Join(dir, "other.txt"))
	assert.Empty(t, r.Git("status", "--porcelain"))
	assert.Error(t, repo.Export(t.Context(), "0000000000000000000000000000000000000001", t.TempDir()))
}
