package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
)

// writeProvenance writes the in-toto statement of the candidate beside its
// bundle and returns the facts that it holds.
func (l *line) writeProvenance(ctx context.Context, f findings) (provenance.Facts, error) {
	facts, err := provenance.Collect(ctx, l.project.Dir)
	if err != nil {
		return facts, err
	}
	if l.project.Commit != "" {
		facts.Source = provenance.SourceOf(l.project.Commit, l.project.Branch, l.project.Changed)
	}
	if l.asked.Trained != "" {
		// The statement is about the training, which was elsewhere.
		facts.Machine = provenance.Machine{}
	}
	c := l.project.Config
	facts.Model, facts.Bundle, facts.Release, facts.Run = c.Model, f.sealed.Digest, l.env.Release, l.run.ID()
	facts.Command, facts.Setup, facts.Seeds = c.Train.Command, c.Train.Setup, c.Train.Seeds
	facts.Data = []provenance.Digest{
		{Name: "train", Digest: l.trainRows.Digest()},
		{Name: "eval", Digest: l.evalRows.Digest()},
	}
	if len(f.trained.Replicates) > 0 {
		facts.Params = f.trained.Replicates[0].Params
	}
	for _, input := range f.trained.Inputs {
		facts.Inputs = append(facts.Inputs, provenance.Digest{Name: input.Path, Digest: input.Digest})
	}
	if l.staged != nil {
		return facts, l.originsOfStaged(ctx)
	}
	return facts, l.run.WriteFile("candidate/"+provenance.File, facts.Statement().Canonical())
}
