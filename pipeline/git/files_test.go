package git_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, map[string]string{
		".gitignore": "*.log\n", "above.txt": "x", "project/train.py": "x", "project/gone.py": "x", "project/한글 name.txt": "x",
	})
	r.Write(map[string]string{"project/new.py": "x", "project/noise.log": "x"})
	require.NoError(t, os.Remove(filepath.Join(r.Dir, "project", "gone.py")))
	inner := gittest.New(t, map[string]string{"inner.py": "x"})
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.Dir, "project/sub")
	r.Git("clone", "--quiet", inner.Dir, "project/nested")
	r.Git("clone", "--quiet", inner.Dir, "project/bare-module")
	r.Git("add", "project/bare-module")
	require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, "project", "bare-module")))
	require.NoError(t, os.Mkdir(filepath.Join(r.Dir, "project", "bare-module"), 0o755))

	repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "project"))
	require.NoError(t, err)
	files, err := repo.Files(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"gone.py", "nested/inner.py", "new.py", "sub/inner.py", "train.py", "한글 name.txt"}, files)
}

// A hook runs with GIT_DIR and others set, which name another repository.
func TestEnvironmentOfAHookIsIgnored(t *testing.T) {
	other := gittest.New(t, map[string]string{"other.txt": "x"})
	r := gittest.New(t, map[string]string{"mine.txt": "x"})
	t.Setenv("GIT_DIR", filepath.Join(other.Dir, ".git"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(other.Dir, ".git", "index"))
	repo, err := git.Open(t.Context(), r.Dir)
	require.NoError(t, err)
	files, err := repo.Files(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"mine.txt"}, files)
}
