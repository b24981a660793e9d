package githubtest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is the bare Git repository behind the server. Refs are read from
// their files, objects written and read by git itself.
type repository struct {
	t       testing.TB
	dir     string
	commits map[string]commit // what was read of them; a commit never changes
}

type commit struct {
	sha, tree, message string
	parents            []string
	author, committer  person
}

type person struct{ name, email string }

var (
	human = person{"Human", "human@users.noreply.github.test"}
	// webFlow is who commits what GitHub commits itself.
	webFlow = person{"GitHub", "noreply@github.com"}
)

func (p person) login() string {
	if p == webFlow {
		return "web-flow"
	}
	login, _, _ := strings.Cut(p.email, "@")
	return login
}

func userOf(login string) person {
	return person{login, login + "@users.noreply.github.test"}
}

const zero = "0000000000000000000000000000000000000000"

func newRepository(t testing.TB) repository {
	r := repository{t: t, dir: filepath.Join(t.TempDir(), "flights.git"), commits: map[string]commit{}}
	require.NoError(t, os.MkdirAll(r.dir, 0o755))
	r.run(nil, nil, "init", "--quiet", "--bare", "--initial-branch=main", ".")
	return r
}

func (r repository) try(env []string, stdin []byte, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_DIR="+r.dir)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %s: %w", strings.Join(args, " "), strings.TrimSpace(stderr.String()), err)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

func (r repository) run(env []string, stdin []byte, args ...string) string {
	r.t.Helper()
	out, err := r.try(env, stdin, args...)
	require.NoError(r.t, err)
	return out
}

func (r repository) blob(content []byte) string {
	return r.run(nil, content, "hash-object", "-w", "--stdin")
}

// tree writes the tree of a commit or tree with files changed.
func (r repository) tree(from string, files map[string]string) string {
	entries := map[string]string{}
	for path, content := range files {
		entries[path] = r.blob([]byte(content))
	}
	return r.treeOf(from, entries)
}

func (r repository) treeOf(from string, blobs map[string]string) string {
	dir, err := os.MkdirTemp("", "githubtest-")
	require.NoError(r.t, err)
	defer os.RemoveAll(dir)
	env := []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index")}
	if from != "" {
		r.run(env, nil, "read-tree", from)
	}
	var lines bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(blobs)) {
		fmt.Fprintf(&lines, "100644 %s\t%s\x00", blobs[path], path)
	}
	r.run(env, lines.Bytes(), "update-index", "--add", "-z", "--index-info")
	return r.run(env, nil, "write-tree")
}

func (r repository) commit(tree string, parents []string, message string, who person) string {
	return r.commitBy(tree, parents, message, who, who)
}

func (r repository) commitBy(tree string, parents []string, message string, author, committer person) string {
	args := []string{"commit-tree", tree, "-F", "-"}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	return r.run([]string{
		"GIT_AUTHOR_NAME=" + author.name, "GIT_AUTHOR_EMAIL=" + author.email,
		"GIT_COMMITTER_NAME=" + committer.name, "GIT_COMMITTER_EMAIL=" + committer.email,
	}, []byte(message), args...)
}

// ref returns what a ref points to, "" when it does not exist.
func (r repository) ref(name string) string {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (r repository) setRef(name, sha string) {
	r.run(nil, nil, "update-ref", name, sha)
}

func (r repository) heads() map[string]string {
	heads := map[string]string{}
	for line := range strings.Lines(r.run(nil, nil, "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads")) {
		sha, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		heads[name] = sha
	}
	return heads
}

// read returns a commit, or false when there is none of that name.
func (r repository) read(sha string) (commit, bool) {
	if c, ok := r.commits[sha]; ok {
		return c, true
	}
	out, err := r.try(nil, nil, "log", "-1", "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%cn%x00%ce%x00%B", sha, "--")
	if err != nil {
		return commit{}, false
	}
	f := strings.SplitN(out, "\x00", 8)
	c := commit{
		sha: f[0], tree: f[1], parents: strings.Fields(f[2]), message: strings.TrimRight(f[7], "\n"),
		author: person{f[3], f[4]}, committer: person{f[5], f[6]},
	}
	r.commits[c.sha] = c
	return c, true
}

// resolve turns a branch or commit id into a commit id, "" when there is none.
func (r repository) resolve(name string) string {
	if sha := r.ref("refs/heads/" + strings.TrimPrefix(name, "heads/")); sha != "" {
		return sha
	}
	if c, ok := r.read(name); ok && len(name) == 40 {
		return c.sha
	}
	return ""
}

// between lists the commits of head that base lacks, oldest first.
func (r repository) between(base, head string) []commit {
	var commits []commit
	for _, sha := range strings.Fields(r.run(nil, nil, "rev-list", "--reverse", "--topo-order", base+".."+head)) {
		c, _ := r.read(sha)
		commits = append(commits, c)
	}
	return commits
}

func (r repository) ancestor(old, new string) bool {
	_, err := r.try(nil, nil, "merge-base", "--is-ancestor", old, new)
	return err == nil
}
