package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// Labels of a run that say what it was of.
const (
	labelConfig       = "config"
	labelConfigDigest = "config_digest"
	labelEnvironment  = "environment"
)

// RecordedConfig is the config that a run of the project in dir was of,
// relative to the project; "" where the record does not say.
func RecordedConfig(dir, run string) (string, error) {
	kept, err := store.Open(dir, store.Options{})
	if err != nil {
		return "", err
	}
	defer kept.Close()
	stored, err := find(kept, run)
	return stored.Labels[labelConfig], err
}

func find(kept *store.Store, run string) (store.Stored, error) {
	id, err := kept.Find(run)
	if err != nil {
		return store.Stored{}, err
	}
	return kept.Load(id)
}

// hasVerdict reports whether a run came to its verdict: then it is what it is, and
// nothing of it is made again.
func hasVerdict(run store.Stored) bool {
	_, err := os.Stat(filepath.Join(run.Dir, evidence.Report))
	return err == nil
}

// Promote proposes what a run found that came to its verdict. What counts is
// what the run was of: its config, its commit, its data, and the production
// that it was compared with. Nothing of the run is written; a project that has
// moved on is refused with what moved.
func Promote(ctx context.Context, p *project.Project, env Env, asked Request, run string) (Outcome, error) {
	kept, err := store.Open(p.Dir, store.Options{Now: env.Now, Log: env.Observer.Log})
	if err != nil {
		return Outcome{}, err
	}
	defer kept.Close()
	stored, err := find(kept, run)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Run: stored.ID, Dir: stored.Dir}
	if !hasVerdict(stored) {
		return out, fault.NoVerdict.Usage(fmt.Errorf("run %s ended before its verdict: finish it with `dosirak run --resume %s`, then promote it", stored.ID, stored.ID))
	}
	if asked.Environment, err = sameRequest(p, asked.Environment, stored); err != nil {
		return out, err
	}
	text, err := os.ReadFile(filepath.Join(stored.Dir, evidence.Report))
	if err != nil {
		return out, fault.Environment(fmt.Errorf("reading the report: %w", err))
	}
	r, err := report.Parse(text, report.DefaultLimits())
	if err != nil {
		return out, fault.StoreDamaged.Usage(fmt.Errorf("reading the report of run %s: %w", stored.ID, err))
	}
	out.Report, out.Verdict, out.Unchanged = *r, r.Verdict, r.Unchanged
	if r.Run.Dirty {
		return out, fault.DirtyTree.Usage(fmt.Errorf("run %s was of commit %.12s with changes that were not committed: what is promoted is trained from a commit; commit them and run again", stored.ID, r.Run.Commit))
	}
	// What the run was of, not what is checked out now.
	q := *p
	q.Commit, q.Changed = string(r.Run.Commit), nil
	if err := promotable(ctx, &q, env.Forge); err != nil {
		return out, err
	}
	s := &session{project: &q, env: env, asked: asked, store: kept}
	s.asked.Promote = true
	if s.run, err = kept.Reopen(ctx, stored.ID); err != nil {
		return out, err
	}
	if s.deployed, err = q.Deployed(ctx, asked.Environment); err != nil {
		return out, err
	}
	if s.deployed != nil && s.deployed.Manifest.Bundle == string(r.Candidate.Bundle) && !r.Unchanged {
		out.Unchanged = true
		out.Promotion = &promote.Outcome{Operation: promote.Skipped, Branch: promote.Branch(q.Config.Model, asked.Environment), Reason: "the candidate is the model in production"}
		return out, nil
	}
	found, err := s.recall(ctx, r)
	if err != nil {
		return out, err
	}
	out.Proposal, out.Promotion, err = s.promote(ctx, *r, found)
	return out, err
}

// ended reports whether the run that is to go on has come to its verdict, so
// that nothing is left but to promote it. Going on for anything else is refused,
// and so is going on with another config or environment.
func ended(p *project.Project, asked Request) (bool, error) {
	kept, err := store.Open(p.Dir, store.Options{})
	if err != nil {
		return false, err
	}
	defer kept.Close()
	stored, err := find(kept, asked.Resume)
	if err != nil {
		return false, err
	}
	if _, err := sameRequest(p, asked.Environment, stored); err != nil {
		return false, err
	}
	done := hasVerdict(stored)
	if done && !asked.Promote {
		return false, fault.BadCommand.Usage(fmt.Errorf("run %s has come to its verdict, and nothing of it is made again: see it with `dosirak report %s`, promote it with `dosirak promote %s`, or begin a new run", stored.ID, stored.ID, stored.ID))
	}
	return done, nil
}

// sameRequest refuses a run that was of another config or environment than is
// asked for, and returns the environment that it was of.
func sameRequest(p *project.Project, environment string, stored store.Stored) (string, error) {
	if config := stored.Labels[labelConfig]; config != "" && filepath.Clean(config) != filepath.Clean(p.ConfigPath) {
		return "", fault.MovedOn.Usage(fmt.Errorf("run %s is of %s, not of %s: name its config with --config, or name another run", stored.ID, config, p.ConfigPath))
	}
	of := stored.Labels[labelEnvironment]
	if environment == "" {
		environment = of
	}
	environment, err := p.Environment(environment)
	if err == nil && of != "" && of != environment {
		err = fault.MovedOn.Usage(fmt.Errorf("run %s was judged for %s, not for %s: judge it there with `dosirak run --environment %s`", stored.ID, of, environment, environment))
	}
	return environment, err
}

