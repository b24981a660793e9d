package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Base is the project as a commit of the base branch has it: what a change is
// held against. Its config decides what is asked, its rows what is answered,
// and its manifests what is in production.
type Base struct {
	*Project
	Tree     CommitTree
	Commit   string
	workTree string // of the clone
}

// Base returns the project at the base branch's commit, or at another commit
// of this repository where one is named. Its files are written into dir, so
// that nothing of the change is read in their place. It returns nil where
// there is no Git or no such branch.
func (p *Project) Base(ctx context.Context, commit, dir string) (*Base, error) {
	if p.Repo == nil {
		return nil, nil
	}
	tree := CommitTree{Repo: p.Repo, Commit: commit, Branch: p.Config.Promote.Base}
	if commit != "" {
		if _, ok, err := p.Repo.Resolve(ctx, commit); err != nil || !ok {
			return nil, errors.Join(err, fault.ShallowClone.Usage(fmt.Errorf("commit %.12s of the base branch is not in this clone: get it with git fetch, or with fetch-depth: 0 for actions/checkout", commit)))
		}
	} else {
		from, err := p.BaseTree(ctx)
		if err != nil {
			return nil, err
		}
		found, ok := from.(CommitTree)
		if !ok {
			return nil, nil
		}
		tree = found
	}
	if _, err := tree.Read(ctx, p.ConfigPath); err != nil {
		return nil, fault.ConfigAbsent.Usage(fmt.Errorf("%s has no %s here, so there is nothing to hold a manifest against: merge the project first, then promote (%w)", tree, p.ConfigPath, err))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fault.Environment(fmt.Errorf("making a folder for the base branch: %w", err))
	}
	if err := p.Repo.Export(ctx, tree.Commit, dir); err != nil {
		return nil, fault.Environment(err)
	}
	base := *p
	base.Dir, base.Commit, base.Changed = dir, tree.Commit, nil
	var err error
	if base.Config, err = config.Load(filepath.Join(dir, p.ConfigPath), Catalogue); err != nil {
		return nil, fmt.Errorf("reading the config of %s: %w", tree, err)
	}
	return &Base{Project: &base, Tree: tree, Commit: tree.Commit, workTree: p.Dir}, nil
}

// Rows are the evaluation rows of the commit: what Git stores of them, whatever
// the export made of line endings. Rows that are not in Git are those of the
// work tree; the exam's digest says whether they are the right ones.
func (b *Base) Rows(ctx context.Context) (*dataset.Table, error) {
	name := b.Config.Data.Eval
	o := dataset.Options{Separator: b.Config.Data.Separator}
	data, err := b.Tree.Read(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dataset.Read(ctx, filepath.Join(b.workTree, filepath.FromSlash(name)), o)
	case err != nil:
		return nil, err
	}
	if data, err = b.Repo.Content(ctx, name, data); err != nil {
		return nil, fault.Environment(err)
	}
	path := b.Path(name)
	tables, err := dataset.ReadAll(ctx, o, map[string][]byte{path: data}, path)
	if err != nil {
		return nil, err
	}
	return tables[0], nil
}

// Exam is today's exam, on these rows.
func (p *Project) Exam(rows *dataset.Table) exam.Exam {
	e := p.Config.Exam(rows.Digest())
	e.Data.Columns = rows.ColumnDigests()
	return e
}
