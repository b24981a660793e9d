package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrNoRepository says that a folder is not inside a work tree of a
// repository, or that there is no git binary.
var ErrNoRepository = errors.New("not inside a Git work tree")

// ErrNotFound says that a path does not exist in a commit.
var ErrNotFound = errors.New("not in that commit")

// ErrMoved says that a ref was moved by somebody else in the meantime.
var ErrMoved = errors.New("moved by somebody else in the meantime")

// Repo is the repository around a project's folder.
type Repo struct {
	Dir    string // the project's folder, absolute
	Prefix string // Dir relative to the top of the work tree: "" or "a/b/"
}

// Open finds the repository that holds dir. A folder outside any work tree,
// a bare repository and a machine without git all give ErrNoRepository with
// the reason. A repository that git refuses to read, such as one that belongs
// to another user, is an error of its own: who went on as if there were none
// would take the change's own files for what production runs.
func Open(ctx context.Context, dir string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the repository: %w", err)
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("%w: there is no git command on the PATH", ErrNoRepository)
	}
	r := &Repo{Dir: abs}
	out, err := r.run(ctx, nil, nil, "rev-parse", "--is-inside-work-tree", "--show-prefix")
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !strings.Contains(err.Error(), "not a git repository") {
			way := ""
			if strings.Contains(err.Error(), "dubious ownership") {
				way = fmt.Sprintf(" (it belongs to another user; if you trust it: git config --global --add safe.directory %s)", abs)
			}
			return nil, fmt.Errorf("opening the Git repository around %s: %w%s", abs, err, way)
		}
		return nil, fmt.Errorf("%w: there is none in or above %s", ErrNoRepository, abs)
	}
	inside, prefix, _ := strings.Cut(string(out), "\n")
	if inside != "true" {
		return nil, fmt.Errorf("%w: %s is a bare repository", ErrNoRepository, abs)
	}
	r.Prefix = strings.TrimSuffix(prefix, "\n")
	return r, nil
}

// Head returns the commit that is checked out and the branch, "" when HEAD is
// detached. In a repository without commits the commit is "".
func (r *Repo) Head(ctx context.Context) (commit, branch string, err error) {
	if out, err := r.run(ctx, nil, nil, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil {
		branch = strings.TrimSpace(string(out))
	}
	commit, _, err = r.Resolve(ctx, "HEAD")
	return commit, branch, err
}

// RemoteDefault returns the default branch of the remote origin, as `git clone`
// noted it, "" where nobody did.
func (r *Repo) RemoteDefault(ctx context.Context) (string, error) {
	const folder = "refs/remotes/origin/"
	out, err := r.run(ctx, nil, nil, "symbolic-ref", "--quiet", folder+"HEAD")
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 {
			return "", nil
		}
		return "", fmt.Errorf("finding the default branch: %w", err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), folder), nil
}

// Resolve returns the commit that ref names, and whether it exists.
func (r *Repo) Resolve(ctx context.Context, ref string) (string, bool, error) {
	out, err := r.run(ctx, nil, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", false, ctx.Err()
		}
		// With --quiet, what does not exist is status 1; all else is trouble.
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 {
			return "", false, nil
		}
		return "", false, fmt.Errorf("finding %s: %w", ref, err)
	}
	return strings.TrimSpace(string(out)), true, nil
}

// Changed lists what in the project's folder differs from the commit,
// unignored new files included, in the short format of git status.
func (r *Repo) Changed(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, nil, "status", "--porcelain", "--untracked-files=all", "--", ".")
	if err != nil {
		return nil, fmt.Errorf("reading the state of the work tree: %w", err)
	}
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

// Tracked lists the files that Git tracks in the project's folder, relative
// to it.
func (r *Repo) Tracked(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, nil, "ls-files", "-z", "--", ".")
	if err != nil {
		return nil, fmt.Errorf("listing the tracked files: %w", err)
	}
	return splitNUL(out), nil
}

