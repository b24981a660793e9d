package promote

import (
	"context"
	"errors"
)

// ErrMoved says that the promotion branch or its pull request is no longer as
// it was read: somebody else was there in between.
var ErrMoved = errors.New("the promotion was changed by somebody else in the meantime")

// Again is the label that asks for a proposal once more, on a pull request
// that a human closed.
const Again = "dosirak/propose-again"

// Forge is where proposals live. Paths are relative to the project's folder.
type Forge interface {
	// Base returns the head of the base branch.
	Base(ctx context.Context, branch string) (commit string, err error)
	// Head returns the promotion branch as it stands against base, nil when
	// it does not exist.
	Head(ctx context.Context, branch, base string) (*Head, error)
	// Commit makes a commit on top of base with p's files and message. No
	// promotion branch moves. It returns "" when base holds these very files
	// already.
	Commit(ctx context.Context, base string, p Proposal) (commit string, err error)
	// Move sets the branch from old ("" when it must not exist) to commit, and
	// fails with ErrMoved when it is no longer at old.
	Move(ctx context.Context, branch, commit, old string) error
	// Delete removes the branch, and fails with ErrMoved when it is no longer
	// at old.
	Delete(ctx context.Context, branch, old string) error
	// PullRequests returns the forge's pull requests, nil where it has none.
	PullRequests() PullRequests
}

// PullRequests is the part of a forge that a promotion is discussed in.
type PullRequests interface {
	// List returns the pull requests from branch into base, newest first; those
	// from forks with a branch of the same name are not among them.
	List(ctx context.Context, branch, base string) ([]PullRequest, error)
	// Open opens p's pull request, or finds the one that is open already.
	Open(ctx context.Context, p Proposal) (Opened, error)
	// Update makes title and body those of p, and fails with ErrMoved when the
	// pull request is not open any more.
	Update(ctx context.Context, pull PullRequest, p Proposal) error
	// Close closes the pull request; one that is closed stays closed.
	Close(ctx context.Context, pull PullRequest) error
	// Tell leaves a comment; one that was left under the same key is brought up
	// to date instead. key is of letters, digits and "-".
	Tell(ctx context.Context, pull PullRequest, key, text string) error
}

// Head is a promotion branch as it stands.
type Head struct {
	Commit string
	Merged bool // its commits are all in the base branch
	// Messages of the commits that base lacks, newest first.
	Messages []string
	// Foreign says why a commit is somebody else's although its message looks
	// like ours, "" when none is.
	Foreign string
}

// PullRequest is one pull request from the promotion branch.
type PullRequest struct {
	Number  int
	Address string
	State   State
	Body    string
	Labels  []string
	Commit  string   // its head; after it was closed, the head at that time
	Message string   // of that commit: its trailers tell what was proposed
	Closer  Identity // who closed it
}

// Opened is what became of opening a pull request.
type Opened struct {
	PullRequest
	Found    bool     // it was open already: a list that lags behind had not shown it
	Warnings []string // what failed without harm: labels, reviewers
}

// State of a pull request.
type State string

const (
	Open   State = "open"
	Closed State = "closed" // without being merged
	Merged State = "merged"
)

// Identity tells our own doings from those of others.
type Identity string

const (
	Us     Identity = "us"
	Others Identity = "others"
)
