package plan

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// remote is where actions/checkout keeps the branches of the repository.
const remote = "refs/remotes/origin/"

// versions bounds how many versions of a manifest are read.
const versions = 200

// changes is what there is to find out about a project.
type changes struct {
	project *project.Project
	nested  []string // projects inside this one's folder, relative to it
	event   runner.Event
	// old and head are the commits between which the change lies; old is "" where
	// it is not known.
	old, head string
}

// classify says what the change is to the project.
//
// A push to the base branch is not taken alone: GitHub cancels the run of a
// push that waits in a concurrency group when another one comes, and a run may
// fail or be lost. What the model is made of is therefore compared with the
// newest commit that was judged well enough to be proposed.
func (c changes) classify(ctx context.Context) (onboard.Change, error) {
	if c.head == "" {
		return onboard.Model, nil
	}
	old := c.old
	if c.event.Kind == runner.Push {
		judged, err := c.judged(ctx)
		if err != nil {
			return "", err
		}
		if judged == "" {
			return onboard.Model, nil
		}
		found, err := c.between(ctx, judged)
		if err != nil || found == onboard.Model || old == "" {
			return found, err
		}
	}
	if old == "" {
		return onboard.Model, nil
	}
	return c.between(ctx, old)
}

// between classifies what was changed since a commit.
func (c changes) between(ctx context.Context, old string) (onboard.Change, error) {
	files, err := c.project.Repo.ChangedBetween(ctx, old, c.head)
	if err != nil {
		return "", fault.Environment(err)
	}
	var changed, manifests []string
	for _, f := range files {
		changed = append(changed, f.Path)
	}
	for _, environment := range c.project.Config.Promote.Environments {
		name, err := c.project.Config.ManifestPath(environment)
		if err != nil {
			return "", fault.Usage(err)
		}
		manifests = append(manifests, name)
	}
	return onboard.Classify(changed, manifests, c.matters), nil
}

// matters reports whether the model or its exam depends on a file.
func (c changes) matters(file string) bool {
	cfg := c.project.Config
	if file == path.Clean(c.project.ConfigPath) || file == config.LockFile || file == cfg.Data.Train || file == cfg.Data.Eval {
		return true
	}
	named := slices.ContainsFunc(append([]string{cfg.Data.Fetch, cfg.Train.Notebook}, commands(cfg)...), func(command string) bool { return train.Names(command, file) })
	switch {
	case named:
		return true
	case len(cfg.Train.Inputs) > 0 && cfg.Serve.Dockerfile == "" && cfg.Serve.Command == "":
		return train.DependsOn(file, cfg.Train.Inputs, cfg.Train.Setup)
	case len(cfg.Train.Inputs) > 0 && train.DependsOn(file, cfg.Train.Inputs, cfg.Train.Setup):
		return true
	}
	// A server of one's own is made of whatever it likes.
	return !onboard.Documentation(file) && !onboard.Inside(file, c.nested)
}

// commands are those of the exam and of the server.
func commands(cfg *config.Config) []string {
	list := []string{cfg.Serve.Command, cfg.Serve.Golden.From}
	for _, m := range cfg.Metrics {
		list = append(list, m.Command)
	}
	return list
}

// judged returns the newest commit whose model was proposed or promoted, ""
// where there is none. The history of the manifest counts and not its newest
// version alone: after a rollback that is of an older commit.
func (c changes) judged(ctx context.Context) (string, error) {
	environment, err := c.project.Environment("")
	if err != nil {
		return "", err
	}
	name, err := c.project.Config.ManifestPath(environment)
	if err != nil {
		return "", fault.Usage(err)
	}
	history, err := c.project.Repo.History(ctx, c.head, name, versions)
	if err != nil {
		return "", fault.Environment(err)
	}
	var candidates []string
	for _, v := range history.Versions {
		m, err := codec.Parse(name, v.Content)
		switch {
		case err != nil:
		case m.Commit != "":
			candidates = append(candidates, m.Commit)
		default: // adopted: the model that ran when the manifest was written
			candidates = append(candidates, v.Commit)
		}
	}
	proposed := remote + promote.Branch(c.project.Config.Model, environment)
	if _, there, err := c.project.Repo.Resolve(ctx, proposed); err != nil {
		return "", fault.Environment(err)
	} else if there {
		messages, err := c.project.Repo.MessagesSince(ctx, c.head, proposed)
		if err != nil {
			return "", fault.Environment(err)
		}
		for _, message := range messages {
			if t, ours := promote.ParseTrailers(message); ours {
				candidates = append(candidates, t.Source)
			}
		}
	}
	return newest(ctx, c.project.Repo, candidates, c.head)
}

// newest picks the commit that has all the others behind it, among those that
// head has.
func newest(ctx context.Context, repo *git.Repo, candidates []string, head string) (string, error) {
	best := ""
	for _, commit := range slices.Compact(candidates) {
		if commit == "" || strings.HasPrefix(commit, "-") {
			continue
		}
		if _, there, err := repo.Resolve(ctx, commit); err != nil || !there {
			continue // rewritten history
		}
		behind, err := repo.IsAncestor(ctx, commit, head)
		if err != nil {
			return "", fault.Environment(fmt.Errorf("looking for what was judged: %w", err))
		}
		if !behind {
			continue
		}
		if best != "" {
			if behind, err = repo.IsAncestor(ctx, best, commit); err != nil {
				return "", fault.Environment(fmt.Errorf("looking for what was judged: %w", err))
			}
		}
		if behind {
			best = commit
		}
	}
	return best, nil
}

// waits reports whether an environment has still to take what the one before
// it runs. On a push, what is proposed already waits for a person and not for
// another run.
func (c changes) waits(ctx context.Context, i int) (bool, error) {
	environments := c.project.Config.Promote.Environments
	before, err := c.bundle(ctx, "HEAD", environments[i-1])
	if err != nil || before == "" {
		return false, err
	}
	runs, err := c.bundle(ctx, "HEAD", environments[i])
	if err != nil || runs == before || c.event.Kind != runner.Push {
		return runs != before, err
	}
	proposed, err := c.bundle(ctx, remote+promote.Branch(c.project.Config.Model, environments[i]), environments[i])
	return proposed != before, err
}

// unreadable stands for the bundle of a manifest that cannot be read: a job says
// why.
const unreadable = "unreadable"

// bundle is what a manifest names at a commit, "" where there is none.
func (c changes) bundle(ctx context.Context, ref, environment string) (string, error) {
	name, err := c.project.Config.ManifestPath(environment)
	if err != nil {
		return "", fault.Usage(err)
	}
	commit, there, err := c.project.Repo.Resolve(ctx, ref)
	if err != nil || !there {
		return "", nil
	}
	text, err := c.project.Repo.Show(ctx, commit, name)
	if err != nil {
		return "", nil // not there
	}
	m, err := codec.Parse(name, text)
	if err != nil {
		return unreadable + " " + environment, nil
	}
	return m.Bundle, nil
}
