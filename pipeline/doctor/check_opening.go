package doctor

import (
	"context"
	"errors"
)

// checkOpening looks at the setting that lets workflows open pull requests.
// It is off in new repositories, and concerns GITHUB_TOKEN alone.
func checkOpening(ctx context.Context, s Subject) []Finding {
	token, err := s.GitHub.Token(ctx)
	if err != nil || !token.Actions {
		return nil
	}
	const where = "Settings, Actions, General, \"Allow GitHub Actions to create and approve pull requests\" (an organisation may have to allow it first), or use the token of an app"
	may, err := s.GitHub.ActionsMayOpen(ctx)
	switch {
	case errors.Is(err, ErrMayNotLook):
		return []Finding{warn("promote, rollback", "look yourself: "+where, "whether workflows may open pull requests is a setting that the token may not read")}
	case err != nil:
		return asked("promote, rollback", err)
	case !may:
		return []Finding{fail("promote, rollback", where, "workflows may not open pull requests")}
	}
	return ok("workflows may open pull requests")
}
