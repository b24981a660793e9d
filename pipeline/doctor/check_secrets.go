package doctor

import (
	"context"
	"errors"
	"slices"
)

// checkSecrets looks for the secrets that jobs with dosirak name.
func checkSecrets(ctx context.Context, s Subject) []Finding {
	jobs, _ := readJobs(s.Workflows)
	named := map[string]job{}
	var names []string
	var out []Finding
	for _, j := range jobs {
		if len(j.actions) == 0 {
			continue
		}
		for _, name := range j.secrets {
			if _, seen := named[name]; !seen {
				named[name], names = j, append(names, name)
			}
		}
		if len(j.secrets) > 0 && slices.Contains(j.events, "pull_request") {
			out = append(out, warn(list(j.actions), "train without secrets on pull requests", "job %s of %s uses %s: pull requests from forks do not get it", j.name, j.workflow, list(j.secrets)))
		}
	}
	if len(names) == 0 {
		return out
	}
	present, err := s.GitHub.Secrets(ctx)
	if errors.Is(err, ErrMayNotLook) {
		return append(out, warn("", "look under Settings, Secrets and variables, Actions", "whether the secrets %s are there is not for this token to read", list(names)))
	}
	if err != nil {
		return append(out, asked("", err)...)
	}
	for _, name := range names {
		if j := named[name]; !slices.Contains(present, name) {
			out = append(out, fail(list(j.actions), "add it under Settings, Secrets and variables, Actions; one of an environment or the organisation is not seen here", "job %s of %s uses the secret %s, which the repository does not have", j.name, j.workflow, name))
		}
	}
	if out == nil {
		return ok("the secrets %s are there", list(names))
	}
	return out
}
