// Package verify is the action that holds a manifest against what can be
// computed anew. It reads the change as data: the base branch decides.
package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

// Action returns the action.
func Action() runner.Action {
	return runner.Action{
		Name:    "verify",
		Short:   "Hold a manifest against what can be computed anew",
		Inputs:  []string{"directory", "base-directory", "config", "environment", "acknowledged"},
		Outputs: []string{"holds", "verdict", "bundles", "waits"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			environment := j.Input("environment")
			p, err := j.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			temp, err := os.MkdirTemp("", "dosirak-verify-")
			if err != nil {
				return 0, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(temp)
			base, err := baseOf(ctx, j, p, filepath.Join(temp, "base"))
			if err != nil {
				return 0, err
			}
			acknowledged, err := j.Bool("acknowledged")
			if err != nil {
				return 0, err
			}
			environments, err := promoted(base.Config, p.Dir, environment)
			if err != nil {
				return 0, err
			}
			holds, waits, vs, bundles := true, "", []verdict.Verdict{}, []string{}
			for _, environment := range environments {
				v, err := check(ctx, j, p, verify.Options{Environment: environment, Base: base, Acknowledged: acknowledged, Dir: filepath.Join(temp, environment)})
				if err != nil {
					return 0, err
				}
				holds, vs, bundles = holds && v.Holds, append(vs, v.Verdict()), append(bundles, v.Bundle)
				if waits == "" {
					waits = v.Waits
				}
			}
			worst := verdict.Worst(vs...)
			return worst.ExitCode(), j.SetAll(map[string]string{
				"holds": strconv.FormatBool(holds), "verdict": string(worst), "bundles": strings.Join(bundles, ","), "waits": waits,
			})
		},
	}
}

// baseOf is what decides: the checkout of the base branch where the change lies
// in one of its own, else the commit of this clone that the event names as the
// base's, else the base branch itself.
func baseOf(ctx context.Context, j *runner.Job, p *project.Project, dir string) (*project.Base, error) {
	trusted, commit := p, j.Event.BaseCommit
	if folder := j.Input("base-directory"); folder != "" {
		var err error
		if trusted, err = j.Open(ctx, folder, j.Input("config")); err != nil {
			return nil, err
		}
		commit = trusted.Commit
	}
	base, err := trusted.Base(ctx, commit, dir)
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, fault.Usage(fmt.Errorf("there is no branch %s here to hold the manifest against: name its checkout in input base-directory, or give actions/checkout fetch-depth: 0", p.Config.Promote.Base))
	}
	return base, nil
}

// promoted returns the environments to look at: the one that is asked for, or
// every one that has a manifest.
func promoted(c *config.Config, dir, asked string) ([]string, error) {
	if asked != "" {
		return []string{asked}, nil
	}
	var list []string
	for _, environment := range c.Promote.Environments {
		name, err := c.ManifestPath(environment)
		if err != nil {
			return nil, fault.Usage(err)
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			list = append(list, environment)
		}
	}
	if len(list) == 0 {
		return nil, fault.Usage(errors.New("no environment has a manifest: nothing was promoted yet"))
	}
	return list, nil
}

func check(ctx context.Context, j *runner.Job, p *project.Project, o verify.Options) (verify.Result, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return verify.Result{}, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
	}
	v, err := verify.Run(ctx, p, o)
	if err != nil {
		return v, err
	}
	fmt.Fprintf(j.Out, "%s (%s)\n", o.Environment, v.Kind)
	for _, c := range v.Checks {
		mark := "holds"
		switch {
		case !c.Holds:
			mark = "does not hold"
		case c.Claimed:
			mark = "is claimed by the change"
		}
		fmt.Fprintf(j.Out, "  %s %s: %s\n", c.Name, mark, c.Detail)
	}
	return v, nil
}