// Show returns the content of a file in a commit; path is relative to the
// project's folder. Only a path that the commit's tree does not name gives
// ErrNotFound: an object that cannot be read, as in a damaged repository or a
// partial clone without network, is not a file that does not exist. Of a file
// that Git LFS keeps it is the content, not the pointer that Git stores.
func (r *Repo) Show(ctx context.Context, commit, path string) ([]byte, error) {
	path = r.Prefix + filepath.ToSlash(path)
	doing := fmt.Sprintf("reading %s of %.12s", path, commit)
	out, err := r.run(ctx, nil, nil, "ls-tree", "-z", "--full-tree", commit, "--", path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	// "<mode> <type> <object>" TAB path (https://git-scm.com/docs/git-ls-tree).
	entry, _, _ := strings.Cut(string(out), "\t")
	words := strings.Fields(entry)
	switch {
	case len(words) == 0:
		return nil, fmt.Errorf("%s: %w", doing, ErrNotFound)
	case len(words) != 3 || words[1] != "blob":
		return nil, fmt.Errorf("%s: it is a folder, not a file", doing)
	}
	out, err = r.run(ctx, nil, nil, "cat-file", "blob", words[2])
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if out, err = r.Content(ctx, path, out); err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", doing, err)
	}
	return out, err
}

// List returns the files below folder in a commit, relative to the project's
// folder; "" is that folder itself. A folder that the commit lacks is empty.
func (r *Repo) List(ctx context.Context, commit, folder string) ([]string, error) {
	args := []string{"ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--"}
	if below := strings.TrimSuffix(r.Prefix+filepath.ToSlash(folder), "/"); below != "" {
		args = append(args, below+"/")
	}
	out, err := r.run(ctx, nil, nil, args...)
	if err != nil {
		return nil, fmt.Errorf("listing %s in %.12s: %w", folder, commit, err)
	}
	paths := splitNUL(out)
	for i, p := range paths {
		paths[i] = strings.TrimPrefix(p, r.Prefix)
	}
	return paths, nil
}

// IsAncestor reports whether ancestor is commit or one of its ancestors.
func (r *Repo) IsAncestor(ctx context.Context, ancestor, commit string) (bool, error) {
	_, err := r.run(ctx, nil, nil, "merge-base", "--is-ancestor", ancestor, commit)
	if err == nil {
		return true, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return false, nil
	}
	return false, fmt.Errorf("comparing %.12s with %.12s: %w", ancestor, commit, err)
}

// MessagesSince returns the messages of the commits that base lacks, newest
// first; none when commit is base or one of its ancestors.
func (r *Repo) MessagesSince(ctx context.Context, base, commit string) ([]string, error) {
	out, err := r.run(ctx, nil, nil, "log", "-z", "--format=%B", base+".."+commit)
	if err != nil {
		return nil, fmt.Errorf("reading the commits between %.12s and %.12s: %w", base, commit, err)
	}
	return splitNUL(out), nil
}

