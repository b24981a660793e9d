package doctor

import "context"

// checkRepository looks whether the token sees the repository and its base
// branch, and whether anybody may change it.
func checkRepository(ctx context.Context, s Subject) []Finding {
	r, err := s.GitHub.Repository(ctx)
	if err != nil {
		return asked(onGitHub, err)
	}
	if r.Archived {
		return []Finding{fail("promote, rollback, comment, reconcile", "unarchive it in Settings", "%s is archived: nothing in it can be changed", r.Name)}
	}
	exists, err := s.GitHub.Exists(ctx, s.Config.Base)
	if err != nil {
		return asked("promote", err)
	}
	if !exists {
		return []Finding{fail("promote, reconcile", "push it, or name the right one in promote.base", "%s has no branch %q", r.Name, s.Config.Base)}
	}
	out := ok("%s, base branch %s", r.Name, s.Config.Base)
	if r.DefaultBranch != s.Config.Base {
		out = append(out, warn("judge, comment", "make it the default branch, or keep the workflows on both", "the default branch is %s: workflows that judge pull requests (workflow_run) and those on a schedule run only from there", r.DefaultBranch))
	}
	return out
}
