package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// clone makes a clone with a configuration of its own.
func clone(t *testing.T, r gittest.Repository, config ...string) gittest.Repository {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	args := []string{"clone", "--quiet"}
	for _, c := range config {
		args = append(args, "-c", c)
	}
	r.Git(append(args, r.Dir, dir)...)
	return gittest.Repository{T: t, Dir: dir}
}

// Whatever a clone converts, what Git stores is the same.
func TestStored(t *testing.T) {
	t.Parallel()
	const text = "a,b\n1,2\n"
	const crlf = "a,b\r\n1,2\r\n"
	for name, c := range map[string]struct {
		files  map[string]string
		config []string
		here   string // what lies in the clone
		edit   string // what somebody writes there then
		want   string // what Git stores; "" for the same as in the work tree
	}{
		"nothing converted":               {map[string]string{"t.csv": text}, nil, text, "", ""},
		"no attributes, CRLF in Git":      {map[string]string{"t.csv": crlf}, nil, crlf, "", ""},
		"eol=crlf":                        {map[string]string{".gitattributes": "* text=auto eol=crlf\n", "t.csv": text}, nil, crlf, "", text},
		"eol=crlf for one kind":           {map[string]string{".gitattributes": "*.csv eol=crlf\n", "t.csv": text}, nil, crlf, "", text},
		"eol=crlf, edited":                {map[string]string{".gitattributes": "* text=auto eol=crlf\n", "t.csv": text}, nil, crlf, "a,b\r\n3,4\r\n", "a,b\n3,4\n"},
		"eol=crlf, edited with LF":        {map[string]string{".gitattributes": "* text=auto eol=crlf\n", "t.csv": text}, nil, crlf, "a,b\n3,4\n", ""},
		"eol=crlf, and not for this":      {map[string]string{".gitattributes": "* text=auto eol=crlf\n*.csv -text\n", "t.csv": text}, nil, text, "", ""},
		"core.autocrlf=true":              {map[string]string{"t.csv": text}, []string{"core.autocrlf=true"}, crlf, "", text},
		"core.autocrlf=true, -text":       {map[string]string{".gitattributes": "*.csv -text\n", "t.csv": text}, []string{"core.autocrlf=true"}, text, "", ""},
		"core.autocrlf=true, CRLF in Git": {map[string]string{"t.csv": crlf}, []string{"core.autocrlf=true"}, crlf, "", ""},
		"core.autocrlf=input, edited":     {map[string]string{"t.csv": text}, []string{"core.autocrlf=input"}, text, crlf, text},
		"text=auto, core.eol=crlf":        {map[string]string{".gitattributes": "* text=auto\n", "t.csv": text}, []string{"core.eol=crlf"}, crlf, "", text},
		"a file with zero bytes":          {map[string]string{".gitattributes": "* text=auto eol=crlf\n", "t.csv": "a\x00b\r\n"}, nil, "a\x00b\r\n", "", ""},
		"ident":                           {map[string]string{".gitattributes": "*.csv ident\n", "t.csv": "# $Id$\n" + text}, nil, "", "", "# $Id$\n" + text},
		"ident, and none in it":           {map[string]string{".gitattributes": "*.csv ident\n", "t.csv": text}, nil, text, "", ""},
		"an encoding":                     {map[string]string{".gitattributes": "*.csv working-tree-encoding=UTF-16LE eol=lf\n", "t.csv": "a\x00,\x00b\x00\n\x00"}, nil, "a\x00,\x00b\x00\n\x00", "", "a,b\n"},
		"the old name of the attribute":   {map[string]string{".gitattributes": "*.csv -crlf\n", "t.csv": text}, []string{"core.autocrlf=true"}, text, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"x": "x"}
			for path, content := range c.files {
				files["p/"+path] = content // the project is a folder of the repository
			}
			r := clone(t, gittest.New(t, files), c.config...)
			dir := filepath.Join(r.Dir, "p")
			if c.edit != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "t.csv"), []byte(c.edit), 0o644))
			} else if c.here != "" {
				here, err := os.ReadFile(filepath.Join(dir, "t.csv"))
				require.NoError(t, err)
				require.Equal(t, c.here, string(here))
			}
			before := r.Git("status", "--porcelain") + r.Git("count-objects", "-v") + r.Git("ls-files", "--stage")
			repo, err := git.Open(t.Context(), dir)
			require.NoError(t, err)
			got, err := repo.Stored(t.Context(), "t.csv")
			require.NoError(t, err)
			if c.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Equal(t, map[string][]byte{"t.csv": []byte(c.want)}, got)
			}
			assert.Equal(t, before, r.Git("status", "--porcelain")+r.Git("count-objects", "-v")+r.Git("ls-files", "--stage"), "the repository is as it was")
		})
	}
}

