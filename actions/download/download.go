// Package download is the action that fetches what the jobs of another
// workflow's run trained. Which run that is, GitHub's event says; what is in the
// artifacts may be written by anybody.
package download

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/artifact"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// GitHub is where the run left its artifacts, and where its pull request is.
type GitHub interface {
	artifact.Source
	// Labels returns the labels of the open pull request of a head; none where
	// there is no such pull request.
	Labels(ctx context.Context, head runner.Head) ([]string, error)
}

// Open returns GitHub as the token of the job sees it.
type Open func(j *runner.Job, token string) (GitHub, error)

var modelName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// Action returns the action.
func Action(open Open) runner.Action {
	return runner.Action{
		Name:    "download",
		Short:   "Fetch what the jobs of the workflow run that is judged have trained",
		Inputs:  []string{"model", "out", "token"},
		Outputs: []string{"out", "count", "accepted", "reason"},
		Secrets: []string{"token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			model, out, e := j.Input("model"), j.Input("out"), j.Event
			switch {
			case e.Kind != runner.WorkflowRun || e.RunID <= 0:
				return 0, fault.WrongEvent.Usage(fmt.Errorf("the event %q names no workflow run whose artifacts could be downloaded: use this action in a workflow on workflow_run", e.Kind))
			case e.Action != "completed":
				return 0, fault.WrongEvent.Usage(fmt.Errorf("run %d is %q: its artifacts are downloaded when it is completed", e.RunID, e.Action))
			case !modelName.MatchString(model):
				return 0, fault.BadValue.Usage(fmt.Errorf("input model is %q, the name of no model", model))
			case out == "":
				return 0, fault.Usage(errors.New("input out names no folder"))
			}
			github, err := open(j, j.Input("token"))
			if err != nil {
				return 0, err
			}
			names, err := artifact.Fetch(ctx, github, artifact.Run{ID: e.RunID, Commit: e.Head.Commit}, model, out, handoff.Limits())
			if err != nil {
				return 0, err
			}
			for _, name := range names {
				fmt.Fprintf(j.Out, "%s of run %d\n", filepath.Join(out, name), e.RunID)
			}
			accepted := false
			if e.Fork {
				labels, err := github.Labels(ctx, e.Head)
				if err != nil {
					j.Warn("whether a maintainer accepts what the change says of its training could not be read, so nobody does: %s", err)
				}
				accepted = slices.Contains(labels, report.AcceptClaims)
			}
			return 0, j.SetAll(map[string]string{"out": out, "count": strconv.Itoa(len(names)), "accepted": strconv.FormatBool(accepted)})
		},
	}
}
