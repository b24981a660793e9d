package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/fetch"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// openedBundle is a verified bundle in a folder of the run.
type openedBundle struct {
	Digest string `json:"digest"`
	Dir    string `json:"dir"`
	bundle *bundle.Opened
	places []string // see namePlaces
	why    string   // nothing says its places, where they are sought
}

// load reads the data and finds what production runs. It is not a step that is
// remembered: it decides what the steps depend on.
func (s *session) load(ctx context.Context) error {
	c := s.project.Config
	if err := s.bringData(ctx); err != nil {
		return err
	}
	tables, err := s.project.Tables(ctx, s.project.Path(c.Data.Train), s.project.Path(c.Data.Eval))
	if err != nil {
		return err
	}
	s.trainRows, s.evalRows = tables[0], tables[1]
	s.exam = s.project.Exam(s.evalRows)
	columns, err := s.exam.Columns()
	if err != nil {
		return fault.Usage(err)
	}
	if err := evaluate.Check(ctx, s.trainRows, s.evalRows, s.exam.Task, s.exam.Data, columns); err != nil {
		return err
	}
	s.leakage, err = dataset.Leakage(ctx, s.trainRows, s.evalRows, dataset.LeakageOptions{
		Features: c.Data.Features, Label: c.Data.Label, ID: c.Data.ID, Group: c.Data.Group, Weight: c.Data.Weight, Time: c.Data.Time,
	})
	if err != nil {
		return err
	}

	from, err := s.project.BaseTree(ctx)
	if err != nil {
		return err
	}
	_, own := from.(project.Folder)
	s.baseBranchMissing = own && s.project.Commit != ""
	if s.deployed, err = s.project.Deployed(ctx, s.asked.Environment); err != nil {
		return err
	}
	if s.deployed != nil {
		if err := s.openProduction(ctx); err != nil {
			return err
		}
		if s.promotedExam, err = s.deployed.Exam(ctx); err != nil {
			return err
		}
		if err := s.fits(filepath.Join(s.baseline.Dir, s.baseline.bundle.Bundle.Model.File)); err != nil {
			return fmt.Errorf("the model in production is too large already: %w", err)
		}
	}
	if s.asked.Trained != "" {
		if err := s.loadChange(ctx); err != nil {
			return err
		}
	}
	if s.deployed != nil {
		if err := s.namePlaces(ctx); err != nil {
			return err
		}
		if err := errors.Join(s.answerable("baseline", s.baseline), s.answerable("anchor", s.anchor)); err != nil {
			return err
		}
	}
	_, err = s.link("begin", []any{s.env.Release, s.exam, s.project.Config, s.asked.Environment, s.trainRows.Digest(), s.baseline, s.anchor})
	return err
}

// bringData runs data.fetch where the data are not what dosirak.lock names.
func (s *session) bringData(ctx context.Context) error {
	if s.project.Config.Data.Fetch == "" {
		return nil
	}
	s.env.Observer.Start("fetch", "")
	r, err := Fetch(ctx, s.project, s.store, false, func(line string) { s.env.Observer.Update("fetch", 0, 0, line) })
	detail := "the data are what " + config.LockFile + " names"
	if r.Ran {
		detail = fmt.Sprintf("%d files", len(r.Data))
	}
	s.env.Observer.Done("fetch", detail, err)
	if err != nil || !r.Written {
		return err
	}
	if s.asked.Promote {
		return fault.Usage(fmt.Errorf("data.fetch wrote %s, which names the data: commit it, then run again; what is promoted is trained from a commit that names its data", config.LockFile))
	}
	s.env.Observer.Log("data.fetch wrote " + config.LockFile + ", which names the data by digest: commit it")
	return nil
}

// BringData runs data.fetch, where there is one, for a step that is made alone.
func BringData(ctx context.Context, p *project.Project, now func() time.Time) error {
	if p.Config.Data.Fetch == "" {
		return nil
	}
	kept, err := store.Open(p.Dir, store.Options{Now: now})
	if err != nil {
		return err
	}
	_, err = Fetch(ctx, p, kept, false, nil)
	return errors.Join(err, kept.Close())
}

// Fetch brings the data of a project whose config has data.fetch; update accepts
// what the source has today.
func Fetch(ctx context.Context, p *project.Project, kept *store.Store, update bool, log func(string)) (fetch.Result, error) {
	c := p.Config
	files := []string{c.Data.Train, c.Data.Eval}
	if from := c.Serve.Golden.From; from != "eval" {
		files = append(files, from)
	}
	return fetch.Ensure(ctx, fetch.Options{
		Dir: p.Dir, Command: c.Data.Fetch, Files: files, Update: update, Timeout: c.Train.Timeout.Std(), Store: kept, Log: log,
	})
}

// openProduction copies the baseline's and the anchor's bundles into the run.
func (s *session) openProduction(ctx context.Context) error {
	m := s.deployed.Manifest
	fetch := func(name, source, digest string) (*openedBundle, error) {
		dir, err := s.run.Path(name + "/bundle")
		if err != nil {
			return nil, err
		}
		b, err := s.deployed.Bundle(ctx, source, digest, dir)
		if err != nil {
			return nil, err
		}
		return &openedBundle{Digest: digest, Dir: dir, bundle: b}, nil
	}
	var err error
	if s.baseline, err = fetch("baseline", m.Sources.Bundle, m.Bundle); err != nil {
		return err
	}
	switch m.Anchor {
	case "", m.Bundle:
		s.anchor = s.baseline
	default:
		s.anchor, err = fetch("anchor", m.Sources.Anchor, m.Anchor)
	}
	return err
}
