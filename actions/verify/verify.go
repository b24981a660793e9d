// Package verify is the action that recomputes a manifest's verdict from its
// evidence. It reads the project as data.
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
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
	"github.com/dosirak-ml/dosirak/pipeline/verify"
)

// Action returns the action.
func Action() runner.Action {
	return runner.Action{
		Name:    "verify",
		Short:   "Recompute a manifest's verdict from its evidence",
		Inputs:  []string{"directory", "config", "environment"},
		Outputs: []string{"holds", "verdict", "bundles"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			environment := j.Input("environment")
			p, err := project.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			environments, err := promoted(p, environment)
			if err != nil {
				return 0, err
			}
			holds, vs, bundles := true, []verdict.Verdict{}, []string{}
			for _, environment := range environments {
				v, err := check(ctx, j, p, environment)
				if err != nil {
					return 0, err
				}
				holds, vs, bundles = holds && v.Holds, append(vs, v.Recomputed), append(bundles, v.Bundle)
			}
			code := 0
			if !holds {
				code = fault.CodeFailed
			}
			return code, j.SetAll(map[string]string{
				"holds": strconv.FormatBool(holds), "verdict": string(verdict.Worst(vs...)), "bundles": strings.Join(bundles, ","),
			})
		},
	}
}

// promoted returns the environments to look at: the one that is asked for, or
// every one that has a manifest.
func promoted(p *project.Project, asked string) ([]string, error) {
	if asked != "" {
		return []string{asked}, nil
	}
	var list []string
	for _, environment := range p.Config.Promote.Environments {
		name, err := p.Config.ManifestPath(environment)
		if err != nil {
			return nil, fault.Usage(err)
		}
		if _, err := os.Stat(filepath.Join(p.Dir, filepath.FromSlash(name))); err == nil {
			list = append(list, environment)
		}
	}
	if len(list) == 0 {
		return nil, fault.Usage(errors.New("no environment has a manifest: nothing was promoted yet"))
	}
	return list, nil
}

func check(ctx context.Context, j *runner.Job, p *project.Project, environment string) (verify.Result, error) {
	temp, err := os.MkdirTemp("", "dosirak-verify-")
	if err != nil {
		return verify.Result{}, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
	}
	defer os.RemoveAll(temp)
	v, err := verify.Run(ctx, p, environment, filepath.Join(temp, "bundle"))
	if err != nil {
		return v, err
	}
	fmt.Fprintf(j.Out, "%s\n", environment)
	for _, c := range v.Checks {
		mark := "holds"
		if !c.Holds {
			mark = "does not hold"
		}
		fmt.Fprintf(j.Out, "  %s %s: %s\n", c.Name, mark, c.Detail)
	}
	return v, nil
}
