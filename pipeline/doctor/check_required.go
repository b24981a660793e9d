package doctor

import (
	"context"
	"slices"
)

// checkRequired looks for required statuses that nobody will report on a
// promotion's pull request.
func checkRequired(ctx context.Context, s Subject) []Finding {
	required, err := s.GitHub.Required(ctx, s.Config.Base)
	if err != nil {
		return asked("merge", err)
	}
	token, err := s.GitHub.Token(ctx)
	if err != nil {
		return nil // said by the token's check
	}
	var own []string
	for _, environment := range s.Config.Environments {
		own = append(own, "dosirak/"+s.Config.Model+"/"+environment)
	}
	var missing []string
	for _, r := range required {
		if !r.External && !slices.Contains(own, r.Context) {
			missing = append(missing, r.Context)
		}
	}
	switch {
	case len(required) == 0:
		return []Finding{warn("", "require "+own[0]+" on it in Settings, Rules, so that a FAIL cannot be merged", "%s requires no status", s.Config.Base)}
	case len(missing) > 0 && token.Actions:
		return []Finding{fail("merge", "open it with the token of an app (or a fine-grained token) instead; or let a human close and reopen it, which starts the workflows; or require only dosirak's own status on "+s.Config.Base, "%s requires %s, which workflows report, and a pull request that was opened with GITHUB_TOKEN starts none: nobody will report them", s.Config.Base, quotedList(missing))}
	}
	if len(own) > 1 && containsAll(required, own) {
		return []Finding{warn("merge", "require one status that is set on every pull request", "%s requires the status of every environment, and a promotion to one sets only its own", s.Config.Base)}
	}
	return ok("every status that %s requires is reported", s.Config.Base)
}

func containsAll(required []Required, contexts []string) bool {
	for _, c := range contexts {
		if !slices.ContainsFunc(required, func(r Required) bool { return r.Context == c }) {
			return false
		}
	}
	return true
}
