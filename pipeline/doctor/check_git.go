package doctor

import "context"

// checkGit looks for a repository with a commit.
func checkGit(_ context.Context, s Subject) []Finding {
	switch {
	case s.Git.Err != nil:
		return []Finding{fail("promote, reconcile, rollback", "install git and clone the project, or run without --promote", "%v", s.Git.Err)}
	case s.Git.Commit == "":
		return []Finding{fail("promote", "commit the project", "the repository has no commit")}
	}
	var out []Finding
	if s.Git.Shallow {
		out = append(out, warn("rollback", "`git fetch --unshallow`; in a workflow fetch-depth: 0 of actions/checkout", "the clone is a shallow one: the history of the manifest is not there"))
	}
	if s.Git.Branch == "" {
		return append(out, ok("commit %.12s, HEAD is detached", s.Git.Commit)...)
	}
	return append(out, ok("commit %.12s on %s", s.Git.Commit, s.Git.Branch)...)
}
