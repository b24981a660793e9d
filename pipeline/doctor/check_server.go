package doctor

import "context"

// checkServer looks whether the image's server can be had.
func checkServer(_ context.Context, s Subject) []Finding {
	if s.Machine.Builds() {
		return ok("the image's server is part of this release, or can be built")
	}
	return []Finding{fail("image", "install Go, or use a release of dosirak, which carries the server", "this build of dosirak carries no server, and there is no go command to build it")}
}
