// Package labels is the action that says what a maintainer accepts of the pull
// request that is judged. It is a step of its own, so that the steps that read
// the change have no token.
package labels

import (
	"context"
	"slices"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/runner"
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
		Name:    "labels",
		Short:   "Say what a maintainer accepts of the pull request that is judged",
		Inputs:  []string{"token"},
		Outputs: []string{"accept-exam"},
		Secrets: []string{"token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			return 0, j.Set("accept-exam", strconv.FormatBool(slices.Contains(given(ctx, j, open), report.AcceptExam)))
		},
	}
}

// given are the labels of the pull request. What cannot be read was not given.
func given(ctx context.Context, j *runner.Job, open Open) []string {
	if j.Event.Kind != runner.WorkflowRun {
		return nil
	}
	github, err := open(j, j.Input("token"))
	if err == nil {
		var labels []string
		if labels, err = github.Labels(ctx, j.Event.Head); err == nil {
			return labels
		}
	}
	j.Warn("the labels of the pull request could not be read, so nobody has accepted another exam: %s", err)
	return nil
}
