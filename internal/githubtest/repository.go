package githubtest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is the bare Git repository behind the server. Objects and refs
// are written as Git keeps them, loose, so that git itself can read them;
// doing that here rather than by git's commands makes a test of thousands of
// calls take seconds. What somebody pushed with git is read through git.
type repository struct {
	t   testing.TB
	dir string

	mu      sync.Mutex
	made    int64 // commits so far
	objects map[string]gitObject
}

type gitObject struct {
	kind string
	body []byte
}

type entry struct{ mode, sha string }

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

func newRepository(t testing.TB, branch string) *repository {
	r := &repository{t: t, dir: filepath.Join(t.TempDir(), "flights.git"), objects: map[string]gitObject{}}
	for _, dir := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		require.NoError(t, os.MkdirAll(filepath.Join(r.dir, dir), 0o755))
	}
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/" + branch + "\n", "config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
	}
	return r
}

// packers are reused: making one costs more than packing a small object.
var packers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func (r *repository) write(kind string, body []byte) string {
	whole := append(fmt.Appendf(nil, "%s %d\x00", kind, len(body)), body...)
	sum := sha1.Sum(whole)
	sha := hex.EncodeToString(sum[:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.objects[sha]; ok {
		return sha
	}
	var packed bytes.Buffer
	w := packers.Get().(*zlib.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	_, err := w.Write(whole)
	require.NoError(r.t, err)
	require.NoError(r.t, w.Close())
	dir := filepath.Join(r.dir, "objects", sha[:2])
	require.NoError(r.t, os.MkdirAll(dir, 0o755))
	require.NoError(r.t, os.WriteFile(filepath.Join(dir, sha[2:]), packed.Bytes(), 0o444))
	r.objects[sha] = gitObject{kind, body}
	return sha
}

// get reads an object, or reports that there is none of that kind and name.
func (r *repository) get(kind, sha string) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o, ok := r.objects[sha]; ok {
		return o.body, o.kind == kind
	}
	if len(sha) != 40 || strings.Trim(sha, "0123456789abcdef") != "" {
		return nil, false
	}
	body, err := exec.Command("git", "--git-dir="+r.dir, "cat-file", kind, sha).Output()
	if err != nil {
		return nil, false
	}
	r.objects[sha] = gitObject{kind, body}
	return body, true
}

func (r *repository) blob(content []byte) string { return r.write("blob", content) }

// files lists the files of a tree by path.
func (r *repository) files(tree string) map[string]entry {
	out := map[string]entry{}
	r.walk(tree, "", out)
	return out
}

func (r *repository) walk(tree, prefix string, out map[string]entry) {
	body, ok := r.get("tree", tree)
	require.True(r.t, ok, "no tree %s", tree)
	for len(body) > 0 {
		head, rest, _ := bytes.Cut(body, []byte{0})
		mode, name, _ := strings.Cut(string(head), " ")
		sha := hex.EncodeToString(rest[:20])
		body = rest[20:]
		if mode == "40000" {
			r.walk(sha, prefix+name+"/", out)
		} else {
			out[prefix+name] = entry{mode, sha}
		}
	}
}

// treeOf writes the tree of files.
func (r *repository) treeOf(files map[string]entry) string {
	here := map[string]entry{}
	folders := map[string]map[string]entry{}
	for path, e := range files {
		folder, rest, nested := strings.Cut(path, "/")
		if !nested {
			here[path] = e
			continue
		}
		if folders[folder] == nil {
			folders[folder] = map[string]entry{}
		}
		folders[folder][rest] = e
	}
	for folder, inside := range folders {
		here[folder+"/"] = entry{"40000", r.treeOf(inside)}
	}
	// Git sorts a folder as if its name ended in a slash.
	var body []byte
	for _, name := range slices.Sorted(maps.Keys(here)) {
		sha, err := hex.DecodeString(here[name].sha)
		require.NoError(r.t, err)
		body = fmt.Appendf(body, "%s %s\x00", here[name].mode, strings.TrimSuffix(name, "/"))
		body = append(body, sha...)
	}
	return r.write("tree", body)
}

// tree writes the tree of a commit, "" is none, with files changed.
func (r *repository) tree(from string, changed map[string]string) string {
	files := map[string]entry{}
	if c, ok := r.read(from); ok {
		files = r.files(c.tree)
	}
	for path, content := range changed {
		files[path] = entry{"100644", r.blob([]byte(content))}
	}
	return r.treeOf(files)
}

func (r *repository) commit(tree string, parents []string, message string, author, committer person) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	// Each commit is a second later than the one before, whatever the clock
	// says: two of them never get the same name.
	r.mu.Lock()
	r.made++
	now := 1_700_000_000 + r.made
	r.mu.Unlock()
	fmt.Fprintf(&b, "author %s <%s> %d +0000\ncommitter %s <%s> %d +0000\n\n%s\n", author.name, author.email, now, committer.name, committer.email, now, strings.TrimRight(message, "\n"))
	return r.write("commit", b.Bytes())
}

// read returns a commit, or false when there is none of that name.
func (r *repository) read(sha string) (commit, bool) {
	body, ok := r.get("commit", sha)
	if !ok {
		return commit{}, false
	}
	header, message, _ := strings.Cut(string(body), "\n\n")
	c := commit{sha: sha, message: strings.TrimRight(message, "\n")}
	for line := range strings.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "author":
			c.author = parsePerson(value)
		case "committer":
			c.committer = parsePerson(value)
		}
	}
	return c, true
}

