package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// checkRunners looks for self-hosted runners with the labels that jobs with
// dosirak ask for.
func checkRunners(ctx context.Context, s Subject) []Finding {
	jobs, _ := readJobs(s.Workflows)
	var out []Finding
	var runners []Runner
	asking := false
	for _, j := range jobs {
		labels := selfHosted(j.runsOn)
		if len(j.actions) == 0 || labels == nil {
			continue
		}
		if !asking {
			asking = true
			var err error
			runners, err = s.GitHub.Runners(ctx)
			if errors.Is(err, ErrMayNotLook) {
				return []Finding{warn(list(j.actions), "look under Settings, Actions, Runners", "whether a runner with %s is online is not for this token to read; without one job %s of %s waits up to a day", list(labels), j.name, j.workflow)}
			}
			if err != nil {
				return asked(list(j.actions), err)
			}
		}
		if !slices.ContainsFunc(runners, func(r Runner) bool { return r.Online && covers(r.Labels, labels) }) {
			out = append(out, fail(list(j.actions), "start one, or correct runs-on; one of the organisation is not seen here", "job %s of %s waits for a runner with %s, and none is online", j.name, j.workflow, list(labels)))
		}
	}
	if asking && out == nil {
		return ok("the runners that jobs ask for are online")
	}
	return out
}

// selfHosted returns the labels of a runs-on that asks for a self-hosted
// runner, nil otherwise. Expressions are not evaluated.
func selfHosted(runsOn any) []string {
	var labels []string
	switch r := runsOn.(type) {
	case string:
		labels = []string{r}
	case []any:
		for _, l := range r {
			text, _ := l.(string)
			labels = append(labels, text)
		}
	}
	if !slices.Contains(labels, "self-hosted") || slices.ContainsFunc(labels, func(l string) bool { return strings.Contains(l, "${{") }) {
		return nil
	}
	return labels
}

func covers(has, want []string) bool {
	for _, w := range want {
		if !slices.ContainsFunc(has, func(h string) bool { return strings.EqualFold(h, w) }) {
			return false
		}
	}
	return true
}