// recall takes up what the run's steps gave, and refuses where the project or
// production is no longer what they were made of.
func (s *session) recall(ctx context.Context, r *report.Report) (stepResults, error) {
	var f stepResults
	text, err := os.ReadFile(filepath.Join(s.run.Dir(), evidence.Exam))
	if err != nil {
		return f, fault.StoreDamaged.Usage(fmt.Errorf("reading the exam of run %s: %w", s.run.ID(), err))
	}
	if err := json.Unmarshal(text, &s.exam); err != nil {
		return f, fault.StoreDamaged.Usage(fmt.Errorf("reading the exam of run %s: %w", s.run.ID(), err))
	}
	steps := map[string]any{"train": &f.trained, "seal": &f.sealed, "evaluate": &f.answers, "compare": &f.judged, "image": &f.built}
	if earlier := s.earlier(); earlier != "" {
		delete(steps, "train")
		delete(steps, "seal")
		if s.staged, err = s.project.Deployed(ctx, earlier); err != nil {
			return f, err
		}
		f.sealed = sealed{Digest: string(r.Candidate.Bundle), Dir: filepath.Join(s.run.Dir(), "candidate", strings.TrimPrefix(string(r.Candidate.Bundle), "sha256:"))}
	}
	for name, into := range steps {
		if err := s.run.Recall(name, into); err != nil {
			return f, err
		}
	}
	moved, err := s.moved(ctx, r, f)
	if err != nil {
		return f, err
	}
	if len(moved) > 0 {
		return f, fault.MovedOn.Usage(fmt.Errorf("run %s can no longer be promoted, since the project has moved on: %s; run again", s.run.ID(), strings.Join(moved, ", ")))
	}
	if r.Baseline != nil {
		s.baseline, s.anchor = &openedBundle{Digest: string(r.Baseline.Bundle)}, &openedBundle{Digest: string(r.Anchor.Bundle)}
	}
	return f, nil
}

// moved says what is no longer as the run found it.
func (s *session) moved(ctx context.Context, r *report.Report, f stepResults) ([]string, error) {
	moved := s.productionMoved(r)
	now, err := configDigest(s.project)
	if err != nil {
		return nil, err
	}
	if was := s.run.Labels()[labelConfigDigest]; was != "" && was != now {
		moved = append(moved, s.project.ConfigPath+" was changed")
	}
	if s.staged != nil {
		if s.staged.Manifest.Bundle != string(r.Candidate.Bundle) {
			moved = append(moved, fmt.Sprintf("%s runs bundle %s now, not %s", s.earlier(), report.Digest(s.staged.Manifest.Bundle).Short(), r.Candidate.Bundle.Short()))
		}
	} else if len(f.trained.Inputs) > 0 {
		inputs, err := s.inputsMoved(ctx, f.trained.Inputs)
		if err != nil {
			return nil, err
		}
		moved = append(moved, inputs...)
	}
	for _, data := range []struct {
		path string
		was  *report.DataFile
	}{{s.project.Config.Data.Train, r.Run.Data.Train}, {s.project.Config.Data.Eval, r.Run.Data.Eval}} {
		told := slices.ContainsFunc(moved, func(m string) bool { return strings.HasPrefix(m, data.path+" ") })
		if data.was == nil || data.path == "" || told {
			continue
		}
		tables, err := s.project.Tables(ctx, s.project.Path(data.path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			moved = append(moved, data.path+" is gone")
		case err != nil:
			return nil, err
		case tables[0].Digest() != string(data.was.Digest):
			moved = append(moved, data.path+" was changed")
		}
	}
	return moved, nil
}

// productionMoved says where production is no longer what the run compared
// with.
func (s *session) productionMoved(r *report.Report) []string {
	environment := s.asked.Environment
	switch {
	case s.deployed == nil && r.Baseline == nil:
		return nil
	case s.deployed == nil:
		return []string{environment + " runs nothing now"}
	case r.Baseline == nil:
		return []string{fmt.Sprintf("%s runs bundle %s now, and ran nothing then", environment, report.Digest(s.deployed.Manifest.Bundle).Short())}
	}
	m, was := s.deployed.Manifest, string(r.Baseline.Bundle)
	if m.Bundle != was {
		return []string{fmt.Sprintf("%s runs bundle %s now, not %s", environment, report.Digest(m.Bundle).Short(), report.Digest(was).Short())}
	}
	anchor := m.Anchor
	if anchor == "" {
		anchor = m.Bundle
	}
	if r.Anchor != nil && anchor != string(r.Anchor.Bundle) {
		return []string{"the manifest of " + environment + " was changed"}
	}
	// The report names production's exam where that differs from today's. One of an
	// older form, which asks the same, has another digest and is not named.
	if i := slices.IndexFunc(r.Exams, func(e report.Exam) bool { return e.Role == report.Promoted }); i >= 0 && m.Exam != string(r.Exams[i].Digest) {
		return []string{"the manifest of " + environment + " was changed"}
	}
	return nil
}

// inputsMoved lists the files that the training depends on and that are other
// ones now.
func (s *session) inputsMoved(ctx context.Context, then []train.Input) ([]string, error) {
	o, err := s.trainOptions(ctx)
	if err != nil {
		return nil, err
	}
	now, err := train.Inputs(ctx, o)
	if err != nil {
		return nil, err
	}
	before := map[string]train.Input{}
	for _, input := range then {
		before[input.Path] = input
	}
	var moved []string
	for _, input := range now {
		was, known := before[input.Path]
		delete(before, input.Path)
		switch {
		case !known:
			moved = append(moved, input.Path+" is new")
		case was != input:
			moved = append(moved, input.Path+" was changed")
		}
	}
	for path := range before {
		moved = append(moved, path+" is gone")
	}
	slices.Sort(moved)
	if most := 5; len(moved) > most {
		moved = append(moved[:most], fmt.Sprintf("and %d more files", len(moved)-most))
	}
	return moved, nil
}
