package doctor

import "context"

// checkBase looks for the branch that promotions are proposed to, and for
// branches that leave no room for ours.
func checkBase(_ context.Context, s Subject) []Finding {
	if s.Git.Err != nil || s.Git.Commit == "" {
		return nil
	}
	var out []Finding
	switch {
	case !s.Git.BaseExists:
		out = append(out, fail("promote", "create the branch, fetch it, or name the right one in promote.base", "the base branch %q is not there", s.Config.Base))
	case !s.Git.Merged:
		out = append(out, warn("promote", "merge the change first; `dosirak run` without --promote works", "commit %.12s is not on %s", s.Git.Commit, s.Config.Base))
	default:
		out = ok("%s holds this commit", s.Config.Base)
	}
	if s.Git.InTheWay != "" {
		out = append(out, fail("promote", "rename it", "a branch named %s leaves no room for dosirak/promote/…", s.Git.InTheWay))
	}
	return out
}
