package promote

import (
	"context"
	"slices"
)

// Asked is f for a proposal that a human asks for by a command, such as a
// rollback: what somebody closed before declines nothing.
func Asked(f Forge) Forge { return asked{f} }

type asked struct{ Forge }

func (a asked) PullRequests() PullRequests {
	if pulls := a.Forge.PullRequests(); pulls != nil {
		return askedPulls{pulls}
	}
	return nil
}

type askedPulls struct{ PullRequests }

func (a askedPulls) List(ctx context.Context, branch, base string) ([]PullRequest, error) {
	pulls, err := a.PullRequests.List(ctx, branch, base)
	return slices.DeleteFunc(pulls, func(p PullRequest) bool { return p.State == Closed }), err
}
