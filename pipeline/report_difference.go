package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/modeldiff"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/reuse"
)

// whyDifferent says what differs between the candidate and production: what
// went into them, and the rows that they answer differently.
func (s *session) whyDifferent(ctx context.Context, facts provenance.Facts, a answerSet) (*report.WhyDifferent, error) {
	if s.deployed == nil || s.baseline == nil || a.Baseline == nil {
		return nil, nil
	}
	out := &report.WhyDifferent{Changes: []report.Change{}}
	old, err := s.deployed.Statement(ctx)
	if err != nil {
		return nil, err
	}
	if old != nil {
		for _, c := range modeldiff.Changes(modeldiff.Input{Old: *old, New: facts.Statement()}) {
			out.Changes = append(out.Changes, report.Change{
				Kind: report.ChangeKind(c.Kind), Path: report.NewText(c.Path), Old: report.NewText(c.Old), New: report.NewText(c.New),
			})
		}
	}
	candidate, err := a.Candidate.read(ctx, s.exam)
	if err != nil {
		return nil, err
	}
	baseline, err := a.Baseline.read(ctx, s.exam)
	if err != nil {
		return nil, err
	}
	// Slices that a condition makes read columns too; by the levels of one such
	// as a distance there would be a line for every few rows.
	var levels []string
	for _, slice := range s.exam.Slices {
		if slice.Column != "" {
			levels = append(levels, slice.Column)
		}
	}
	flips, err := modeldiff.FlipsOf(candidate, baseline, levels)
	if err != nil {
		return nil, err
	}
	out.Flips = &report.Flips{N: flips.N, Of: flips.Of, Fixed: flips.Fixed, Regressed: flips.Regressed, Complete: flips.Complete}
	if s.exam.Task == exam.Regression {
		out.Flips.Moved = &flips.Moved
	}
	for _, f := range flips.Rows {
		out.Flips.Rows = append(out.Flips.Rows, report.Flip{
			ID: report.NewText(f.ID), Label: report.NewText(f.Label), Baseline: report.NewText(f.Baseline), Candidate: report.NewText(f.Candidate),
		})
	}
	for _, slice := range flips.BySlice {
		out.Flips.BySlice = append(out.Flips.BySlice, report.SliceFlip{Column: report.NewText(slice.Column), Level: report.NewText(slice.Level), N: slice.N, Of: slice.Of})
	}
	return out, nil
}

// maxHistory is how many versions of the manifest are looked at.
const maxHistory = 200

// reuse says how often today's evaluation data has decided a promotion; nil
// where there is no history to read.
func (s *session) reuse(ctx context.Context) (*reuse.Reuse, error) {
	if s.deployed == nil {
		return nil, nil
	}
	at, ok := s.deployed.From.(project.CommitTree)
	if !ok {
		return nil, nil
	}
	name, err := s.project.Config.ManifestPath(s.asked.Environment)
	if err != nil {
		return nil, fault.Usage(err)
	}
	history, err := s.project.Repo.History(ctx, at.Commit, name, maxHistory)
	if err != nil {
		return nil, fault.Environment(err)
	}
	var versions []reuse.Version
	for _, v := range history.Versions {
		m, err := codec.Parse(name, v.Content)
		if err != nil {
			continue // of another release, or broken for a while: it decided nothing that can be read
		}
		then := &project.Deployed{Manifest: m, From: project.CommitTree{Repo: s.project.Repo, Commit: v.Commit, Branch: at.Branch}, Bundles: s.project.Bundles}
		var e *exam.Exam
		if e, err = then.Exam(ctx); err != nil {
			e = nil
		}
		versions = append(versions, reuse.Version{Manifest: m, Exam: e})
	}
	w := reuse.Of(versions, history.Complete, s.exam)
	return &w, nil
}
