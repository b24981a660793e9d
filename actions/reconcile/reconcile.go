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
type Complete func(j *runner.Job, p *project.Project, token string, o *reconcile.Request) error

// Action returns the action.
func Action(complete Complete) runner.Action {
	return runner.Action{
		Name:    "reconcile",
		Short:   "Bring what runs to what the manifest in Git says",
		Inputs:  []string{"directory", "config", "environment", "endpoint", "wait", "token"},
		Outputs: []string{"state", "commit", "bundle", "image", "issue"},
		Secrets: []string{"token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			o := reconcile.Request{Environment: j.Input("environment"), Endpoint: j.Input("endpoint")}
			wait, token := j.Input("wait"), j.Input("token")
			var err error
			if wait != "" {
				if o.Patience, err = time.ParseDuration(wait); err != nil || o.Patience < 0 || o.Patience > time.Hour {
					return 0, fault.BadValue.Usage(fmt.Errorf("input wait is %q: write a duration of at most 1h, such as 5m", wait))
				}
			}
			p, err := project.Open(ctx, j.Input("directory"), j.Input("config"))
			if err != nil {
				return 0, err
			}
			if err := complete(j, p, token, &o); err != nil {
				return 0, err
			}
			if o.WorkDir, err = os.MkdirTemp("", "dosirak-reconcile-"); err != nil {
				return 0, fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(o.WorkDir)
			r, failed := reconcile.Project(ctx, p, o)
			values := map[string]string{"state": string(r.State), "commit": r.Commit, "bundle": r.Bundle, "image": r.Image}
			if r.Issue != nil {
				values["issue"] = r.Issue.Address
			}
			fmt.Fprintf(j.Out, "%s in %s: %s\n", r.Model, r.Environment, r.State)
			for _, problem := range r.Problems {
				fmt.Fprintf(j.Out, "  %s\n", problem)
			}
			for _, w := range r.Warnings {
				j.Warn("%s", w)
			}
			if err := errors.Join(failed, j.SetAll(values)); err != nil {
				return 0, err
			}
			return r.State.ExitCode(), nil
		},
	}
}
