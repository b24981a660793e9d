package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/reuse"

	"context"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
)

// writeProvenance writes the in-toto statement of the candidate beside its
// bundle and returns the facts that it holds.
func (s *session) writeProvenance(ctx context.Context, f stepResults) (provenance.Facts, error) {
	facts, err := provenance.Collect(ctx, s.project.Dir)
	if err != nil {
		return facts, err
	}
	if s.project.Commit != "" {
		facts.Source = provenance.SourceOf(s.project.Commit, s.project.Branch, s.project.Changed)
	}
	if s.asked.Trained != "" {
		// The statement is about the training, which was elsewhere.
		facts.Machine = provenance.Machine{}
	}
	c := s.project.Config
	facts.Model, facts.Bundle, facts.Release, facts.Run = c.Model, f.sealed.Digest, s.env.Release, s.run.ID()
	facts.Command, facts.Setup, facts.Seeds = c.Train.Command, c.Train.Setup, c.Train.Seeds
	facts.Data = []provenance.Digest{
		{Name: "train", Digest: s.trainRows.Digest()},
		{Name: "eval", Digest: s.evalRows.Digest()},
	}
	if len(f.trained.Replicates) > 0 {
		facts.Params = f.trained.Replicates[0].Params
	}
	for _, input := range f.trained.Inputs {
		facts.Inputs = append(facts.Inputs, provenance.Digest{Name: input.Path, Digest: input.Digest})
	}
	if s.staged != nil {
		return facts, s.originsOfStaged(ctx)
	}
	return facts, s.run.WriteFile("candidate/"+provenance.File, facts.Statement().Canonical())
}

// provenance is what the model came from, as lines for a reader; the whole
// statement is written beside the bundle.
func (s *session) provenance(facts provenance.Facts, used *reuse.Wear) []report.Fact {
	machine := facts.Machine.String()
	if s.asked.Trained != "" {
		machine = "trained on another machine, which its record does not name"
	}
	out := []report.Fact{
		{Name: "source", Value: report.NewProse(facts.Source.String())},
		{Name: "command", Value: report.NewProse(facts.Command)},
		{Name: "machine", Value: report.NewProse(machine)},
		{Name: "libraries", Value: report.Prosef("%d named by lock files", len(facts.Libraries))},
	}
	if used != nil {
		out = append(out, report.Fact{Name: "evaluation data", Value: report.NewProse(used.Sentence())})
	}
	for _, name := range slices.Sorted(maps.Keys(s.spent)) {
		out = append(out, report.Fact{Name: report.NewText("time of " + name), Value: report.NewProse(s.spent[name].Round(time.Millisecond).String())})
	}
	return out
}
