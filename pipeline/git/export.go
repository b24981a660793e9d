package git

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Export writes the project's folder as it is in a commit into dir, an empty
// folder, through a temporary index: neither the work tree nor the index of the
// user is touched. Submodules are left out.
func (r *Repo) Export(ctx context.Context, commit, dir string) error {
	failed := func(err error) error { return fmt.Errorf("exporting %.12s: %w", commit, err) }
	out, err := r.run(ctx, nil, nil, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return failed(err)
	}
	env := []string{
		"GIT_DIR=" + strings.TrimSpace(string(out)), "GIT_WORK_TREE=" + dir,
		"GIT_INDEX_FILE=" + filepath.Join(dir, ".export-index"),
	}
	elsewhere := &Repo{Dir: dir}
	if _, err := elsewhere.run(ctx, env, nil, "read-tree", commit+":"+strings.TrimSuffix(r.Prefix, "/")); err != nil {
		return failed(err)
	}
	if _, err := elsewhere.run(ctx, env, nil, "checkout-index", "--all"); err != nil {
		return failed(err)
	}
	return nil
}
