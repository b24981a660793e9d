// Package local is the forge of a laptop: promotion branches in the local
// repository, without a pull request. The work tree, the index and the
// current branch are never touched.
package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Forge proposes promotions in a local repository.
type Forge struct {
	Repo *git.Repo
}

var _ promote.Forge = (*Forge)(nil)

// Base returns the head of the base branch, or of its remote-tracking branch
// where a checkout (such as a CI's) has only that.
func (f *Forge) Base(ctx context.Context, branch string) (string, error) {
	for _, ref := range []string{"refs/heads/" + branch, "refs/remotes/origin/" + branch} {
		commit, ok, err := f.Repo.Resolve(ctx, ref)
		if err != nil || ok {
			return commit, err
		}
	}
	return "", fault.NoBaseBranch.Usage(fmt.Errorf("the base branch %q does not exist in this repository: create it, or name the right one in promote.base", branch))
}

// Head returns the promotion branch as it stands against base.
func (f *Forge) Head(ctx context.Context, branch, base string) (*promote.Head, error) {
	commit, ok, err := f.Repo.Resolve(ctx, "refs/heads/"+branch)
	if err != nil || !ok {
		return nil, err
	}
	messages, err := f.Repo.MessagesSince(ctx, base, commit)
	if err != nil {
		return nil, err
	}
	return &promote.Head{Commit: commit, Merged: len(messages) == 0, Messages: messages}, nil
}

// Commit makes the commit; no ref moves. Where base holds the files already
// it returns "".
func (f *Forge) Commit(ctx context.Context, base string, p promote.Proposal) (string, error) {
	before, err := f.Repo.Tree(ctx, base)
	if err != nil {
		return "", fault.Environment(err)
	}
	tree, err := f.Repo.WriteTree(ctx, base, p.Files)
	if err != nil {
		return "", fault.Environment(err)
	}
	if tree == before {
		return "", nil
	}
	commit, err := f.Repo.CommitTree(ctx, tree, base, p.Message)
	return commit, fault.Environment(err)
}

// Move sets the branch. A branch that is checked out somewhere is refused:
// moving it would leave that work tree behind its branch.
func (f *Forge) Move(ctx context.Context, branch, commit, old string) error {
	return f.update(ctx, branch, commit, old, "dosirak: propose a promotion")
}

// Delete removes the branch, unless it is checked out somewhere.
func (f *Forge) Delete(ctx context.Context, branch, old string) error {
	// An object name of zeros deletes the ref.
	// https://git-scm.com/docs/git-update-ref
	return f.update(ctx, branch, strings.Repeat("0", len(old)), old, "dosirak: withdraw a promotion")
}

func (f *Forge) update(ctx context.Context, branch, commit, old, reason string) error {
	tree, err := f.Repo.CheckedOut(ctx, branch)
	if err != nil {
		return fault.Environment(err)
	}
	if tree != "" {
		return fault.BranchCheckedOut.Usage(fmt.Errorf("branch %s is checked out in %s: switch that work tree to another branch, then promote again", branch, tree))
	}
	err = f.Repo.UpdateRef(ctx, "refs/heads/"+branch, commit, old, reason)
	if errors.Is(err, git.ErrMoved) {
		return fault.BranchMoved.Usage(fmt.Errorf("%w: %w", promote.ErrMoved, err))
	}
	if err != nil {
		// The usual cause is a branch named "dosirak", which leaves no room for
		// branches below it.
		return fault.BranchNameTaken.Usage(fmt.Errorf("%w (a branch named dosirak or dosirak/promote leaves no room for %s: rename it)", err, branch))
	}
	return nil
}

// PullRequests returns nil: a local repository has none. The caller prints
// the proposal's text.
func (f *Forge) PullRequests() promote.PullRequests { return nil }
