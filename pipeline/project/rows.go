package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// maxTables bounds how many tables of an old commit are read to find one.
const maxTables = 200

// RowsOf finds the evaluation rows of an earlier exam by the digest of their
// file: among the tables that Git tracks in the work tree, then among those of
// the commits, which are where a team that renews its evaluation data in place
// still has the old ones. What comes out of a commit is written into dir.
//
// Where the rows cannot be found it returns no table, and why.
func (p *Project) RowsOf(ctx context.Context, want, dir string, d *Deployed) (*dataset.Table, string, error) {
	if p.Repo == nil {
		return nil, fmt.Sprintf("the evaluation data %.19s… of the exam of production is not here, and there is no Git history to look in", want), nil
	}
	names, err := p.Repo.Tracked(ctx)
	if err != nil {
		return nil, "", fault.Environment(err)
	}
	here := p.tables(names)
	stored, err := p.Repo.Stored(ctx, here...)
	if err != nil {
		return nil, "", fault.Environment(err)
	}
	for _, name := range here {
		data, converted := stored[name]
		if !converted {
			data, err = os.ReadFile(p.Path(name))
		}
		if err == nil && digest.Of(data) == want {
			table, err := p.Table(ctx, p.Path(name))
			return table, "", err
		}
	}
	shallow := ""
	commits, err := p.promotedAt(ctx, d)
	if err != nil {
		return nil, "", err
	}
	for _, commit := range commits {
		_, ok, err := p.Repo.Resolve(ctx, commit)
		if err != nil {
			return nil, "", fault.Environment(err)
		}
		if !ok {
			shallow = fmt.Sprintf("; commit %.12s, which production was trained from, is not in this clone (git fetch --unshallow, or fetch-depth: 0 for actions/checkout)", commit)
			continue
		}
		table, err := p.rowsAt(ctx, want, dir, commit)
		if table != nil || err != nil {
			return table, "", err
		}
	}
	return nil, fmt.Sprintf("no table that Git tracks, here or in the commit that production was trained from, is the evaluation data %.19s… of the exam of production%s", want, shallow), nil
}

// promotedAt are the commits that may hold what production was judged on: the
// one it was trained from, and the one that changed its manifest last, which
// for a later environment is another.
func (p *Project) promotedAt(ctx context.Context, d *Deployed) ([]string, error) {
	var commits []string
	if d.Manifest.Commit != "" {
		commits = append(commits, d.Manifest.Commit)
	}
	base, ok := d.From.(CommitTree)
	if !ok {
		return commits, nil
	}
	name, err := p.Config.ManifestPath(d.Manifest.Environment)
	if err != nil {
		return nil, fault.Usage(err)
	}
	history, err := p.Repo.History(ctx, base.Commit, name, 1)
	if err != nil {
		return nil, fault.Environment(err)
	}
	if len(history.Versions) > 0 && !slices.Contains(commits, history.Versions[0].Commit) {
		commits = append(commits, history.Versions[0].Commit)
	}
	return commits, nil
}

// rowsAt looks among the tables of a commit.
func (p *Project) rowsAt(ctx context.Context, want, dir, commit string) (*dataset.Table, error) {
	names, err := p.Repo.List(ctx, commit, "")
	if err != nil {
		return nil, fault.Environment(err)
	}
	for i, name := range p.tables(names) {
		if i == maxTables {
			break
		}
		data, err := p.Repo.Show(ctx, commit, name)
		if errors.Is(err, git.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fault.Environment(err)
		}
		if digest.Of(data) != want {
			continue
		}
		file := filepath.Join(dir, path.Base(name))
		if err := writeFile(file, data); err != nil {
			return nil, fault.Environment(fmt.Errorf("keeping the evaluation data of commit %.12s: %w", commit, err))
		}
		return dataset.Read(ctx, file, dataset.Options{Separator: p.Config.Data.Separator})
	}
	return nil, nil
}

// tables are the names that can be read as a table, today's evaluation data
// first: it is the likeliest to have the name of the old.
func (p *Project) tables(names []string) []string {
	kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !dataset.Readable(name) })
	slices.SortStableFunc(kept, func(a, b string) int {
		switch p.Config.Data.Eval {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	return kept
}
