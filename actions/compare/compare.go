// Package compare is the action that judges models which were trained
// elsewhere, as data: nothing of the change runs, so that a fork cannot forge a
// verdict. With two predictions files instead, it judges those, of any tool.
package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/actions/run"
	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Files are predictions of the same rows.
type Files struct{ Candidate, Baseline, Anchor, Config string }

// Compare judges predictions files.
type Compare func(ctx context.Context, f Files) (compare.Result, error)

// Action returns the action.
func Action(walk run.Walk, files Compare) runner.Action {
	return runner.Action{
		Name:    "compare",
		Short:   "Judge models that were trained elsewhere, or two predictions files",
		Inputs:  []string{"trained", "candidate", "baseline", "anchor", "directory", "config", "environment", "smoke", "accepted", "acknowledge-exam"},
		Outputs: append(slices.Clone(run.Outputs), "reason"),
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			f := Files{Candidate: j.Input("candidate"), Baseline: j.Input("baseline"), Anchor: j.Input("anchor"), Config: j.Input("config")}
			asked := pipeline.Request{Trained: j.Input("trained"), Environment: j.Input("environment"), Profile: j.Input("smoke")}
			directory := j.Input("directory")
			switch {
			case asked.Trained != "" && f.Candidate != "", asked.Trained == "" && f.Candidate == "":
				return 0, fault.Usage(errors.New("say what to judge: input trained, the folder of a training, or input candidate, a predictions file"))
			case f.Candidate != "":
				return judgeFiles(ctx, j, files, f)
			}
			p, err := j.Open(ctx, directory, f.Config)
			if err != nil {
				return 0, err
			}
			if err := alone(ctx, p, j.Event); err != nil {
				return run.Conclude(j, p, pipeline.Outcome{}, err)
			}
			// The event names the commit: what a fork's training says of itself
			// counts for nothing.
			asked.TrainedAt = j.Event.Head.Commit
			accepted, err := j.Bool("accepted")
			if err != nil {
				return 0, err
			}
			if asked.AcknowledgeExam, err = j.Bool("acknowledge-exam"); err != nil {
				return 0, err
			}
			asked.Witness, asked.Rows = witness(j.Event, accepted), run.Rows(ctx, p)
			out, err := walk(ctx, p, run.Given{}, asked)
			return run.Conclude(j, p, out, err)
		},
	}
}

// alone refuses a pull request that alters a model and brings a manifest along.
// What is judged here is the model that the change trains, and merging would
// promote what nobody held against the base branch.
func alone(ctx context.Context, p *project.Project, e runner.Event) error {
	if p.Repo == nil || e.Kind != runner.WorkflowRun && e.Kind != runner.PullRequest || e.Head.Commit == "" {
		return nil
	}
	if _, there, err := p.Repo.Resolve(ctx, e.Head.Commit); err != nil || !there {
		return fault.Environment(err) // what is not here was not fetched by the plan either, which says so
	}
	began, err := p.Repo.MergeBase(ctx, p.Commit, e.Head.Commit)
	if err != nil {
		return fault.Usage(fmt.Errorf("where the change began is not in this clone: give actions/checkout fetch-depth: 0: %w", err))
	}
	files, err := p.Repo.ChangedBetween(ctx, began, e.Head.Commit)
	if err != nil {
		return fault.Environment(err)
	}
	var changed, manifests []string
	for _, f := range files {
		changed = append(changed, f.Path)
	}
	for _, environment := range p.Config.Promote.Environments {
		name, err := p.Config.ManifestPath(environment)
		if err != nil {
			return fault.Usage(err)
		}
		manifests = append(manifests, name)
	}
	if file := onboard.Promoted(changed, manifests); file != "" {
		return fault.Usage(fmt.Errorf("the change alters the model and %q, which a promotion writes: merging it would promote what was not verified; a promotion is a pull request of its own, so take the file out of this one", file))
	}
	return nil
}

// witness says who saw the training. A push is trained by jobs of the base
// branch's own workflow; a pull request by those of the change.
func witness(e runner.Event, accepted bool) pipeline.Witness {
	switch {
	case e.Fork && !accepted:
		return pipeline.Unvouched
	case e.Kind == runner.WorkflowRun || e.Kind == runner.PullRequest:
		return pipeline.Claimed
	}
	return pipeline.Seen
}

func judgeFiles(ctx context.Context, j *runner.Job, files Compare, f Files) (int, error) {
	result, err := files(ctx, f)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(j.Out, "%s on %d rows\n", result.Verdict, result.N)
	j.Summarise(fmt.Sprintf("**%s** on %d rows\n\n| metric | verdict |\n|---|---|\n", result.Verdict, result.N))
	for _, m := range result.Metrics {
		fmt.Fprintf(j.Out, "  %s: %s\n", m.Name, m.Verdict)
		// Names of metrics come from a closed alphabet.
		j.Summarise(fmt.Sprintf("| `%s` | %s |\n", m.Name, m.Verdict))
	}
	return result.Verdict.ExitCode(), j.Set("verdict", string(result.Verdict))
}
