package project

import (
	"context"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Tables reads tables as the config says that they are written, in the order of
// paths, which are absolute or relative to the working folder. Of what Git has of
// the project it is the content that Git stores: the digest of a table, which an
// exam holds, must not change with the line endings of a clone.
func (p *Project) Tables(ctx context.Context, paths ...string) ([]*dataset.Table, error) {
	contents, err := p.stored(ctx, paths)
	if err != nil {
		return nil, err
	}
	return dataset.ReadAll(ctx, dataset.Options{Separator: p.Config.Data.Separator}, contents, paths...)
}

// Table reads one table.
func (p *Project) Table(ctx context.Context, path string) (*dataset.Table, error) {
	tables, err := p.Tables(ctx, path)
	if err != nil {
		return nil, err
	}
	return tables[0], nil
}

// stored is the content of those files that Git stores with another content
// than they have in the work tree, by path.
func (p *Project) stored(ctx context.Context, paths []string) (map[string][]byte, error) {
	if p.Repo == nil {
		return nil, nil
	}
	at := map[string]string{}
	var inside []string
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fault.Environment(err)
		}
		rel, err := filepath.Rel(p.Dir, abs)
		if err == nil && filepath.IsLocal(rel) {
			rel = filepath.ToSlash(rel)
			inside, at[rel] = append(inside, rel), path
		}
	}
	if len(inside) == 0 {
		return nil, nil
	}
	stored, err := p.Repo.Stored(ctx, inside...)
	if err != nil {
		return nil, fault.Environment(err)
	}
	contents := map[string][]byte{}
	for rel, content := range stored {
		contents[at[rel]] = content
	}
	return contents, nil
}
