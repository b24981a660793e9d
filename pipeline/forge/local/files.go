package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// File returns a file of a commit; path is relative to the project's folder.
// One that the commit lacks is an error that is fs.ErrNotExist.
func (f *Forge) File(ctx context.Context, commit, path string) ([]byte, error) {
	data, err := f.Repo.Show(ctx, commit, path)
	if errors.Is(err, git.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return data, fault.Environment(err)
}

// Files lists the files below a folder of a commit, relative to the project's
// folder; none where there is no such folder.
func (f *Forge) Files(ctx context.Context, commit, folder string) ([]string, error) {
	names, err := f.Repo.List(ctx, commit, folder)
	return names, fault.Environment(err)
}