func parsePerson(line string) person {
	name, rest, _ := strings.Cut(line, " <")
	email, _, _ := strings.Cut(rest, ">")
	return person{name, email}
}

// ref returns what a ref points to, "" when it does not exist.
func (r *repository) ref(name string) string {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// setRef points a ref to a commit; zero deletes it. A ref named like a folder
// of refs leaves no room for those, as in Git.
func (r *repository) setRef(name, sha string) error {
	file := filepath.Join(r.dir, name)
	if sha == zero {
		if err := os.Remove(file); err != nil {
			return err
		}
		for dir := filepath.Dir(file); filepath.Base(dir) != "heads"; dir = filepath.Dir(dir) {
			if os.Remove(dir) != nil {
				break
			}
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("cannot lock ref %s: another ref is in the way: %w", name, err)
	}
	return os.WriteFile(file, []byte(sha+"\n"), 0o644)
}

func (r *repository) heads() map[string]string {
	heads := map[string]string{}
	top := filepath.Join(r.dir, "refs/heads")
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name := filepath.ToSlash(strings.TrimPrefix(file, top+string(filepath.Separator)))
			heads[name] = r.ref("refs/heads/" + name)
		}
		return err
	})
	require.NoError(r.t, err)
	return heads
}

// resolve turns a branch or commit id into a commit id, "" when there is none.
func (r *repository) resolve(name string) string {
	if sha := r.ref("refs/heads/" + strings.TrimPrefix(name, "heads/")); sha != "" {
		return sha
	}
	if _, ok := r.read(name); ok {
		return name
	}
	return ""
}

// history lists a commit and its ancestors, those that skip has left out,
// parents first.
func (r *repository) history(sha string, skip map[string]bool) []commit {
	var out []commit
	seen := maps.Clone(skip)
	if seen == nil {
		seen = map[string]bool{}
	}
	var visit func(sha string)
	visit = func(sha string) {
		if seen[sha] {
			return
		}
		seen[sha] = true
		c, ok := r.read(sha)
		if !ok {
			return
		}
		for _, p := range c.parents {
			visit(p)
		}
		out = append(out, c)
	}
	visit(sha)
	return out
}

func (r *repository) ancestors(sha string) map[string]bool {
	set := map[string]bool{}
	for _, c := range r.history(sha, nil) {
		set[c.sha] = true
	}
	return set
}

// between lists the commits of head that base lacks, oldest first.
func (r *repository) between(base, head string) []commit {
	return r.history(head, r.ancestors(base))
}

func (r *repository) ancestor(old, new string) bool { return r.ancestors(new)[old] }

// mergeBase returns the newest commit that both have.
func (r *repository) mergeBase(a, b string) string {
	of := r.ancestors(a)
	for _, c := range slices.Backward(r.history(b, nil)) {
		if of[c.sha] {
			return c.sha
		}
	}
	return ""
}
