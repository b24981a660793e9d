package doctor

import "context"

// checkTree looks whether the work tree is what the commit says.
func checkTree(_ context.Context, s Subject) []Finding {
	if s.Git.Err != nil || s.Git.Commit == "" {
		return nil
	}
	if n := len(s.Git.Changed); n > 0 {
		return []Finding{warn("promote", "commit or stash them; a run without --promote records them", "%d files differ from the commit, the first being %q", n, s.Git.Changed[0])}
	}
	return ok("the work tree is clean")
}
