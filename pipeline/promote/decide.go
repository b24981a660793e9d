package promote

import (
	"fmt"
	"slices"
	"strings"
)

// situation is what a forge holds of a promotion.
type situation struct {
	head   *Head
	pulls  []PullRequest // newest first
	hosted bool          // the forge has pull requests
}

// live returns the branch when it holds commits that were not merged. A
// squash leaves the branch's own commits outside the base: there the merged
// pull request tells.
func (s situation) live() *Head {
	if s.head == nil || s.head.Merged {
		return nil
	}
	for _, pull := range s.pulls {
		if pull.State == Merged && pull.Commit == s.head.Commit {
			return nil
		}
	}
	return s.head
}

// open returns the pull request that is open, or nil. A forge allows one for
// a branch and base.
func (s situation) open() *PullRequest {
	for i, pull := range s.pulls {
		if pull.State == Open {
			return &s.pulls[i]
		}
	}
	return nil
}

// foreign says why the branch is not ours to move, "" when it is.
func (s situation) foreign(branch string) string {
	head := s.live()
	if head == nil {
		return ""
	}
	why := head.Foreign
	for _, message := range head.Messages {
		if _, ours := ParseTrailers(message); !ours {
			why = "a commit that dosirak did not make"
		}
	}
	if why == "" {
		return ""
	}
	return fmt.Sprintf("branch %s holds %s; merge or delete the branch, then promote again", branch, why)
}

// declined returns the pull request by which a human declined this bundle, or
// nil. The newest for the bundle decides; one that is open asks again, and one
// that we closed ourselves declined nothing.
func (s situation) declined(t Trailers) *PullRequest {
	for i, pull := range s.pulls {
		was, ours := ParseTrailers(pull.Message)
		if pull.State == Merged || !ours || was.Bundle != t.Bundle || was.Model != t.Model || was.Environment != t.Environment {
			continue
		}
		if pull.State == Open || pull.Closer == Us || slices.Contains(pull.Labels, Again) {
			return nil
		}
		return &s.pulls[i]
	}
	return nil
}

// course is what Propose does next.
type course struct {
	operation Operation
	reason    string
	commit    bool   // make the commit and move the branch
	text      bool   // bring the open pull request's text up to date
	announce  bool   // open a pull request
	withdraw  string // why what is open is withdrawn, "" when it is not
}

// decide is the whole life of a promotion as a pure function.
func decide(p Proposal, s situation) course {
	if why := s.foreign(p.Branch); why != "" {
		return course{operation: Stopped, reason: why}
	}
	open, live := s.open(), s.live()
	if pull := s.declined(p.Trailers); pull != nil {
		next := course{operation: Declined, reason: fmt.Sprintf("this bundle was proposed in %s, which was closed; reopen it, or give it the label %s, and promote again", pull.Address, Again)}
		if open != nil {
			// What is open is not the newest any more.
			next.withdraw = fmt.Sprintf("the newest candidate of %s is the one that was declined in %s", p.Base, pull.Address)
		}
		return next
	}
	if live != nil && len(live.Messages) == 1 {
		if t, _ := ParseTrailers(live.Messages[0]); t.sameDecision(p.Trailers) {
			switch {
			case !s.hosted || open != nil && describes(open.Body, p.Trailers):
				return course{operation: Unchanged, reason: proposed}
			case open != nil:
				return course{operation: Updated, reason: "the pull request described another proposal", text: true}
			default:
				return course{operation: Created, announce: true}
			}
		}
	}
	switch {
	case open != nil:
		return course{operation: Updated, commit: true, text: true}
	case live != nil && !s.hosted:
		return course{operation: Updated, commit: true}
	default:
		return course{operation: Created, commit: true, announce: s.hosted}
	}
}

// describes reports whether a pull request's text is about this proposal. A
// human may have added to it; what counts is that it names the same digests.
func describes(body string, t Trailers) bool {
	return strings.Contains(body, t.Bundle) && strings.Contains(body, t.Exam) && strings.Contains(body, t.Replaces)
}
