package promote

import "context"

// Fake is a Forge in memory for tests: it answers what its fields say and
// records the moves of the branch.
type Fake struct {
	BaseCommit string
	Current    *Head
	MoveErr    error
	Moves      []string
	Pulls      PullRequests // nil: a forge without pull requests
}

var _ Forge = (*Fake)(nil)

func (f *Fake) Base(context.Context, string) (string, error)             { return f.BaseCommit, nil }
func (f *Fake) Head(context.Context, string, string) (*Head, error)      { return f.Current, nil }
func (f *Fake) Commit(context.Context, string, Proposal) (string, error) { return "proposed", nil }
func (f *Fake) PullRequests() PullRequests                               { return f.Pulls }

func (f *Fake) Move(_ context.Context, _, commit, _ string) error {
	if f.MoveErr != nil {
		return f.MoveErr
	}
	f.Moves = append(f.Moves, commit)
	return nil
}

func (f *Fake) Delete(_ context.Context, _, old string) error {
	if f.MoveErr != nil {
		return f.MoveErr
	}
	f.Moves = append(f.Moves, "deleted "+old)
	f.Current = nil
	return nil
}
