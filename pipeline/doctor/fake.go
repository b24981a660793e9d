package doctor

import (
	"context"
	"errors"
	"slices"
)

// FakeMachine is a Machine for tests.
type FakeMachine struct {
	Programs  []string
	FreeBytes uint64
	FreeErr   error
	DockerErr error
	NoServer  bool
}

// Find finds what is in Programs.
func (m FakeMachine) Find(program string) (string, error) {
	if !slices.Contains(m.Programs, program) {
		return "", errors.New("not found")
	}
	return "/usr/bin/" + program, nil
}

// Free returns FreeBytes.
func (m FakeMachine) Free(string) (uint64, error) { return m.FreeBytes, m.FreeErr }

// Docker is there unless DockerErr is set.
func (m FakeMachine) Docker(context.Context) (string, error) { return "29.0", m.DockerErr }

// Builds is true unless NoServer is set.
func (m FakeMachine) Builds() bool { return !m.NoServer }

// FakeGitHub is a GitHub for tests: it answers what its fields say.
type FakeGitHub struct {
	Repo     Repository
	Owner    Token
	Lacks    []string // permissions
	Unclear  []string // permissions that cannot be probed
	ByBranch map[string][]Rule
	Requires []Required
	Branches []string
	May      bool
	Has      []string // labels
	Keeps    []string // secrets
	Machines []Runner
	Err      error // of every question
	Closed   error // of the questions that a token may not ask
}

var _ GitHub = (*FakeGitHub)(nil)

func (g *FakeGitHub) Repository(context.Context) (Repository, error) { return g.Repo, g.Err }
func (g *FakeGitHub) Token(context.Context) (Token, error)           { return g.Owner, g.Err }
func (g *FakeGitHub) Labels(context.Context) ([]string, error)       { return g.Has, g.Err }

func (g *FakeGitHub) Access(_ context.Context, permission string) (Access, error) {
	switch {
	case slices.Contains(g.Lacks, permission):
		return Denied, g.Err
	case slices.Contains(g.Unclear, permission):
		return Unclear, g.Err
	}
	return Granted, g.Err
}

func (g *FakeGitHub) Rules(_ context.Context, branch string) ([]Rule, error) {
	return g.ByBranch[branch], g.Err
}

func (g *FakeGitHub) Required(context.Context, string) ([]Required, error) { return g.Requires, g.Err }

func (g *FakeGitHub) Exists(_ context.Context, branch string) (bool, error) {
	return slices.Contains(g.Branches, branch), g.Err
}

func (g *FakeGitHub) ActionsMayOpen(context.Context) (bool, error) { return g.May, g.closed() }
func (g *FakeGitHub) Secrets(context.Context) ([]string, error)    { return g.Keeps, g.closed() }
func (g *FakeGitHub) Runners(context.Context) ([]Runner, error)    { return g.Machines, g.closed() }

func (g *FakeGitHub) closed() error {
	if g.Closed != nil {
		return g.Closed
	}
	return g.Err
}
