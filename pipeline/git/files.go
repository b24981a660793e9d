package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files lists the files of the project's folder that are tracked or, being
// new, not ignored; relative to it, with slashes, sorted. Submodules and
// repositories inside the folder are entered. A tracked file that was deleted
// from the work tree is listed too: the index has it.
func (r *Repo) Files(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("listing the files: %w", err)
	}
	var files []string
	for _, name := range splitNUL(out) {
		name = strings.TrimSuffix(name, "/") // a repository that is not a submodule
		dir := filepath.Join(r.Dir, filepath.FromSlash(name))
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			files = append(files, name)
			continue
		}
		// A submodule that is not checked out is an empty folder, in which git
		// would find this repository again.
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
			continue
		}
		inner, err := (&Repo{Dir: dir}).Files(ctx)
		if err != nil {
			return nil, fmt.Errorf("in %s: %w", name, err)
		}
		for _, file := range inner {
			files = append(files, name+"/"+file)
		}
	}
	// A file in conflict is listed once a side.
	slices.Sort(files)
	return slices.Compact(files), nil
}
