package promote

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
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

// ErrBaseMoved says that the base branch is not where a proposal was made
// from.
var ErrBaseMoved = errors.New("the base branch was moved in the meantime")

// At is f for a proposal that was made from what commit of the base branch
// holds: on top of another one it might undo what was merged in between.
func At(f Forge, commit string) Forge { return at{f, commit} }

type at struct {
	Forge
	commit string
}

func (a at) Base(ctx context.Context, branch string) (string, error) {
	commit, err := a.Forge.Base(ctx, branch)
	if err == nil && commit != a.commit {
		return "", fault.BranchMoved.Environment(fmt.Errorf("%s is at %.12s, and the proposal was made from %.12s: %w: run again", branch, commit, a.commit, ErrBaseMoved))
	}
	return commit, err
}
