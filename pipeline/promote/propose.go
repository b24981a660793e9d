package promote

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Forge is where proposals live. Paths are relative to the project's folder.
type Forge interface {
	// Base returns the head of the base branch.
	Base(ctx context.Context, branch string) (commit string, err error)
	// Head returns the promotion branch as it stands against base, nil when
	// it does not exist.
	Head(ctx context.Context, branch, base string) (*Head, error)
	// Commit makes a commit on top of base with p's files and message. No
	// branch moves.
	Commit(ctx context.Context, base string, p Proposal) (commit string, err error)
	// Move sets the branch from old ("" when it must not exist) to commit, and
	// fails when it is no longer at old.
	Move(ctx context.Context, branch, commit, old string) error
	// Announce opens or updates the pull request, where the forge has those,
	// and returns its address or "".
	Announce(ctx context.Context, p Proposal, commit string) (address string, err error)
}

// Head is a promotion branch as it stands.
type Head struct {
	Commit string
	Merged bool // its commits are all in the base branch
	// Messages of the commits that base lacks, newest first.
	Messages []string
}

// Operation says what Propose did.
type Operation string

const (
	Created   Operation = "created"
	Updated   Operation = "updated"
	Unchanged Operation = "unchanged"
	Stopped   Operation = "stopped"
)

// Outcome is what Propose did and where it can be seen.
type Outcome struct {
	Operation Operation `json:"operation"`
	Branch    string    `json:"branch"`
	Commit    string    `json:"commit,omitempty"`
	Address   string    `json:"address,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// Propose brings the promotion branch to p and returns what it did. Called
// again with the same decision it changes nothing. A branch that holds
// somebody else's commit is left alone and the outcome is Stopped.
func Propose(ctx context.Context, f Forge, p Proposal) (Outcome, error) {
	out := Outcome{Branch: p.Branch}
	base, err := f.Base(ctx, p.Base)
	if err != nil {
		return out, fmt.Errorf("proposing the promotion: %w", err)
	}
	head, err := f.Head(ctx, p.Branch, base)
	if err != nil {
		return out, fmt.Errorf("proposing the promotion: %w", err)
	}
	old := ""
	out.Operation = Created
	if head != nil {
		old = head.Commit
		if !head.Merged {
			out.Operation = Updated
			for _, m := range head.Messages {
				if _, ours := ParseTrailers(m); !ours {
					out.Operation, out.Commit = Stopped, head.Commit
					out.Reason = fmt.Sprintf("branch %s holds a commit that dosirak did not make; merge or delete the branch, then promote again", p.Branch)
					return out, nil
				}
			}
			if t, _ := ParseTrailers(head.Messages[0]); len(head.Messages) == 1 && t.sameDecision(p.Trailers) {
				out.Operation, out.Commit = Unchanged, head.Commit
				out.Reason = "the branch already proposes this bundle"
				return out, nil
			}
		}
	}
	if out.Commit, err = f.Commit(ctx, base, p); err != nil {
		return out, fmt.Errorf("proposing the promotion: %w", err)
	}
	if err := f.Move(ctx, p.Branch, out.Commit, old); err != nil {
		return out, fmt.Errorf("proposing the promotion: %w", err)
	}
	if out.Address, err = f.Announce(ctx, p, out.Commit); err != nil {
		return out, fault.Environment(fmt.Errorf("announcing the promotion: %w", err))
	}
	return out, nil
}
