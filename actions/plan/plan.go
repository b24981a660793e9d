// Package plan is the action that says what there is to do: which projects the
// repository has, what a change is to each, and which seeds are trained. It
// reads files and commits and runs nothing of the change's.
package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// GitHub says how a pull request is labelled.
type GitHub interface {
	// Labels are those of the open pull request of a head.
	Labels(ctx context.Context, head runner.Head) ([]string, error)
}

// Open returns GitHub as the token of the job sees it.
type Open func(j *runner.Job, token string) (GitHub, error)

// Action returns the action.
func Action(open Open) runner.Action {
	return runner.Action{
		Name:    "plan",
		Short:   "Say which models a change affects and which seeds are trained",
		Inputs:  []string{"directories", "token"},
		Secrets: []string{"token"},
		Outputs: []string{"models", "environments", "changed", "manifests", "next", "train", "has-changed", "has-manifests", "has-next", "acknowledged"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			if err := plan(ctx, j); err != nil {
				return 0, err
			}
			return 0, j.Set("acknowledged", strconv.FormatBool(acknowledged(ctx, j, open)))
		},
	}
}

// acknowledged reports whether a maintainer gave the pull request that is
// judged the label by which another exam is accepted. What cannot be read was
// not given.
func acknowledged(ctx context.Context, j *runner.Job, open Open) bool {
	if j.Event.Kind != runner.WorkflowRun || j.Event.Action != "completed" {
		return false
	}
	github, err := open(j, j.Input("token"))
	if err == nil {
		var labels []string
		if labels, err = github.Labels(ctx, j.Event.Head); err == nil {
			return slices.Contains(labels, report.AcceptExam)
		}
	}
	j.Warn("the labels of the pull request could not be read, so nobody has accepted another exam: %s", err)
	return false
}

// model is one project in one environment, as a workflow's matrix has it.
type model struct {
	Directory   string         `json:"directory"`
	Model       string         `json:"model"`
	Environment string         `json:"environment"`
	Change      onboard.Change `json:"change"`
}

// replicate is one job of training.
type replicate struct {
	Directory string `json:"directory"`
	Model     string `json:"model"`
	Seed      int64  `json:"seed"`
}

func plan(ctx context.Context, j *runner.Job) error {
	repo, err := git.Open(ctx, ".")
	if err != nil {
		return fault.Usage(fmt.Errorf("looking for models: %w; actions/checkout comes first", err))
	}
	files, err := repo.Tracked(ctx)
	if err != nil {
		return fault.Environment(err)
	}
	everything := onboard.Discover(files)
	folders := j.List("directories")
	if len(folders) == 0 {
		folders = everything
	}
	if len(folders) == 0 {
		return fault.ConfigAbsent.Usage(fmt.Errorf("there is no %s in this repository: write one, or name its folder in input directories", onboard.ConfigFile))
	}
	old, head, why := span(ctx, repo, j.Event)
	if why != "" {
		j.Notice("every model is taken for changed: %s", why)
	}
	models, environments, changed, manifests, next, train := []model{}, []model{}, []model{}, []model{}, []model{}, []replicate{}
	for _, folder := range folders {
		p, err := j.Open(ctx, filepath.FromSlash(folder), "")
		if err != nil {
			return err
		}
		at := changes{project: p, nested: nested(path.Clean(filepath.ToSlash(folder)), everything), event: j.Event, old: old, head: head}
		found, err := at.classify(ctx)
		if err != nil {
			return err
		}
		m := model{Directory: path.Clean(filepath.ToSlash(folder)), Model: p.Config.Model, Change: found}
		if m.Environment, err = p.Environment(""); err != nil {
			return err
		}
		fmt.Fprintf(j.Out, "%s in %q: %s\n", m.Model, m.Directory, m.Change)
		models = append(models, m)
		for i, environment := range p.Config.Promote.Environments {
			e := m
			e.Environment = environment
			environments = append(environments, e)
			if i == 0 {
				continue
			}
			// It takes the bundle of the one before it, which has to run one.
			waits, err := at.waits(ctx, i)
			if err != nil {
				return err
			}
			if waits {
				next = append(next, e)
			}
		}
		switch found {
		case onboard.Manifest:
			manifests = append(manifests, m)
		case onboard.Model:
			changed = append(changed, m)
			for _, seed := range p.Config.Train.Seeds {
				train = append(train, replicate{m.Directory, m.Model, seed})
			}
		}
	}
	values := map[string]string{"has-changed": strconv.FormatBool(len(changed) > 0), "has-manifests": strconv.FormatBool(len(manifests) > 0), "has-next": strconv.FormatBool(len(next) > 0)}
	for name, list := range map[string]any{"models": models, "environments": environments, "changed": changed, "manifests": manifests, "next": next, "train": train} {
		// An object of lists is what a matrix takes; include names whole jobs.
		data, err := json.Marshal(map[string]any{"include": list})
		if err != nil {
			return err
		}
		values[name] = string(data)
	}
	return j.SetAll(values)
}

// span returns the two commits between which a change lies. Where they cannot
// be told, why says so and everything counts as changed: a job too many costs
// minutes, one too few would let a change pass unseen.
func span(ctx context.Context, repo *git.Repo, e runner.Event) (old, head, why string) {
	head = e.Head.Commit
	if head == "" {
		return "", "", fmt.Sprintf("the event %q is about no change", e.Kind)
	}
	if e.Kind == runner.Push {
		old = e.Before
	} else {
		// A change is what its branch adds, not what the base got in the meantime.
		against := e.BaseCommit
		if against == "" {
			against = "HEAD" // of the default branch, which a workflow_run checks out
		}
		var err error
		if old, err = repo.MergeBase(ctx, against, head); err != nil {
			return "", "", "where its branch began is not in this clone; give actions/checkout fetch-depth: 0"
		}
	}
	for _, commit := range []string{old, head} {
		if commit == "" {
			return "", "", "where it began is not known"
		}
		if _, ok, err := repo.Resolve(ctx, commit); err != nil || !ok {
			return "", "", fmt.Sprintf("commit %.12s is not in this clone; give actions/checkout fetch-depth: 0", commit)
		}
	}
	return old, head, ""
}

// nested lists the projects inside a folder, relative to it.
func nested(folder string, everything []string) []string {
	var list []string
	for _, other := range everything {
		if folder == "." && other != "." {
			list = append(list, other)
		} else if rest, inside := strings.CutPrefix(other, folder+"/"); inside {
			list = append(list, rest)
		}
	}
	return list
}
