// Package reconcile is the action that brings what runs to what the manifest
// in Git says, after a merge and on a schedule.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

// Complete fills in what follows the manifest and who is told.
type Complete func(j *runner.Job, p *project.Project, token, registry string, o *reconcile.Request) error

// Action returns the action.
func Action(complete Complete) runner.Action {
	return runner.Action{
		Name:    "reconcile",
		Short:   "Bring what runs to what the manifest in Git says",
		Inputs:  []string{"directory", "config", "environment", "environments", "endpoint", "wait", "token", "registry-token"},
		Outputs: []string{"state", "commit", "bundle", "image", "issue"},
		Secrets: []string{"token", "registry-token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			o := reconcile.Request{Endpoint: j.Input("endpoint")}
			wait := j.Input("wait")
			var err error
			if wait != "" {
				if o.Wait, err = time.ParseDuration(wait); err != nil || o.Wait < 0 || o.Wait > time.Hour {
					return 0, fault.BadValue.Usage(fmt.Errorf("input wait is %q: write a duration of at most 1h, such as 5m", wait))
				}
			}
			one := runner.Target{Directory: j.Input("directory"), Environment: j.Input("environment")}
			config := j.Input("config")
			complete := func(p *project.Project, o *reconcile.Request) error {
				return complete(j, p, j.Input("token"), j.Input("registry-token"), o)
			}
			targets, err := j.Targets("environments")
			if err != nil {
				return 0, err
			}
			if targets == nil {
				r, err := follow(ctx, j, complete, config, one, o)
				if err := errors.Join(err, set(j, r)); err != nil {
					return 0, err
				}
				return r.State.ExitCode(), nil
			}
			if o.Endpoint != "" {
				return 0, fault.BadValue.Usage(errors.New("input endpoint is the address of one environment: name that instead of input environments"))
			}
			return followAll(ctx, j, complete, targets, o)
		},
	}
}

// followAll brings one environment after the other to what Git says. One that
// fails keeps no other from it.
func followAll(ctx context.Context, j *runner.Job, complete func(*project.Project, *reconcile.Request) error, targets []runner.Target, o reconcile.Request) (int, error) {
	var all reconcile.Result
	var failed []error
	all.State = reconcile.InSync
	for _, target := range targets {
		r, err := follow(ctx, j, complete, "", target, o)
		if ctx.Err() != nil {
			return 0, errors.Join(append(failed, err)...)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s in %s: %w", target.Model, target.Environment, err))
			r.State = reconcile.Unknown
		}
		all.State = reconcile.Worse(all.State, r.State)
	}
	if err := errors.Join(append(failed, set(j, all))...); err != nil {
		return 0, err
	}
	return all.State.ExitCode(), nil
}

// follow brings one environment to what Git says.
func follow(ctx context.Context, j *runner.Job, complete func(*project.Project, *reconcile.Request) error, config string, target runner.Target, o reconcile.Request) (reconcile.Result, error) {
	o.Environment = target.Environment
	p, err := j.Open(ctx, target.Directory, config)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := complete(p, &o); err != nil {
		return reconcile.Result{}, err
	}
	if o.WorkDir, err = os.MkdirTemp("", "dosirak-reconcile-"); err != nil {
		return reconcile.Result{}, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
	}
	defer os.RemoveAll(o.WorkDir)
	r, failed := reconcile.Project(ctx, p, o)
	fmt.Fprintf(j.Out, "%s in %s: %s\n", r.Model, r.Environment, r.State)
	for _, problem := range r.Problems {
		fmt.Fprintf(j.Out, "  %s\n", problem)
	}
	for _, w := range r.Warnings {
		j.Warn("%s", w)
	}
	return r, failed
}

func set(j *runner.Job, r reconcile.Result) error {
	values := map[string]string{"state": string(r.State), "commit": r.Commit, "bundle": r.Bundle, "image": r.Image}
	if r.Issue != nil {
		values["issue"] = r.Issue.Address
	}
	return j.SetAll(values)
}
