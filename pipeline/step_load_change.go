package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// loadChange reads the exam and the rows of a change that another machine
// trained, out of its commit and as data: nothing of it is run, and no file of
// it is written. Where they differ from the base branch's, today's question is
// the change's and the base branch's own is asked beside it, as a laptop asks
// production's: the worse verdict counts, so that a change can alter its exam
// and cannot grade itself by it.
//
// Where the commit is not in this clone, or the exam is the same, the base
// branch's stays.
func (s *session) loadChange(ctx context.Context) error {
	if s.asked.TrainedAt == "" || s.project.Repo == nil {
		return nil
	}
	if _, there, err := s.project.Repo.Resolve(ctx, s.asked.TrainedAt); err != nil || !there {
		return err
	}
	tree := project.CommitTree{Repo: s.project.Repo, Commit: s.asked.TrainedAt, Branch: "the change"}
	text, err := tree.Read(ctx, s.project.ConfigPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	changed, err := config.Parse(s.project.ConfigPath+" of the change", text, project.Catalogue)
	if err != nil {
		return err
	}
	rows, err := s.tableOf(ctx, tree, changed, changed.Data.Eval, s.evalRows)
	if err != nil {
		return err
	}
	p := *s.project
	p.Config = s.asChanged(changed)
	today := p.Exam(rows)
	if len(exam.Changes(s.exam, today)) == 0 {
		return nil
	}
	if err := sameCommands(s.exam, today); err != nil {
		return err
	}
	train, err := s.tableOf(ctx, tree, changed, changed.Data.Train, s.trainRows)
	if err != nil {
		return err
	}
	base := s.exam
	s.promotedExam, s.promotedTable = &base, s.evalRows
	s.project, s.exam, s.evalRows, s.trainRows = &p, today, rows, train
	columns, err := today.Columns()
	if err != nil {
		return fault.Usage(err)
	}
	return evaluate.Check(ctx, train, rows, today.Task, today.Data, columns)
}

// asChanged is the change's config with what is no part of its exam as the base
// branch has it: where things are kept and what is promoted.
func (s *session) asChanged(changed *config.Config) *config.Config {
	c, base := *changed, s.project.Config
	c.Model, c.Promote.Environments, c.Promote.Manifest, c.Promote.Base = base.Model, base.Promote.Environments, base.Promote.Manifest, base.Promote.Base
	c.Serve.Repository, c.Data.Fetch, c.Mode = base.Serve.Repository, "", base.Mode
	return &c
}

// tableOf reads a table of the change; one that the base branch has too, and
// one that is not in Git, is the base branch's.
func (s *session) tableOf(ctx context.Context, tree project.CommitTree, c *config.Config, name string, base *dataset.Table) (*dataset.Table, error) {
	data, err := tree.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		if name == s.project.Config.Data.Eval || name == s.project.Config.Data.Train {
			return base, nil
		}
		return nil, fault.Usage(fmt.Errorf("%s of the change is not in its commit: data that are not in Git are judged once the base branch knows them", name))
	}
	if err != nil {
		return nil, err
	}
	if data, err = s.project.Repo.Content(ctx, name, data); err != nil {
		return nil, fault.Environment(err)
	}
	tables, err := dataset.ReadAll(ctx, dataset.Options{Separator: c.Data.Separator}, map[string][]byte{name: data}, name)
	if err != nil {
		return nil, err
	}
	return tables[0], nil
}

// sameCommands refuses a change of what is run: a metric's command is the
// change's own code, which has no business on this machine.
func sameCommands(base, today exam.Exam) error {
	known := map[string]string{}
	for _, m := range base.Metrics {
		known[m.Name] = m.Command
	}
	for _, m := range today.Metrics {
		if m.Command != "" && known[m.Name] != m.Command {
			return fault.Usage(fmt.Errorf("the change gives metric %s the command %q, and the command of a change is not run where it is judged: merge the command first, then the change that needs it", m.Name, m.Command))
		}
	}
	return nil
}
