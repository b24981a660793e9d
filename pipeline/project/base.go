package project

import (
	"context"
	"fmt"
	"os"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// BaseVariable names the base branch where promote.base does not. The workflows
// of `init --github` set it, since a checkout on a runner does not know which
// branch is the default one.
const BaseVariable = "DOSIRAK_BASE"

// usualBases are the names by which a default branch is known; the first one
// stands for what cannot be found.
var usualBases = []string{"main", "master", "trunk"}

// DefaultBranch is the branch that a promotion is proposed to where the config
// names none: the remote's default branch, as `git clone` noted it, else the
// usual name that this clone has.
func DefaultBranch(ctx context.Context, repo *git.Repo) (string, error) {
	if base := os.Getenv(BaseVariable); base != "" {
		return base, nil
	}
	branch, err := repo.RemoteDefault(ctx)
	if err != nil {
		return "", fault.Environment(fmt.Errorf("opening the project: %w", err))
	}
	if branch != "" {
		return branch, nil
	}
	for _, base := range usualBases {
		for _, ref := range []string{"refs/heads/" + base, "refs/remotes/origin/" + base} {
			_, there, err := repo.Resolve(ctx, ref)
			if err != nil {
				return "", fault.Environment(fmt.Errorf("opening the project: %w", err))
			}
			if there {
				return base, nil
			}
		}
	}
	return usualBases[0], nil
}
