// Package promote is the action that takes the last step: it proposes what a
// run found, keeps an open proposal up to date, or takes it back when the base
// branch no longer passes.
package promote

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/comment"
	"github.com/dosirak-ml/dosirak/actions/run"
	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// GitHub is where promotions are proposed.
type GitHub interface {
	promote.Forge
	SetStatus(ctx context.Context, s comment.Status) error
	// Push brings an image to a registry.
	Push(ctx context.Context, built image.Built, repository string) error
}

// Asked is what a new pull request is given.
type Asked struct {
	Token, Registry          string // for GitHub's API, and for its registry of images
	Folder                   string // of the project below the top of the repository
	Labels, Reviewers, Teams []string
}

// Open returns GitHub as the token of the job sees it.
type Open func(j *runner.Job, a Asked) (GitHub, error)

// Action returns the action.
func Action(walk run.Walk, open Open) runner.Action {
	return runner.Action{
		Name:    "promote",
		Short:   "Propose what a run found as a pull request",
		Inputs:  []string{"run", "trained", "directory", "config", "environment", "acknowledge-exam", "again", "plan", "labels", "reviewers", "teams", "push", "token", "registry-token"},
		Outputs: []string{"operation", "branch", "commit", "pull-request", "url", "reason"},
		Secrets: []string{"token", "registry-token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			asked := pipeline.Request{Promote: true, Resume: j.Input("run"), Trained: j.Input("trained"), Environment: j.Input("environment")}
			var err error
			if asked.Again, err = j.Bool("again"); err != nil {
				return 0, err
			}
			if asked.AcknowledgeExam, err = j.Bool("acknowledge-exam"); err != nil {
				return 0, err
			}
			if asked.Plan, err = j.Bool("plan"); err != nil {
				return 0, err
			}
			p, err := j.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			github, err := open(j, Asked{
				Token: j.Input("token"), Registry: j.Input("registry-token"), Folder: prefix(p), Labels: j.List("labels"), Reviewers: j.List("reviewers"), Teams: j.List("teams"),
			})
			if err != nil {
				return 0, err
			}
			asked.Rows, asked.Links = run.Rows(ctx, p), pipeline.Links{Repository: j.Repository(), Run: j.Address()}
			if asked.Trained != "" {
				asked.TrainedAt = j.Event.Head.Commit
			}
			given := run.Given{Forge: github}
			push, err := j.Bool("push")
			if err != nil {
				return 0, err
			}
			if push {
				given.Push = github.Push
			}
			return propose(ctx, j, p, asked, walk, given, github)
		},
	}
}

func propose(ctx context.Context, j *runner.Job, p *project.Project, asked pipeline.Request, walk run.Walk, given run.Given, github GitHub) (int, error) {
	var err error
	if asked.Environment, err = p.Environment(asked.Environment); err != nil {
		return 0, err
	}
	out, err := walk(ctx, p, given, asked)
	if err != nil {
		return 0, err
	}
	did := out.Promotion
	for _, w := range did.Warnings {
		j.Warn("%s", w)
	}
	values := map[string]string{
		"operation": string(did.Operation), "branch": did.Branch, "commit": did.Commit, "url": did.Address, "reason": did.Reason,
	}
	if did.Number != 0 {
		values["pull-request"] = strconv.Itoa(did.Number)
	}
	if err := j.SetAll(values); err != nil {
		return 0, err
	}
	fmt.Fprintf(j.Out, "%s %s %s\n", did.Operation, did.Branch, did.Reason)
	if asked.Plan && out.Proposal != nil {
		fmt.Fprintf(j.Out, "\n# %s\n\n%s\n%s\n", out.Proposal.Title, out.Proposal.Body, out.Proposal.Message)
		for _, name := range out.Proposal.Paths() {
			fmt.Fprintln(j.Out, path.Join(prefix(p), name))
		}
	}
	if standing := []promote.Operation{promote.Created, promote.Updated, promote.Unchanged}; slices.Contains(standing, did.Operation) && did.Commit != "" {
		// A pull request that GITHUB_TOKEN opens starts no workflow, so its
		// checks are said here, where they were made.
		err := github.SetStatus(ctx, comment.Status{
			Model: p.Config.Model, Environment: asked.Environment, Commit: did.Commit, State: comment.Success,
			Description: "PASS: judged when it was proposed", Address: j.Address(),
		})
		if err != nil {
			return 0, fmt.Errorf("the proposal %s stands, but without the status that a branch rule asks for: %w", did.Address, err)
		}
	}
	if did.Operation == promote.Stopped || did.Operation == promote.Declined {
		j.Notice("nothing is proposed: %s", did.Reason)
	}
	// Whether this run or the one before it took the proposal back is no matter.
	if (did.Operation == promote.Skipped || did.Operation == promote.Withdrawn) && out.Verdict == verdict.Fail {
		return fault.CodeFailed, nil
	}
	return 0, nil
}

// prefix is the project's folder below the top of the repository.
func prefix(p *project.Project) string {
	if p.Repo == nil {
		return ""
	}
	return p.Repo.Prefix
}
