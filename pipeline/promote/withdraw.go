package promote

import (
	"context"
	"errors"
)

// Withdraw takes back what is proposed on branch into base, because the base
// branch no longer passes: the pull request is closed with the reason and the
// branch removed. reason is a clause in plain words without outside text. A
// branch that holds somebody else's commit is left alone; where nothing is
// proposed, nothing happens.
func Withdraw(ctx context.Context, f Forge, branch, base, reason string) (out Outcome, err error) {
	for range attempts {
		if out, err = reconsider(ctx, f, branch, base, reason); !errors.Is(err, ErrMoved) {
			break
		}
	}
	return out, explain("withdrawing the promotion", err)
}

func reconsider(ctx context.Context, f Forge, branch, base, reason string) (Outcome, error) {
	commit, err := f.Base(ctx, base)
	if err != nil {
		return Outcome{Branch: branch}, err
	}
	s, err := look(ctx, f, branch, base, commit)
	if err != nil {
		return Outcome{Branch: branch}, err
	}
	return withdraw(ctx, f, branch, s, reason)
}

// withdraw says why, removes the branch if it is still what was read, and
// closes the pull request. In that order: a human who pushes in between keeps
// branch and pull request, and a run that is killed in between is completed
// by the next.
func withdraw(ctx context.Context, f Forge, branch string, s situation, reason string) (Outcome, error) {
	out := Outcome{Operation: Unchanged, Branch: branch, Reason: "nothing is proposed"}
	open, live := s.open(), s.live()
	if open != nil {
		out.Number, out.Address = open.Number, open.Address
	}
	if live != nil {
		out.Commit = live.Commit
	}
	if why := s.foreign(branch); why != "" {
		out.Operation, out.Reason = Stopped, why
		return out, stop(ctx, f, open, why)
	}
	if open == nil && (live == nil || closedByOthers(s, live.Commit)) {
		return out, nil
	}
	out.Operation, out.Reason = Withdrawn, reason
	if open != nil {
		if err := f.PullRequests().Tell(ctx, *open, "withdrawn", "dosirak withdraws this proposal: "+reason+"."); err != nil {
			return out, err
		}
	}
	if live != nil {
		if err := f.Delete(ctx, branch, live.Commit); err != nil {
			return out, err
		}
	}
	if open != nil {
		return out, f.PullRequests().Close(ctx, *open)
	}
	return out, nil
}

// closedByOthers reports whether a human closed the pull request at this
// commit: the branch is then theirs to keep, for reopening.
func closedByOthers(s situation, commit string) bool {
	for _, pull := range s.pulls {
		if pull.State == Closed && pull.Commit == commit {
			return pull.Closer == Others
		}
	}
	return false
}
