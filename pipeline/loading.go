package pipeline

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// opened is a verified bundle in a folder of the run.
type opened struct {
	Digest string `json:"digest"`
	Dir    string `json:"dir"`
	bundle *bundle.Opened
}

// load reads the data and finds what production runs. It is not a step that is
// remembered: it decides what the steps depend on.
func (l *line) load(ctx context.Context) error {
	c := l.project.Config
	var g errgroup.Group
	g.Go(func() (err error) { l.trainRows, err = dataset.Read(l.project.Path(c.Data.Train)); return err })
	g.Go(func() (err error) { l.evalRows, err = dataset.Read(l.project.Path(c.Data.Eval)); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	if _, err := l.evalRows.Need(c.Data.Label); err != nil {
		return err
	}
	if l.evalRows.Rows() == 0 {
		return fault.Usage(fmt.Errorf("%s has a header and no rows: there is nothing to evaluate on", c.Data.Eval))
	}
	var err error
	l.leakage, err = dataset.Leakage(l.trainRows, l.evalRows, dataset.LeakageOptions{
		Features: c.Data.Features, Label: c.Data.Label, ID: c.Data.ID, Group: c.Data.Group, Weight: c.Data.Weight, Time: c.Data.Time,
	})
	if err != nil {
		return err
	}
	l.exam = c.Exam(l.evalRows.Digest())

	from, err := l.project.BaseTree(ctx)
	if err != nil {
		return err
	}
	_, own := from.(project.Folder)
	l.unvouched = own && l.project.Commit != ""
	if l.production, err = l.project.Deployed(ctx, l.asked.Environment); err != nil {
		return err
	}
	if l.production != nil {
		if err := l.openProduction(ctx); err != nil {
			return err
		}
		if l.promotedExam, err = l.production.Exam(ctx); err != nil {
			return err
		}
	}
	_, err = l.link("begin", []any{l.env.Release, l.exam, c, l.asked.Environment, l.trainRows.Digest(), l.baseline, l.anchor})
	return err
}

// openProduction copies the baseline's and the anchor's bundles into the run.
func (l *line) openProduction(ctx context.Context) error {
	m := l.production.Manifest
	fetch := func(name, source, digest string) (*opened, error) {
		dir, err := l.run.Path(name + "/bundle")
		if err != nil {
			return nil, err
		}
		b, err := l.production.Bundle(ctx, source, digest, dir)
		if err != nil {
			return nil, err
		}
		return &opened{Digest: digest, Dir: dir, bundle: b}, nil
	}
	var err error
	if l.baseline, err = fetch("baseline", m.Sources.Bundle, m.Bundle); err != nil {
		return err
	}
	switch m.Anchor {
	case "", m.Bundle:
		l.anchor = l.baseline
	default:
		l.anchor, err = fetch("anchor", m.Sources.Anchor, m.Anchor)
	}
	return err
}
