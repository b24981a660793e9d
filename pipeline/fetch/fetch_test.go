package fetch_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/fetch"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// project is a folder whose data lie in a bucket, which is another folder.
type project struct {
	t           *testing.T
	dir, bucket string
	command     string
	files       []string
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), bucket: t.TempDir(), files: []string{"data/train.csv", "data/eval.csv"}}
	p.put("train.csv", "a\n1\n")
	p.put("eval.csv", "a\n2\n")
	p.command = fmt.Sprintf(`echo "fetching" && echo x >> ran && mkdir -p data && cp '%s'/*.csv data/`, p.bucket)
	return p
}

func (p *project) put(name, content string) {
	require.NoError(p.t, os.WriteFile(filepath.Join(p.bucket, name), []byte(content), 0o644))
}

func (p *project) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *project) write(name, content string) {
	require.NoError(p.t, os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	require.NoError(p.t, os.WriteFile(p.path(name), []byte(content), 0o644))
}

func (p *project) read(name string) string {
	data, err := os.ReadFile(p.path(name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// ran counts how often the command ran.
func (p *project) ran() int {
	data, _ := os.ReadFile(p.path("ran"))
	return len(data) / 2
}

func (p *project) ensure(update bool) (fetch.Result, error) {
	return p.ensureContext(p.t.Context(), update)
}

func (p *project) ensureContext(ctx context.Context, update bool) (fetch.Result, error) {
	p.t.Helper()
	s, err := store.Open(p.dir, store.Options{Now: time.Now})
	require.NoError(p.t, err)
	defer func() { assert.NoError(p.t, s.Close()) }()
	return fetch.Ensure(ctx, fetch.Options{Dir: p.dir, Command: p.command, Files: p.files, Update: update, Store: s, Timeout: time.Minute})
}

// A life: fetched once, locked, another machine, a changed source, an update,
// an older commit, an edit by hand.
func TestLifeOfData(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	r, err := p.ensure(false)
	require.NoError(t, err)
	assert.True(t, r.Ran)
	assert.True(t, r.Written)
	require.Len(t, r.Data, 2)
	assert.Equal(t, "data/eval.csv", r.Data[0].Path)
	first := p.read("dosirak.lock")
	assert.Regexp(t, `^\{\n  "schema": "dosirak/lock/v1",\n  "data": \[\n    \{\n      "path": "data/eval.csv",\n      "sha256": "[0-9a-f]{64}",\n      "size": 4\n    \},`, first)

	r, err = p.ensure(false)
	require.NoError(t, err)
	assert.False(t, r.Ran, "all is as the lock names it")
	assert.False(t, r.Written)
	assert.Equal(t, 1, p.ran())

	// A clone on another machine has the lock alone.
	other := newProject(t)
	other.write("dosirak.lock", first)
	r, err = other.ensure(false)
	require.NoError(t, err)
	assert.True(t, r.Ran)
	assert.False(t, r.Written)
	assert.Equal(t, "a\n1\n", other.read("data/train.csv"))

	// The source has something else under the same lock.
	third := newProject(t)
	third.write("dosirak.lock", first)
	third.put("eval.csv", "a\n3\n")
	_, err = third.ensure(false)
	require.ErrorContains(t, err, "data.fetch brought data/eval.csv with sha256:")
	assert.ErrorContains(t, err, "dosirak fetch --update")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	assert.Equal(t, first, third.read("dosirak.lock"), "an error changes no lock")

	// It is accepted.
	p.put("eval.csv", "a\n3\n")
	r, err = p.ensure(true)
	require.NoError(t, err)
	assert.True(t, r.Written)
	second := p.read("dosirak.lock")
	assert.NotEqual(t, first, second)

	// An older commit is checked out: its lock, and the source as it was then.
	p.write("dosirak.lock", first)
	p.put("eval.csv", "a\n2\n")
	r, err = p.ensure(false)
	require.NoError(t, err)
	assert.True(t, r.Ran, "what an older fetch left is not what this commit names")
	assert.Equal(t, "a\n2\n", p.read("data/eval.csv"))

	// Somebody edits the file: it is not written over.
	p.write("data/eval.csv", "a\n99\n")
	_, err = p.ensure(false)
	require.ErrorContains(t, err, "data/eval.csv was changed since it was fetched")
	assert.ErrorContains(t, err, "remove it")
	assert.Equal(t, "a\n99\n", p.read("data/eval.csv"))
	require.NoError(t, os.Remove(p.path("data/eval.csv")))
	_, err = p.ensure(false)
	require.NoError(t, err)
	assert.Equal(t, "a\n2\n", p.read("data/eval.csv"))
}

func TestLinkedDataIsDigestedByContent(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.command = fmt.Sprintf(`echo x >> ran && mkdir -p data && ln -sf '%s'/train.csv '%s'/eval.csv data/`, p.bucket, p.bucket)
	_, err := p.ensure(false)
	require.NoError(t, err)
	_, err = p.ensure(false)
	require.NoError(t, err)
	assert.Equal(t, 1, p.ran())
	p.put("train.csv", "a\nother\n")
	_, err = p.ensure(false)
	require.ErrorContains(t, err, "data/train.csv was changed since it was fetched")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	lock := func(data string) string { return `{"schema": "dosirak/lock/v1", "data": [` + data + `]}` }
	const digest = `"sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`
	for name, c := range map[string]struct {
		prepare func(p *project)
		code    int
		want    []string
	}{
		"the command fails":        {func(p *project) { p.command = "echo 'fatal: no credentials' >&2; echo bye; exit 3" }, fault.CodeFailed, []string{"ended with exit status 3", "| fatal: no credentials"}},
		"the command is not there": {func(p *project) { p.command = "no-such-dvc pull" }, fault.CodeFailed, []string{"data.fetch (no-such-dvc pull) ended with exit status 127", "not found"}},
		"it brings nothing":        {func(p *project) { p.command = "true" }, fault.CodeUsage, []string{"ended well, and data/eval.csv is not there"}},
		"it brings a pointer": {func(p *project) {
			p.command = `mkdir -p data && printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' | tee data/train.csv > data/eval.csv`
		}, fault.CodeUsage, []string{"data/eval.csv is still a Git LFS pointer", "git lfs pull"}},
		"it brings a folder":       {func(p *project) { p.command = "mkdir -p data/eval.csv data/train.csv" }, fault.CodeEnvironment, []string{"data that are fetched are files"}},
		"data outside the project": {func(p *project) { p.files = []string{"../x.csv"} }, fault.CodeUsage, []string{"../x.csv lies outside"}},
		"a lock that is none":      {func(p *project) { p.write("dosirak.lock", "<<<<<<< HEAD\n") }, fault.CodeUsage, []string{"reading dosirak.lock", "restore it from Git"}},
		"another schema":           {func(p *project) { p.write("dosirak.lock", `{"schema": "v9", "data": []}`) }, fault.CodeUsage, []string{`its schema is "v9"`}},
		"an unknown field":         {func(p *project) { p.write("dosirak.lock", `{"schema": "dosirak/lock/v1", "url": "x", "data": []}`) }, fault.CodeUsage, []string{"unknown field"}},
		"text after the end":       {func(p *project) { p.write("dosirak.lock", lock("")+"{}") }, fault.CodeUsage, []string{"something follows"}},
		"a path that leads out":    {func(p *project) { p.write("dosirak.lock", lock(`{"path": "../x", `+digest+`, "size": 1}`)) }, fault.CodeUsage, []string{`"../x" is no path`}},
		"an absolute path":         {func(p *project) { p.write("dosirak.lock", lock(`{"path": "/x", `+digest+`, "size": 1}`)) }, fault.CodeUsage, []string{`"/x" is no path`}},
		"a path that is not clean": {func(p *project) { p.write("dosirak.lock", lock(`{"path": "a//b", `+digest+`, "size": 1}`)) }, fault.CodeUsage, []string{"is no path"}},
		"a path twice": {func(p *project) {
			p.write("dosirak.lock", lock(`{"path": "x", `+digest+`, "size": 1}, {"path": "x", `+digest+`, "size": 1}`))
		}, fault.CodeUsage, []string{"x stands there twice"}},
		"a digest that is none":      {func(p *project) { p.write("dosirak.lock", lock(`{"path": "x", "sha256": "md5", "size": 1}`)) }, fault.CodeUsage, []string{"is no SHA-256"}},
		"less than nothing":          {func(p *project) { p.write("dosirak.lock", lock(`{"path": "x", `+digest+`, "size": -1}`)) }, fault.CodeUsage, []string{"-1 bytes"}},
		"a lock that is a folder":    {func(p *project) { require.NoError(p.t, os.Mkdir(p.path("dosirak.lock"), 0o755)) }, fault.CodeUsage, []string{"it is no file"}},
		"a digest of something else": {func(p *project) { p.write("dosirak.lock", lock(`{"path": "data/train.csv", `+digest+`, "size": 1}`)) }, fault.CodeUsage, []string{"names sha256:aaaaaaaaaaaa"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			c.prepare(p)
			_, err := p.ensure(false)
			require.Error(t, err)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Equal(t, c.code, fault.ExitCode(err), err)
		})
	}
	t.Run("--update mends a broken lock", func(t *testing.T) {
		t.Parallel()
		p := newProject(t)
		p.write("dosirak.lock", "<<<<<<< HEAD\n")
		r, err := p.ensure(true)
		require.NoError(t, err)
		assert.True(t, r.Written)
		_, err = p.ensure(false)
		require.NoError(t, err)
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		p := newProject(t)
		p.command = "sleep 100"
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := p.ensureContext(ctx, false)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NoFileExists(t, p.path("dosirak.lock"))
	})
}

// The data of an older commit are borrowed where the project still has them.
func TestBorrow(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	_, err := p.ensure(false)
	require.NoError(t, err)
	old := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(old, "dosirak.lock"), []byte(p.read("dosirak.lock")), 0o644))
	p.write("data/eval.csv", "a\nnew\n")
	require.NoError(t, fetch.Borrow(t.Context(), p.dir, old, p.files))
	data, err := os.ReadFile(filepath.Join(old, "data", "train.csv"))
	require.NoError(t, err)
	assert.Equal(t, "a\n1\n", string(data))
	assert.NoFileExists(t, filepath.Join(old, "data", "eval.csv"), "it is not that commit's any more")
}

// tool finds a program, or skips; DOSIRAK_REQUIRE makes a missing one a failure.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), name) {
			t.Fatalf("%s is not on the PATH", name)
		}
		t.Skipf("%s is not on the PATH", name)
	}
}