// Tree returns the tree of a commit.
func (r *Repo) Tree(ctx context.Context, commit string) (string, error) {
	out, err := r.run(ctx, nil, nil, "rev-parse", "--verify", commit+"^{tree}")
	if err != nil {
		return "", fmt.Errorf("reading the tree of %.12s: %w", commit, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// CheckedOut reports the work tree in which branch is checked out, or "".
func (r *Repo) CheckedOut(ctx context.Context, branch string) (string, error) {
	out, err := r.run(ctx, nil, nil, "worktree", "list", "--porcelain")
	if err != nil {
		return "", fmt.Errorf("listing the work trees: %w", err)
	}
	var tree string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if path, ok := strings.CutPrefix(line, "worktree "); ok {
			tree = path
		}
		if line == "branch refs/heads/"+branch {
			return tree, nil
		}
	}
	return "", nil
}

// WriteTree returns the tree of base with files changed; paths are relative
// to the project's folder. It works in a temporary index.
func (r *Repo) WriteTree(ctx context.Context, base string, files map[string][]byte) (string, error) {
	dir, err := os.MkdirTemp("", "dosirak-index-")
	if err != nil {
		return "", fmt.Errorf("making a temporary index: %w", err)
	}
	defer os.RemoveAll(dir)
	env := []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index")}
	if _, err := r.run(ctx, env, nil, "read-tree", base); err != nil {
		return "", fmt.Errorf("reading the tree of %.12s: %w", base, err)
	}
	var entries bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(files)) {
		// --no-filters: what is proposed are these bytes, whatever the
		// repository's attributes would turn them into on a check-in.
		out, err := r.run(ctx, nil, files[path], "hash-object", "-w", "--no-filters", "--stdin")
		if err != nil {
			return "", fmt.Errorf("storing %s: %w", path, err)
		}
		fmt.Fprintf(&entries, "100644 %s\t%s\x00", strings.TrimSpace(string(out)), r.Prefix+filepath.ToSlash(path))
	}
	if _, err := r.run(ctx, env, entries.Bytes(), "update-index", "--add", "-z", "--index-info"); err != nil {
		return "", fmt.Errorf("changing the temporary index: %w", err)
	}
	out, err := r.run(ctx, env, nil, "write-tree")
	if err != nil {
		return "", fmt.Errorf("writing the tree: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// CommitTree makes a commit of tree with one parent. The author is the user
// of the repository, or dosirak where none is configured.
func (r *Repo) CommitTree(ctx context.Context, tree, parent, message string) (string, error) {
	var env []string
	if _, err := r.run(ctx, nil, nil, "var", "GIT_COMMITTER_IDENT"); err != nil {
		env = []string{
			"GIT_AUTHOR_NAME=dosirak", "GIT_AUTHOR_EMAIL=dosirak@localhost",
			"GIT_COMMITTER_NAME=dosirak", "GIT_COMMITTER_EMAIL=dosirak@localhost",
		}
	}
	out, err := r.run(ctx, env, []byte(message), "commit-tree", tree, "-p", parent, "-F", "-")
	if err != nil {
		return "", fmt.Errorf("making the commit: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// UpdateRef moves ref from old to commit; old "" means that ref must not
// exist. It returns ErrMoved where ref is not at old.
func (r *Repo) UpdateRef(ctx context.Context, ref, commit, old, reason string) error {
	if old == "" {
		old = strings.Repeat("0", len(commit))
	}
	if _, err := r.run(ctx, nil, nil, "update-ref", "-m", reason, "--create-reflog", ref, commit, old); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if strings.Contains(err.Error(), "but expected") || strings.Contains(err.Error(), "reference already exists") {
			return fmt.Errorf("moving %s: %w", ref, ErrMoved)
		}
		return fmt.Errorf("moving %s: %w", ref, err)
	}
	return nil
}

func (r *Repo) run(ctx context.Context, env []string, stdin []byte, args ...string) ([]byte, error) {
	// core.quotePath off keeps names as they are; no optional locks, so that
	// reading the state never collides with the user's own git; no fsmonitor,
	// which is a command that the repository's configuration may name.
	args = append([]string{"--no-pager", "--no-optional-locks", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), namesRepository), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1")
	cmd.Env = append(cmd.Env, env...)
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	// Politely: a git that is killed leaves its lock files, and then the next
	// one refuses to work.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // that git was killed is no error of git's
		}
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return nil, fmt.Errorf("%s: %w", reason(text), err)
		}
		return nil, err
	}
	return out, nil
}

// namesRepository finds the variables by which git tells a hook where its
// repository is; run from a hook, they would win over the folder.
// https://git-scm.com/docs/githooks: "Environment variables, such as GIT_DIR,
// GIT_WORK_TREE, etc., are exported".
func namesRepository(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE":
		return true
	}
	return false
}

func splitNUL(out []byte) []string {
	text := strings.TrimSuffix(string(out), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

// reason is the line in which git says what is wrong: "fatal: ..." or
// "error: ..."; advice follows it. It is the last line where none says so.
func reason(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "fatal: ") {
			return strings.TrimSpace(line)
		}
	}
	return lastLine(text)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
