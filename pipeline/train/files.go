package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
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
	// source is where the content lies, absolute, where that is not the path in
	// the project: training data behind a link.
	source string
}

// original is where the entry lies in the project itself.
func (o *Options) original(e entry) string {
	if e.source != "" {
		return e.source
	}
	return filepath.Join(o.Dir, filepath.FromSlash(e.path))
}

// in returns a function that says where an entry lies in a copy.
func in(root string) func(entry) string {
	return func(e entry) string { return filepath.Join(root, filepath.FromSlash(e.path)) }
}

// list finds what a working copy holds: sorted by path. It is what the training
// depends on too: what no digest covers is in no copy.
func (o *Options) list(ctx context.Context) ([]entry, error) {
	names, err := o.names(ctx)
	if err != nil {
		return nil, err
	}
	data, err := o.dataEntries(names)
	if err != nil {
		return nil, err
	}
	entries, err := o.choose(names, data)
	if err != nil {
		return nil, err
	}
	withheld, err := o.withheld()
	if err != nil {
		return nil, err
	}
	var kept []entry
	for _, e := range append(entries, data...) {
		out, err := withheld.has(o.original(e), e)
		if err != nil {
			return nil, err
		}
		if path, inside := o.dataInside(); out && inside && below(e.path, path) {
			return nil, fault.ForbiddenData.Usage(fmt.Errorf("training: the training data %s has the same content as withheld evaluation data: a model must not be trained on the rows it is judged by", e.path))
		}
		if !out {
			kept = append(kept, e)
		}
	}
	slices.SortFunc(kept, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return kept, o.checkInputs(kept)
}

// choose looks at the files that belong into the copy: the inputs and what
// their links lead to where inputs are named, else all; the training data and
// what dosirak itself writes or reads left out.
func (o *Options) choose(names []string, data []entry) ([]entry, error) {
	taken := map[string]bool{}
	for _, e := range data {
		taken[e.path] = true
	}
	dataPath, inside := o.dataInside()
	var entries []entry
	leadsToData := func(name string) bool { return inside && below(dataPath, name) }
	queue := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !o.isInput(name) && !leadsToData(name) })
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if taken[name] || o.isOwn(name) {
			continue
		}
		taken[name] = true
		// A link to the training data, or to a folder with it, makes room for
		// what it leads to.
		if leadsToData(name) && !slices.ContainsFunc(data, func(e entry) bool { return !below(e.path, dataPath) }) {
			continue
		}
		e, ok, err := o.entry(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		entries = append(entries, e)
		if target := path.Join(path.Dir(name), filepath.ToSlash(e.link)); e.link != "" && o.isInput(name) {
			for _, other := range names {
				if below(other, target) {
					queue = append(queue, other)
				}
			}
		}
	}
	return entries, nil
}

// isInput reports whether a file belongs to what training depends on: a lock
// file and what the setup names always do.
func (o *Options) isInput(name string) bool {
	return len(o.Inputs) == 0 || o.isSetup(name) || slices.ContainsFunc(o.Inputs, func(pattern string) bool { return glob(pattern, name) })
}

// isOwn reports whether a file is dosirak's own, and nobody asked for it by a
// pattern without wildcards.
func (o *Options) isOwn(name string) bool {
	return slices.ContainsFunc(o.Own, func(pattern string) bool { return glob(pattern, name) }) &&
		!slices.ContainsFunc(o.Inputs, func(pattern string) bool { return !hasWildcard(pattern) && glob(pattern, name) })
}

// dataEntries are the training data that lie in the project, links followed:
// data of another place may be linked into it, as DVC does with its cache. The
// content stands at the path that the config names, or where a link of the
// project that is in the copy itself leads to.
func (o *Options) dataEntries(names []string) ([]entry, error) {
	data, inside := o.dataInside()
	if !inside {
		return nil, nil
	}
	full := filepath.Join(o.Dir, filepath.FromSlash(data))
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		if target, linked := os.Readlink(full); linked == nil {
			return nil, fault.TrainingDataAbsent.Usage(fmt.Errorf("the training data %s is a link to %s, which is not there: bring the data (dvc pull, data.fetch), or mend the link", o.Data, target))
		}
		return nil, fault.TrainingDataAbsent.Usage(fmt.Errorf("the training data %s does not exist in %s: mend data.train, or name in data.fetch the command that brings it", o.Data, o.Dir))
	}
	at := data
	if rel, err := filepath.Rel(o.Dir, real); err == nil && filepath.IsLocal(rel) {
		for folder := path.Dir(data); folder != "."; folder = path.Dir(folder) {
			if slices.Contains(names, folder) { // only a link is listed that has something below it
				at = filepath.ToSlash(rel)
			}
		}
	}
	var entries []entry
	err = follow(real, at, map[string]bool{}, func(source, name string, info fs.FileInfo) {
		entries = append(entries, entry{path: name, mode: info.Mode().Perm(), size: info.Size(), source: source})
	})
	if err != nil {
		return nil, fault.TrainingDataAbsent.Usage(fmt.Errorf("reading the training data %s: %w", o.Data, err))
	}
	return entries, nil
}

// follow visits the files at source, which is called name, over links. seen
// holds the folders above, so that a link to one of them ends.
func follow(source, name string, seen map[string]bool, visit func(source, name string, info fs.FileInfo)) error {
	real, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		visit(real, name, info)
		return nil
	}
	if !info.IsDir() || seen[real] {
		return nil
	}
	seen[real] = true
	defer delete(seen, real)
	list, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for _, item := range list {
		if item.Name() == ".git" || item.Name() == store.Folder {
			continue
		}
		if err := follow(filepath.Join(real, item.Name()), name+"/"+item.Name(), seen, visit); err != nil {
			return err
		}
	}
	return nil
}

// names lists the candidates: what Git has or would take, and inputs that are
// named one by one, for those may be ignored by Git.
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
	for _, name := range o.Inputs {
		if hasWildcard(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
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
	return fault.WorkingCopy.Environment(fmt.Errorf("making working copies: %w", err))
}

// walk lists the files below root/name, Git's and the store's own left out.
func walk(root, name string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(filepath.Join(root, filepath.FromSlash(name)), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.WorkingCopy.Usage(fmt.Errorf("making working copies: %w", err))
		}
		if d.IsDir() {
			if base := d.Name(); base == ".git" || base == store.Folder {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return fault.WorkingCopy.Usage(fmt.Errorf("making working copies: %w", err))
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
		return entry{}, false, fault.WorkingCopy.Usage(fmt.Errorf("making working copies: %w", err))
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
		return "", fault.WorkingCopy.Usage(fmt.Errorf("making working copies: %w", err))
	}
	refused := fault.WorkingCopy.Usage(fmt.Errorf("making working copies: the link %s leads to %s, out of the project: put the file into the project, bring it by data.fetch, or let Git ignore the link", name, target))
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

// has reports whether an entry, whose content is at place, is withheld.
func (w withheld) has(place string, e entry) (bool, error) {
	for _, path := range w.paths {
		if below(e.path, path) {
			return true, nil
		}
	}
	if digests := w.digests[e.size]; len(digests) > 0 && e.mode.IsRegular() {
		digest, err := digestFile(place)
		if err != nil {
			return false, fault.WorkingCopy.Usage(fmt.Errorf("making working copies: %w", err))
		}
		return slices.Contains(digests, digest), nil
	}
	return false, nil
}

// below reports whether path is folder or lies in it.
func below(path, folder string) bool {
	return path == folder || folder == "." || strings.HasPrefix(path, folder+"/")
}
