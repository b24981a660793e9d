package git

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Git may store something else than what lies in the work tree: line endings
// (text, eol, core.autocrlf), $Id$ (ident) and encodings (working-tree-encoding)
// are converted on the way in and out, so that the same commit has other bytes in
// another clone. A digest that is to mean the same everywhere is of what Git
// stores. https://git-scm.com/docs/gitattributes

// Stored returns the content that Git stores, or would store, of those of the
// given files whose content in the work tree is another. Paths are relative to
// the project's folder. What Git ignores is left out, and so is what a filter
// driver converts, as Git LFS and git-crypt do: the work tree has its content, and
// Git a substitute.
func (r *Repo) Stored(ctx context.Context, paths ...string) (map[string][]byte, error) {
	fail := func(err error) (map[string][]byte, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("reading what Git stores: %w", err)
	}
	attributes, err := r.attributes(ctx, paths)
	if err != nil {
		return fail(err)
	}
	var convertible []string
	for _, path := range paths {
		may, err := attributes[path].convert(filepath.Join(r.Dir, filepath.FromSlash(path)))
		if err != nil {
			return fail(err)
		}
		if may {
			convertible = append(convertible, path)
		}
	}
	if len(convertible) == 0 {
		return nil, nil
	}
	out, err := r.run(ctx, nil, nil, append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, convertible...)...)
	if err != nil {
		return fail(err)
	}
	known := splitNUL(out)
	if len(known) == 0 {
		return nil, nil
	}
	stored, err := r.clean(ctx, known)
	if err != nil {
		return fail(err)
	}
	for path, content := range stored {
		here, err := os.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(path)))
		if err != nil {
			return fail(err)
		}
		if bytes.Equal(here, content) {
			delete(stored, path)
		}
	}
	return stored, nil
}

// conversions are the attributes of one file that change its content, and what
// core.autocrlf says where they say nothing.
type conversions struct {
	values   map[string]string // set | unset | unspecified | a value
	autocrlf bool
}

var converting = []string{"text", "crlf", "eol", "ident", "working-tree-encoding", "filter"}

func (r *Repo) attributes(ctx context.Context, paths []string) (map[string]conversions, error) {
	out, err := r.run(ctx, nil, []byte(strings.Join(paths, "\x00")+"\x00"), append([]string{"check-attr", "-z", "--stdin"}, converting...)...)
	if err != nil {
		return nil, err
	}
	setting, err := r.setting(ctx, "core.autocrlf")
	if err != nil {
		return nil, err
	}
	all := map[string]conversions{}
	// "<path> NUL <attribute> NUL <value> NUL"
	// (https://git-scm.com/docs/git-check-attr, "OUTPUT").
	fields := splitNUL(out)
	for i := 0; i+2 < len(fields); i += 3 {
		c, ok := all[fields[i]]
		if !ok {
			c = conversions{values: map[string]string{}, autocrlf: setting == "true" || setting == "input"}
		}
		c.values[fields[i+1]] = fields[i+2]
		all[fields[i]] = c
	}
	return all, nil
}

// given reports whether an attribute is set to something.
func (c conversions) given(name string) bool {
	return c.values[name] != "" && c.values[name] != "unspecified" && c.values[name] != "unset"
}

// convert reports whether a file's content may be another one in Git. Most
// files hold nothing to convert, whatever the attributes say.
func (c conversions) convert(file string) (bool, error) {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || c.given("filter") {
		return false, nil // whoever reads a file that is not there says so
	}
	if c.given("working-tree-encoding") {
		return true, nil
	}
	text := c.given("text") || c.given("crlf") || c.given("eol") || c.autocrlf
	if c.values["text"] == "unset" || c.values["text"] == "unspecified" && c.values["crlf"] == "unset" {
		text = false
	}
	var marks [][]byte
	if text {
		marks = append(marks, []byte("\r\n"))
	}
	if c.given("ident") {
		marks = append(marks, []byte("$Id:"))
	}
	if len(marks) == 0 {
		return false, nil
	}
	return contains(file, marks)
}

// contains reports whether a file holds one of the marks.
func contains(file string, marks [][]byte) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const overlap = 8 // longer than any mark
	buffer := make([]byte, 0, 1<<16)
	for {
		n, err := f.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if slices.ContainsFunc(marks, func(mark []byte) bool { return bytes.Contains(buffer, mark) }) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		keep := min(overlap, len(buffer))
		buffer = append(buffer[:0], buffer[len(buffer)-keep:]...)
	}
}

// absolute is a path that git gave relative to the project's folder.
func (r *Repo) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.Dir, path)
}

// setting is a value of the configuration, "" where it is not set.
func (r *Repo) setting(ctx context.Context, name string) (string, error) {
	out, err := r.run(ctx, nil, nil, "config", "--default", "", "--get", name)
	return strings.TrimSpace(string(out)), err
}

// clean is the content of files as `git add` would store it: it is asked to, on a
// copy of the index and with a folder of its own for the objects, so that the
// repository stays as it is.
func (r *Repo) clean(ctx context.Context, paths []string) (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "dosirak-index-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out, err := r.run(ctx, nil, nil, "rev-parse", "--git-path", "index", "--git-path", "objects")
	if err != nil {
		return nil, err
	}
	index, objects, _ := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	index, objects = r.absolute(index), r.absolute(objects)
	copied := filepath.Join(dir, "index")
	if data, err := os.ReadFile(index); err == nil {
		if err := os.WriteFile(copied, data, 0o600); err != nil {
			return nil, err
		}
	} else if !os.IsNotExist(err) {
		return nil, err
	}
	env := []string{"GIT_INDEX_FILE=" + copied, "GIT_OBJECT_DIRECTORY=" + filepath.Join(dir, "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects}
	if err := os.Mkdir(filepath.Join(dir, "objects"), 0o700); err != nil {
		return nil, err
	}
	list := []byte(strings.Join(paths, "\x00") + "\x00")
	if _, err := r.run(ctx, env, list, "-c", "core.safecrlf=false", "-c", "core.splitIndex=false", "add", "--pathspec-from-file=-", "--pathspec-file-nul"); err != nil {
		return nil, err
	}
	out, err = r.run(ctx, env, nil, append([]string{"ls-files", "--stage", "-z", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	contents := map[string][]byte{}
	for _, entry := range splitNUL(out) {
		// "<mode> <object> <stage>" TAB path
		// (https://git-scm.com/docs/git-ls-files, "OUTPUT").
		words, path, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(words)
		if len(fields) != 3 || fields[2] != "0" {
			continue
		}
		if contents[path], err = r.run(ctx, env, nil, "cat-file", "blob", fields[1]); err != nil {
			return nil, err
		}
	}
	return contents, nil
}
