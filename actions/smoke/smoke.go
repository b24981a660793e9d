// Package smoke is the action that tests a server as its callers would use it.
package smoke

import (
	"context"
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
)

// Subject says what is tested; one of Bundle, Archive and URL is set, URL with
// or without Bundle.
type Subject struct{ Bundle, Archive, URL, Name, Profile string }

// Test tests it and reports each check as it ends.
type Test func(ctx context.Context, s Subject, done func(smoke.Row)) (smoke.Result, error)

// Action returns the action.
func Action(test Test) runner.Action {
	return runner.Action{
		Name:    "smoke",
		Short:   "Test an image, a bundle or an address as its callers would use it",
		Inputs:  []string{"bundle", "archive", "url", "name", "profile"},
		Outputs: []string{"verdict", "target", "checks", "failed"},
		Run: func(ctx context.Context, j *runner.Job) (int, error) {
			result, err := test(ctx, Subject{
				Bundle: j.Input("bundle"), Archive: j.Input("archive"), URL: j.Input("url"), Name: j.Input("name"), Profile: j.Input("profile"),
			}, func(r smoke.Row) {
				fmt.Fprintf(j.Out, "%-12s  %-14s  %s\n", r.Verdict, r.Name, r.Detail)
			})
			if err != nil {
				return 0, err
			}
			var failed []string
			for _, r := range result.Checks {
				if r.Verdict != "" && r.Verdict.ExitCode() != 0 {
					failed = append(failed, r.Name)
				}
			}
			fmt.Fprintf(j.Out, "\n%s  %s (%s)\n", result.Verdict, result.Target, result.Why)
			return result.Verdict.ExitCode(), j.SetAll(map[string]string{
				"verdict": string(result.Verdict), "target": string(result.Target),
				"checks": fmt.Sprint(len(result.Checks)), "failed": strings.Join(failed, ","),
			})
		},
	}
}
