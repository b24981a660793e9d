package git

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// FileChange is a file that differs between two commits.
type FileChange struct {
	Path     string // relative to the project's folder, with slashes
	Old, New string // object names of the contents; "" where there is none
}

// ChangedBetween lists the files of the project's folder that differ between
// two commits, sorted by path. A renamed file is one that went and one that
// came. A commit that the repository lacks, as a shallow clone does, gives
// ErrNotFound.
func (r *Repo) ChangedBetween(ctx context.Context, old, new string) ([]FileChange, error) {
	for _, commit := range []string{old, new} {
		_, ok, err := r.Resolve(ctx, commit)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("comparing %.12s with %.12s: commit %.12s: %w", old, new, commit, ErrNotFound)
		}
	}
	out, err := r.run(ctx, nil, nil, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--relative", "--end-of-options", old, new, "--")
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("comparing %.12s with %.12s: %w", old, new, err)
	}
	// ":100644 100644 <old> <new> M" NUL path NUL
	// (https://git-scm.com/docs/git-diff-tree, "RAW OUTPUT FORMAT").
	fields := splitNUL(out)
	var changes []FileChange
	for i := 0; i+1 < len(fields); i += 2 {
		words := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(words) != 5 {
			return nil, fmt.Errorf("comparing %.12s with %.12s: git says %q, which is no change of a file", old, new, fields[i])
		}
		changes = append(changes, FileChange{Path: fields[i+1], Old: object(words[2]), New: object(words[3])})
	}
	slices.SortFunc(changes, func(a, b FileChange) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
}

// object is an object's name, "" for the name of none, which is all zeros.
func object(name string) string {
	if strings.Trim(name, "0") == "" {
		return ""
	}
	return name
}

// Version is a file as a commit left it.
type Version struct {
	Commit  string
	Content []byte
}

// History is the versions of one file, newest first.
type History struct {
	Versions []Version
	// Complete says that no older version exists: neither was the list cut nor
	// is the clone a shallow one, as a CI job's checkout is by default.
	Complete bool
}

// History returns the versions of a file up to commit, at most most of them;
// path is relative to the project's folder. Only the first parents are
// followed, so that a branch which was merged is one version, whatever it did
// on the way; commits in which the file is gone are left out. Renames are not
// followed.
func (r *Repo) History(ctx context.Context, commit, path string, most int) (History, error) {
	path = filepath.ToSlash(path)
	if strings.ContainsAny(path, "\n\x00") {
		return History{}, fmt.Errorf("reading the history of %q: a path with a line break has none", path)
	}
	fail := func(err error) (History, error) {
		if ctx.Err() != nil {
			return History{}, ctx.Err()
		}
		return History{}, fmt.Errorf("reading the history of %s: %w", path, err)
	}
	shallow, err := r.run(ctx, nil, nil, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return fail(err)
	}
	out, err := r.run(ctx, nil, nil, "log", "--first-parent", "--format=%H", "--max-count="+strconv.Itoa(most+1), "--end-of-options", commit, "--", path)
	if err != nil {
		return fail(err)
	}
	commits := strings.Fields(string(out))
	h := History{Complete: len(commits) <= most && strings.TrimSpace(string(shallow)) == "false"}
	commits = commits[:min(len(commits), most)]
	if len(commits) == 0 {
		return h, nil
	}
	var names bytes.Buffer
	for _, c := range commits {
		names.WriteString(c + ":" + r.Prefix + path + "\n")
	}
	if out, err = r.run(ctx, nil, names.Bytes(), "cat-file", "--batch"); err != nil {
		return fail(err)
	}
	for _, c := range commits {
		content, rest, err := nextObject(out)
		if err != nil {
			return fail(err)
		}
		if content != nil {
			h.Versions = append(h.Versions, Version{Commit: c, Content: content})
		}
		out = rest
	}
	return h, nil
}

// nextObject takes one answer of cat-file --batch from out: "<name> <type>
// <size>", a line break, the content, a line break; or "<name> missing". The
// content of what is missing or no file is nil.
// https://git-scm.com/docs/git-cat-file, "BATCH OUTPUT".
func nextObject(out []byte) (content, rest []byte, err error) {
	line, rest, _ := bytes.Cut(out, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) >= 2 && words[len(words)-1] == "missing" {
		return nil, rest, nil
	}
	size := -1
	if len(words) == 3 {
		size, _ = strconv.Atoi(words[2])
	}
	if size < 0 || len(rest) < size+1 {
		return nil, nil, fmt.Errorf("git says %q, which is no object", line)
	}
	content, rest = rest[:size:size], rest[size+1:]
	if words[1] != "blob" {
		return nil, rest, nil
	}
	return content, rest, nil
}
