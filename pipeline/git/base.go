package git

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// MergeBase returns the commit that two commits have in common, "" when they
// have none. A clone that does not go back so far gives "" too.
func (r *Repo) MergeBase(ctx context.Context, a, b string) (string, error) {
	out, err := r.run(ctx, nil, nil, "merge-base", "--end-of-options", a, b)
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return "", fmt.Errorf("finding where %.12s and %.12s part: %w", a, b, err)
}