// documented is the command of docs/data.md that begins so.
func documented(t *testing.T, start string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "data.md"))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "fetch: "+start)
	require.True(t, ok, "docs/data.md has no fetch: %s", start)
	rest, _, _ = strings.Cut(rest, "}")
	return start + rest
}

// A copy from elsewhere, with a program of that name in the place of the cloud's.
func TestCopyFromABucket(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1 $2 $3\" = 's3 cp --recursive' ] && mkdir -p \"$5\" && cp '%s'/* \"$5\"\n", p.bucket)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o755))
	p.command = "PATH=" + bin + ":$PATH; " + documented(t, "aws s3 cp")
	r, err := p.ensure(false)
	require.NoError(t, err)
	assert.True(t, r.Ran)
	assert.Equal(t, "a\n1\n", p.read("data/train.csv"))
}

// DVC itself, with a remote that is a folder: as docs/data.md has it.
func TestDVC(t *testing.T) {
	t.Parallel()
	tool(t, "dvc")
	remote := t.TempDir()
	r := gittest.New(t, map[string]string{"data/train.csv": "a\n1\n", "data/eval.csv": "a\n2\n"})
	dvc := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command("dvc", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "DVC_NO_ANALYTICS=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "dvc %v: %s", args, out)
	}
	r.Git("rm", "-r", "--quiet", "--cached", "data")
	dvc(r.Dir, "init", "--quiet")
	dvc(r.Dir, "remote", "add", "--default", "here", remote)
	dvc(r.Dir, "add", "--quiet", "data/train.csv", "data/eval.csv")
	dvc(r.Dir, "push", "--quiet")
	r.Commit("data in DVC", nil)

	for _, links := range []string{"copy", "symlink"} {
		clone := filepath.Join(t.TempDir(), "clone")
		out, err := exec.Command("git", "clone", "--quiet", r.Dir, clone).CombinedOutput()
		require.NoError(t, err, string(out))
		dvc(clone, "config", "--local", "cache.type", links)
		p := &project{t: t, dir: clone, command: documented(t, "dvc pull"), files: []string{"data/train.csv", "data/eval.csv"}}
		got, err := p.ensure(false)
		require.NoError(t, err)
		assert.True(t, got.Ran)
		assert.Equal(t, "a\n1\n", p.read("data/train.csv"), links)
		got, err = p.ensure(false)
		require.NoError(t, err)
		assert.False(t, got.Ran)
	}
}

// Git LFS itself: a clone without its content has pointers, and gets the content.
func TestGitLFS(t *testing.T) {
	t.Parallel()
	tool(t, "git-lfs")
	r := gittest.New(t, map[string]string{"README.md": "x"})
	r.Git("lfs", "install", "--local")
	r.Commit("data in LFS", map[string]string{".gitattributes": "*.csv filter=lfs -text\n", "data/train.csv": "a\n1\n", "data/eval.csv": "a\n2\n"})
	require.Contains(t, r.Git("show", "HEAD:data/train.csv"), "git-lfs.github.com/spec/v1")

	clone := filepath.Join(t.TempDir(), "clone")
	cmd := exec.Command("git", "clone", "--quiet", r.Dir, clone)
	cmd.Env = append(os.Environ(), "GIT_LFS_SKIP_SMUDGE=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	p := &project{t: t, dir: clone, command: "git lfs install --local && " + documented(t, "git lfs pull"), files: []string{"data/train.csv", "data/eval.csv"}}
	got, err := p.ensure(false)
	require.NoError(t, err)
	assert.True(t, got.Ran)
	assert.Equal(t, "a\n1\n", p.read("data/train.csv"))
}
