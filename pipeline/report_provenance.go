package pipeline

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/reuse"
	"github.com/dosirak-ml/dosirak/pipeline/train"
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
		if e := f.trained.Elsewhere; e != nil {
			facts.Machine, facts.Runtime = e.Machine, &e.Runtime
		}
	}
	c := s.project.Config
	facts.Model, facts.Bundle, facts.Release, facts.Run = c.Model, f.sealed.Digest, s.env.Release, s.run.ID()
	facts.Command, facts.Setup, facts.Seeds = c.Train.Command, c.Train.Setup, c.Train.Seeds
	facts.Data = []provenance.Digest{
		{Name: "train", Digest: s.trainRows.Digest()},
		{Name: "eval", Digest: s.evalRows.Digest()},
	}
	facts.Started, facts.Ended = s.run.Started(), s.env.Now()
	if s.asked.Trained == "" && s.staged == nil {
		r := f.trained.Runtime
		facts.Runtime = &provenance.Runtime{Executor: r.Executor, Threads: r.Threads, Tools: r.Tools}
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
func (s *session) provenance(facts provenance.Facts, used *reuse.Reuse) []report.Fact {
	machine := facts.Machine.String()
	switch {
	case s.asked.Trained != "" && facts.Machine != (provenance.Machine{}):
		machine += ", as the record of the training says"
	case s.asked.Trained != "":
		machine = "trained on another machine, which its record does not name"
	}
	out := []report.Fact{
		{Name: "source", Value: report.NewProse(facts.Source.String())},
		{Name: "command", Value: report.NewProse(facts.Command)},
		{Name: "machine", Value: report.NewProse(machine)},
		{Name: "libraries", Value: report.Prosef("%d named by lock files", len(facts.Libraries))},
	}
	if r := facts.Runtime; r != nil {
		if text := r.String(); text != "" {
			out = append(out, report.Fact{Name: "installed", Value: report.NewProse(text)})
		}
		threads := train.Runtime{Threads: r.Threads}.Cores()
		if threads == "" {
			threads = "as the environment's variables say"
		}
		out = append(out, report.Fact{Name: "threads", Value: report.Prosef("%s for each replicate", threads)})
	}
	if used != nil {
		out = append(out, report.Fact{Name: "evaluation data", Value: report.NewProse(used.Sentence())})
	}
	for _, name := range slices.Sorted(maps.Keys(s.spent)) {
		out = append(out, report.Fact{Name: report.NewText("time of " + name), Value: report.NewProse(s.spent[name].Round(time.Millisecond).String())})
	}
	return out
}

// unlocked is the warning for a training whose libraries no lock file names:
// nobody could install them again.
func unlocked(dir string, facts provenance.Facts) string {
	if len(facts.Libraries) > 0 || train.HasLockFile(dir) {
		return ""
	}
	text := "0 libraries are named by lock files: what the model was trained with cannot be installed again from the commit; "
	for _, t := range facts.Runtime.Installed() {
		if t == "python" {
			return text + "write one (pip freeze > requirements.lock, uv lock), and commit it"
		}
	}
	return text + "commit one if the trainer uses any"
}

// digestOfModel is that of a model's file; "" for a model that is a folder.
func digestOfModel(path string) (report.Digest, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return "", nil
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fault.Environment(fmt.Errorf("reading a replicate: %w", err))
	}
	return report.Digest(digest.Of(data)), nil
}
