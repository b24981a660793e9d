// Package doctor is the action that says what will block which step, before
// any computing is paid for.
package doctor

import (
	"context"
	"io"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Complete fills in what is looked at besides the project; done removes what
// was made for it.
type Complete func(j *runner.Job, token string, o *doctor.Options) (done func(), err error)

// Show prints the findings for people.
type Show func(w io.Writer, r doctor.Report) error

// Action returns the action.
func Action(complete Complete, show Show) runner.Action {
	return runner.Action{
		Name:    "doctor",
		Short:   "Say what will block which step, before any computing is paid for",
		Inputs:  []string{"directory", "config", "labels", "token"},
		Outputs: []string{"blocked", "findings"},
		Secrets: []string{"token"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			o := doctor.Options{Labels: j.List("labels")}
			directory, config := j.Input("directory"), j.Input("config")
			done, err := complete(j, j.Input("token"), &o)
			if err != nil {
				return 0, err
			}
			defer done()
			r, err := doctor.Diagnose(ctx, directory, config, o)
			if err != nil {
				return 0, err
			}
			if err := show(j.Out, r); err != nil {
				return 0, err
			}
			found, code := 0, 0
			for _, f := range r.Findings {
				if f.Level != doctor.OK {
					found++
				}
			}
			if r.Blocked {
				code = fault.CodeUsage
			}
			return code, j.SetAll(map[string]string{"blocked": strconv.FormatBool(r.Blocked), "findings": strconv.Itoa(found)})
		},
	}
}