func TestStoredElsewhere(t *testing.T) {
	t.Parallel()
	base := gittest.New(t, map[string]string{".gitattributes": "*.csv text eol=crlf\n", "t.csv": "a\nb\n", ".gitignore": "ignored.csv\n"})
	want := map[string][]byte{"t.csv": []byte("a\nb\n")}
	t.Run("another work tree of the repository", func(t *testing.T) {
		t.Parallel()
		r := clone(t, base)
		dir := filepath.Join(t.TempDir(), "tree")
		r.Git("worktree", "add", "--quiet", "--detach", dir)
		repo, err := git.Open(t.Context(), dir)
		require.NoError(t, err)
		got, err := repo.Stored(t.Context(), "t.csv")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("a submodule", func(t *testing.T) {
		t.Parallel()
		r := gittest.New(t, map[string]string{"x": "x"})
		r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", base.Dir, "sub")
		repo, err := git.Open(t.Context(), filepath.Join(r.Dir, "sub"))
		require.NoError(t, err)
		got, err := repo.Stored(t.Context(), "t.csv")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("a shallow clone", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "clone")
		base.Git("clone", "--quiet", "--depth=1", "file://"+base.Dir, dir)
		repo, err := git.Open(t.Context(), dir)
		require.NoError(t, err)
		got, err := repo.Stored(t.Context(), "t.csv")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("files that Git does not have", func(t *testing.T) {
		t.Parallel()
		r := clone(t, base)
		r.Write(map[string]string{"new.csv": "a\r\n", "ignored.csv": "b\r\n", "한글 이름.csv": "c\r\n", ":(top)x.csv": "d\r\n"})
		repo, err := git.Open(t.Context(), r.Dir)
		require.NoError(t, err)
		got, err := repo.Stored(t.Context(), "new.csv", "ignored.csv", "한글 이름.csv", ":(top)x.csv", "absent.csv")
		require.NoError(t, err)
		assert.Equal(t, map[string][]byte{ // what is ignored is not stored
			"new.csv": []byte("a\n"), "한글 이름.csv": []byte("c\n"), ":(top)x.csv": []byte("d\n"),
		}, got)
	})
	t.Run("a filter of the user's", func(t *testing.T) {
		t.Parallel()
		r := gittest.New(t, map[string]string{"x": "x"})
		r.Git("config", "filter.rot.clean", "tr a-z n-za-m")
		r.Git("config", "filter.rot.smudge", "tr a-z n-za-m")
		r.Commit("a filter", map[string]string{".gitattributes": "*.csv filter=rot text eol=crlf\n", "t.csv": "abc\r\n"})
		repo, err := git.Open(t.Context(), r.Dir)
		require.NoError(t, err)
		got, err := repo.Stored(t.Context(), "t.csv")
		require.NoError(t, err)
		assert.Empty(t, got, "the work tree has the content")
	})
}

// What Git LFS keeps is read as its content, wherever that is.
func TestLFS(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git-lfs"); err != nil {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "git-lfs") {
			t.Fatal("git-lfs is not on the PATH")
		}
		t.Skip("git-lfs is not on the PATH")
	}
	r := gittest.New(t, map[string]string{"README.md": "x"})
	r.Git("lfs", "install", "--local")
	commit := r.Commit("a model", map[string]string{".gitattributes": "*.onnx filter=lfs -text\n", "m.onnx": "the model\n", "empty.onnx": ""})
	require.Contains(t, r.Git("show", commit+":m.onnx"), "git-lfs.github.com/spec/v1")
	show := func(dir string) (string, error) {
		repo, err := git.Open(t.Context(), dir)
		require.NoError(t, err)
		content, err := repo.Show(t.Context(), commit, "m.onnx")
		return string(content), err
	}
	got, err := show(r.Dir)
	require.NoError(t, err)
	assert.Equal(t, "the model\n", got)

	// A clone that has not fetched it: git-lfs brings it.
	dir := filepath.Join(t.TempDir(), "clone")
	cmd := exec.Command("git", "clone", "--quiet", r.Dir, dir)
	cmd.Env = append(os.Environ(), "GIT_LFS_SKIP_SMUDGE=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	got, err = show(dir)
	require.NoError(t, err)
	assert.Equal(t, "the model\n", got)

	// Nobody has it any more.
	require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, ".git", "lfs")))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "lfs")))
	_, err = show(dir)
	require.ErrorContains(t, err, "m.onnx is kept by Git LFS, and its content (sha256:")
	assert.ErrorContains(t, err, "git lfs fetch")
}

func TestIsPointer(t *testing.T) {
	t.Parallel()
	good := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12\n"
	assert.True(t, git.IsPointer([]byte(good)))
	assert.True(t, git.IsPointer([]byte(strings.Replace(good, "\noid", "\next-0-foo sha256:x\noid", 1))))
	for _, bad := range []string{"", "version x\n", good + "more", strings.Replace(good, "a", "g", 1), " " + good} {
		assert.False(t, git.IsPointer([]byte(bad)), bad)
	}
}
