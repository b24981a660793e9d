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
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
)

// Action returns the action.
func Action() runner.Action {
	return runner.Action{
		Name:    "plan",
		Short:   "Say which models a change affects and which seeds are trained",
		Inputs:  []string{"directories"},
		Outputs: []string{"models", "environments", "changed", "manifests", "next", "train", "has-changed", "has-manifests", "has-next"},
		Run:     func(ctx context.Context, j *runner.Job) (int, error) { return 0, plan(ctx, j) },
	}
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
