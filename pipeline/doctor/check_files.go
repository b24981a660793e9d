package doctor

import "context"

// checkFiles looks for the files that the config names.
func checkFiles(_ context.Context, s Subject) []Finding {
	var out []Finding
	for _, f := range s.Config.Files {
		switch {
		case f.Err != nil && f.Fetched:
			out = append(out, warn("train, evaluate", "dosirak fetch brings it now; a run does so by itself", "%s: %v", f.Key, f.Err))
		case f.Err != nil:
			out = append(out, fail("train, evaluate", "commit it, fetch it (DVC, LFS), or correct "+f.Key, "%s: %v", f.Key, f.Err))
		}
	}
	if out == nil && len(s.Config.Files) > 0 {
		return ok("%d files that the config names are there", len(s.Config.Files))
	}
	return out
}
