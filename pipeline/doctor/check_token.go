package doctor

import (
	"context"
	"fmt"
)

// uses says what each permission is for.
var uses = []struct{ permission, blocks, scope string }{
	{"contents: read", onGitHub, "Contents"},
	{"contents: write", "promote, rollback", "Contents"},
	{"pull-requests: write", "promote, rollback, comment", "Pull requests"},
	{"statuses: write", "comment, promote", "Commit statuses"},
	{"issues: read", "reconcile", "Issues"},
	{"deployments: write", "reconcile", "Deployments"},
}

// checkToken probes what the token may do. A job needs only what its step
// does, so a lacking permission is named with the step that it blocks.
func checkToken(ctx context.Context, s Subject) []Finding {
	token, err := s.GitHub.Token(ctx)
	if err != nil {
		return asked(onGitHub, err)
	}
	whose := "the token of " + token.Login
	if token.Actions {
		whose = "the workflow's GITHUB_TOKEN"
	}
	var out []Finding
	var may []string
	for _, u := range uses {
		access, err := s.GitHub.Access(ctx, u.permission)
		switch {
		case err != nil:
			out = append(out, asked(u.blocks, err)...)
		case access == Denied:
			out = append(out, fail(u.blocks, fmt.Sprintf("write `%s` under the job's permissions; a fine-grained token or an app needs the repository permission %q, a classic token the scope repo; pull requests from forks never get it", u.permission, u.scope), "%s lacks the permission %s", whose, u.permission))
		case access == Granted:
			may = append(may, u.permission)
		default:
			out = append(out, warn(u.blocks, "", "whether %s has the permission %s could not be told", whose, u.permission))
		}
	}
	if len(may) > 0 {
		out = append(out, ok("%s has %s", whose, list(may))...)
	}
	return out
}
