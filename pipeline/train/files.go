package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// entry is a file or link of the working copy.
type entry struct {
	path string      // relative to the project, with slashes
	mode fs.FileMode // permissions; type ModeSymlink for a link
	size int64
	link string // where a link leads, relative to the link
}

// list finds what a working copy holds: sorted by path.
func (o *Options) list(ctx context.Context) ([]entry, error) {
	names, err := o.names(ctx)
	if err != nil {
		return nil, err
	}
	withheld, err := o.withheld()
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, name := range names {
		e, ok, err := o.entry(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		out, err := withheld.has(o.Dir, e)
		if err != nil {
			return nil, err
		}
		if data, inside := o.dataInside(); out && inside && below(e.path, data) {
			return nil, fault.ForbiddenData.Usage(fmt.Errorf("training: the training data %s has the same content as withheld evaluation data: a model must not be trained on the rows it is judged by", e.path))
		}
		if !out {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// names lists the candidates: what Git has or would take, the training data,
// and inputs that are named one by one, for those may be ignored by Git.
func (o *Options) names(ctx context.Context) ([]string, error) {
	var names []string
	repo, err := git.Open(ctx, o.Dir)
	switch {
	case errors.Is(err, git.ErrNoRepository):
		o.note(fmt.Sprintf("%v: the working copies hold every file of the project", err))
	case err != nil:
		return nil, err
	default:
		if names, err = repo.Files(ctx); err != nil {
			return nil, o.gitError(ctx, err)
		}
		if len(names) == 0 {
			o.note("Git tracks no file here and ignores the rest: the working copies hold every file of the project")
		}
	}
	if len(names) == 0 {
		if names, err = walk(o.Dir, "."); err != nil {
			return nil, err
		}
	}
	extra := slices.Clone(o.Inputs)
	if data, inside := o.dataInside(); inside {
		extra = append(extra, data)
	}
	for _, name := range extra {
		if strings.ContainsAny(name, `*?[\`) || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		found, err := walk(o.Dir, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		names = append(names, found...)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == store.Folder || strings.HasPrefix(name, store.Folder+"/")
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (o *Options) gitError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Environment(fmt.Errorf("making working copies: %w", err))
}

// walk lists the files below root/name, Git's and the store's own left out.
func walk(root, name string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(name)), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.Usage(fmt.Errorf("making working copies: %w", err))
		}
		if d.IsDir() {
			if base := d.Name(); base == ".git" || base == store.Folder {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return fault.Usage(fmt.Errorf("making working copies: %w", err))
		}
		if d.Name() != ".git" { // a file of this name points to a repository
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	return names, err
}

// entry looks at one file. Not ok: nothing to copy, such as a tracked file
// that was deleted, or a socket.
func (o *Options) entry(name string) (e entry, ok bool, err error) {
	path := filepath.Join(o.Dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return entry{}, false, nil
	}
	if err != nil {
		return entry{}, false, fault.Usage(fmt.Errorf("making working copies: %w", err))
	}
	e = entry{path: name, mode: info.Mode().Perm(), size: info.Size()}
	switch {
	case info.Mode().IsRegular():
		return e, true, nil
	case info.Mode()&fs.ModeSymlink != 0:
		e.mode = fs.ModeSymlink
		e.link, err = o.link(name, path)
		return e, err == nil, err
	}
	return entry{}, false, nil
}

// link returns where a link leads, relative to itself. A link out of the
// project is refused: the replicate would depend on what is in no copy and in
// no digest.
func (o *Options) link(name, path string) (string, error) {
	target, err := os.Readlink(path)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("making working copies: %w", err))
	}
	refused := fault.WorkingCopy.Usage(fmt.Errorf("making working copies: the link %s leads to %s, out of the project: put the file into the project, get it by data.fetch, or let Git ignore the link", name, target))
	full := target
	if !filepath.IsAbs(full) {
		full = filepath.Join(filepath.Dir(path), full)
	}
	// Where it leads in the end, over other links, must lie inside as well as
	// where it says that it leads. What does not exist is judged by its name.
	ends := full
	if real, err := filepath.EvalSymlinks(full); err == nil {
		ends = real
	}
	for _, place := range []string{full, ends} {
		rel, err := filepath.Rel(o.Dir, place)
		if err != nil || !filepath.IsLocal(rel) {
			return "", refused
		}
	}
	if !filepath.IsAbs(target) {
		return target, nil
	}
	// An absolute link into the project would lead from the copy to the
	// original.
	rel, err := filepath.Rel(filepath.Dir(path), full)
	if err != nil {
		return "", refused
	}
	return rel, nil
}

// dataInside returns the training data relative to the project, when it lies
// inside.
func (o *Options) dataInside() (string, bool) {
	if o.Data == "" {
		return "", false
	}
	data := o.Data
	if filepath.IsAbs(data) {
		if real, err := filepath.EvalSymlinks(filepath.Dir(data)); err == nil {
			data = filepath.Join(real, filepath.Base(data))
		}
		rel, err := filepath.Rel(o.Dir, data)
		if err != nil {
			return "", false
		}
		data = rel
	}
	data = filepath.Clean(data)
	return filepath.ToSlash(data), filepath.IsLocal(data) && data != "."
}

// withheld tells which files no working copy gets.
type withheld struct {
	paths []string
	// digests of the withheld files by size, so that a copy under another
	// name is withheld too; most files are told apart by their size alone.
	digests map[int64][]string
}

func (o *Options) withheld() (withheld, error) {
	w := withheld{digests: map[int64][]string{}}
	for _, name := range o.Withheld {
		full := name
		if !filepath.IsAbs(full) {
			full = filepath.Join(o.Dir, filepath.FromSlash(name))
		}
		if rel, err := filepath.Rel(o.Dir, full); err == nil && filepath.IsLocal(rel) {
			w.paths = append(w.paths, filepath.ToSlash(rel))
		}
		if data, inside := o.dataInside(); inside && slices.ContainsFunc(w.paths, func(path string) bool { return below(data, path) }) {
			return w, fault.ForbiddenData.Usage(fmt.Errorf("training: the training data %s is, or lies in, what is withheld as evaluation data (%s): a model must not be trained on the rows it is judged by", o.Data, name))
		}
		real, err := filepath.EvalSymlinks(full)
		if err != nil {
			continue // not there, so there is nothing to withhold
		}
		err = filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil || info.Size() == 0 {
				return err
			}
			digest, err := digestFile(path)
			w.digests[info.Size()] = append(w.digests[info.Size()], digest)
			return err
		})
		if err != nil {
			return w, fault.Usage(fmt.Errorf("withholding %s: %w", name, err))
		}
	}
	return w, nil
}

func (w withheld) has(root string, e entry) (bool, error) {
	for _, path := range w.paths {
		if below(e.path, path) {
			return true, nil
		}
	}
	if digests := w.digests[e.size]; len(digests) > 0 && e.mode.IsRegular() {
		digest, err := digestFile(filepath.Join(root, filepath.FromSlash(e.path)))
		if err != nil {
			return false, fault.Usage(fmt.Errorf("making working copies: %w", err))
		}
		return slices.Contains(digests, digest), nil
	}
	return false, nil
}

// below reports whether path is folder or lies in it.
func below(path, folder string) bool {
	return path == folder || folder == "." || strings.HasPrefix(path, folder+"/")
}
