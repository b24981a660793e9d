package promote

import (
	"context"
	"errors"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Operation says what Propose or Withdraw did.
type Operation string

const (
	Created   Operation = "created"
	Updated   Operation = "updated"
	Unchanged Operation = "unchanged"
	Stopped   Operation = "stopped"   // a human works on the branch
	Declined  Operation = "declined"  // a human closed the proposal of this bundle
	Withdrawn Operation = "withdrawn" // closed by us, with the reason
	// Of a caller that did not call Propose:
	Skipped Operation = "skipped" // there is nothing to propose
	Planned Operation = "planned" // a proposal was made, and nothing was written
)

// Outcome is what was done and where it can be seen.
type Outcome struct {
	Operation Operation `json:"operation"`
	Branch    string    `json:"branch"`
	Commit    string    `json:"commit,omitempty"`
	Number    int       `json:"number,omitempty"` // of the pull request
	Address   string    `json:"address,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
}

// Stands reports whether the proposal is there for people to merge.
func (o *Outcome) Stands() bool {
	return o != nil && (o.Operation == Created || o.Operation == Updated || o.Operation == Unchanged)
}

const proposed = "the branch already proposes this bundle"

// attempts bounds how often a lost race for the branch is taken up again.
const attempts = 3

// Propose brings the promotion branch and its pull request to p and returns
// what it did. Called again with the same decision it changes nothing; killed
// at any point and called again, it ends where it would have ended. A branch
// that holds somebody else's commit is left alone.
func Propose(ctx context.Context, f Forge, p Proposal) (out Outcome, err error) {
	for range attempts {
		if out, err = propose(ctx, f, p); !errors.Is(err, ErrMoved) {
			break
		}
	}
	return out, explain("proposing the promotion", err)
}

// explain wraps what came of all attempts.
func explain(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrMoved):
		return fault.BranchMoved.Environment(fmt.Errorf("%s: %w, %d times in a row: look at who else works on it, then run again", doing, err, attempts))
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

func propose(ctx context.Context, f Forge, p Proposal) (Outcome, error) {
	out := Outcome{Branch: p.Branch}
	base, err := f.Base(ctx, p.Base)
	if err != nil {
		return out, err
	}
	s, err := look(ctx, f, p.Branch, p.Base, base)
	if err != nil {
		return out, err
	}
	if p.Superseded != nil {
		newer, err := p.Superseded(ctx, base, s.head)
		if err != nil || newer != "" {
			out.Operation, out.Reason = Skipped, newer
			return out, err
		}
	}
	next := decide(p, s)
	out.Operation, out.Reason = next.operation, next.reason
	if s.head != nil {
		out.Commit = s.head.Commit
	}
	pull := s.open()
	if pull != nil {
		out.Number, out.Address = pull.Number, pull.Address
	}
	if next.operation == Stopped {
		return out, stop(ctx, f, pull, next.reason)
	}
	if next.withdraw != "" {
		gone, err := withdraw(ctx, f, p.Branch, s, next.withdraw)
		gone.Operation, gone.Reason = next.operation, next.reason
		return gone, err
	}

	if next.commit {
		commit, err := f.Commit(ctx, base, p)
		if err != nil {
			return out, err
		}
		if commit == "" {
			reason := fmt.Sprintf("branch %s holds this bundle and its manifest already", p.Base)
			if pull == nil && s.live() == nil {
				out.Operation, out.Reason = Unchanged, reason
				return out, nil
			}
			return withdraw(ctx, f, p.Branch, s, reason)
		}
		old := ""
		if s.head != nil {
			old = s.head.Commit
		}
		if err := f.Move(ctx, p.Branch, commit, old); err != nil {
			return out, err
		}
		out.Commit = commit
	}
	if next.text {
		if err := f.PullRequests().Update(ctx, *pull, p); err != nil {
			return out, err
		}
	}
	if next.announce {
		opened, err := f.PullRequests().Open(ctx, p)
		if err != nil {
			return out, err
		}
		out.Number, out.Address, out.Warnings = opened.Number, opened.Address, opened.Warnings
		if opened.Found {
			return out, found(ctx, f, p, opened.PullRequest, next, &out)
		}
	}
	return out, nil
}

// found corrects an outcome when the pull request was open all the while.
func found(ctx context.Context, f Forge, p Proposal, pull PullRequest, done course, out *Outcome) error {
	if done.commit || !describes(pull.Body, p.Trailers) {
		out.Operation = Updated
		return f.PullRequests().Update(ctx, pull, p)
	}
	out.Operation, out.Reason = Unchanged, proposed
	return nil
}

// look reads what the forge holds of the promotion.
func look(ctx context.Context, f Forge, branch, base, commit string) (s situation, err error) {
	if s.head, err = f.Head(ctx, branch, commit); err != nil {
		return s, err
	}
	if pulls := f.PullRequests(); pulls != nil {
		s.hosted = true
		s.pulls, err = pulls.List(ctx, branch, base)
	}
	return s, err
}

// stop tells the pull request's readers why nothing happens to it any more.
func stop(ctx context.Context, f Forge, pull *PullRequest, reason string) error {
	if pull == nil {
		return nil
	}
	return f.PullRequests().Tell(ctx, *pull, "stopped", "dosirak leaves this pull request alone from here on: "+reason+".")
}
