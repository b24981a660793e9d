package doctor

import "context"

// checkDocker asks for a daemon. Without one the smoke test still runs, on the
// server as a process.
func checkDocker(ctx context.Context, s Subject) []Finding {
	version, err := s.Machine.Docker(ctx)
	if err != nil {
		return []Finding{warn("", "start Docker, or leave it: the smoke test then runs the server as a process, and says so", "no Docker daemon: %v", err)}
	}
	return ok("Docker %s answers", version)
}
