package github

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// contextPrefix begins the names of our statuses.
const contextPrefix = "dosirak/"

// StatusState is the state of a commit status.
type StatusState string

const (
	Pending StatusState = "pending"
	Success StatusState = "success"
	Failure StatusState = "failure"
	Error   StatusState = "error"
)

// Status is the commit status of one model in one environment.
type Status struct {
	Model, Environment string
	Commit             string // head SHA, never a merge commit
	State              StatusState
	Description        string // at most 140 characters are kept
	Address            string // of the run, "" is none
}

// Context is the name by which a branch rule requires the status.
func (s Status) Context() string { return contextPrefix + s.Model + "/" + s.Environment }

// SetStatus sets the status, unless it is what it should be already.
func (f *Forge) SetStatus(ctx context.Context, s Status) (changed bool, err error) {
	for _, w := range []string{s.Model, s.Environment, s.Commit} {
		if !word.MatchString(w) {
			return false, fault.Usage(fmt.Errorf("setting a status: %q is no name that a status can have", w))
		}
	}
	if runes := []rune(s.Description); len(runes) > 140 {
		s.Description = string(runes[:139]) + "…"
	}
	doing := fmt.Sprintf("setting status %s of %.12s", s.Context(), s.Commit)
	present, known := f.present[s.Commit]
	if !known {
		read, err := f.statuses(ctx, s.Commit)
		if err != nil {
			return false, explain(doing, readStatuses, err)
		}
		for _, p := range read {
			present = append(present, statusContext{p.GetContext(), p.GetState(), p.GetDescription(), p.GetTargetURL()})
		}
	}
	delete(f.present, s.Commit)
	for _, p := range present {
		if p.Context == s.Context() && strings.EqualFold(p.State, string(s.State)) && p.Description == s.Description && p.TargetURL == s.Address {
			return false, nil
		}
	}
	return true, explain(doing, writeStatuses, f.setStatus(ctx, s.Commit, s.Context(), s))
}

// statusContext is a status that a commit has.
type statusContext struct{ Context, State, Description, TargetURL string }

func (f *Forge) setStatus(ctx context.Context, commit, name string, s Status) error {
	status := &github.RepoStatus{Context: &name, State: github.String(string(s.State)), Description: &s.Description}
	if s.Address != "" {
		status.TargetURL = &s.Address
	}
	_, _, err := f.rest.Repositories.CreateStatus(repeat(ctx), f.owner, f.name, commit, status)
	return err
}

// statuses lists the newest status of each context.
func (f *Forge) statuses(ctx context.Context, commit string) ([]*github.RepoStatus, error) {
	var all []*github.RepoStatus
	options := &github.ListOptions{PerPage: 100}
	for {
		combined, resp, err := f.rest.Repositories.GetCombinedStatus(ctx, f.owner, f.name, commit, options)
		if err != nil {
			return nil, err
		}
		all = append(all, combined.Statuses...)
		if resp.NextPage == 0 {
			return all, nil
		}
		options.Page = resp.NextPage
	}
}

// Orphan is a status that was left pending.
type Orphan struct {
	Commit  string `json:"commit"`
	Context string `json:"context"`
}

// Sweep concludes as error what is pending since before a time: the run that
// should have concluded it was cancelled or died. It looks at the heads of
// the open pull requests and at the commits given.
func (f *Forge) Sweep(ctx context.Context, before time.Time, address string, commits ...string) ([]Orphan, error) {
	options := &github.PullRequestListOptions{State: "open", ListOptions: github.ListOptions{PerPage: 100}}
	seen := map[string]bool{}
	for {
		pulls, resp, err := f.rest.PullRequests.List(ctx, f.owner, f.name, options)
		if err != nil {
			return nil, explain("listing the open pull requests", readPulls, err)
		}
		for _, p := range pulls {
			commits = append(commits, p.GetHead().GetSHA())
		}
		if resp.NextPage == 0 {
			break
		}
		options.Page = resp.NextPage
	}
	var orphans []Orphan
	for _, commit := range commits {
		if seen[commit] {
			continue
		}
		seen[commit] = true
		found, err := f.Conclude(ctx, commit, before, address)
		orphans = append(orphans, found...)
		if err != nil {
			return orphans, err
		}
	}
	return orphans, nil
}

// Conclude concludes as error what of one commit is pending since before a
// time.
func (f *Forge) Conclude(ctx context.Context, commit string, before time.Time, address string) (orphans []Orphan, err error) {
	present, err := f.statuses(ctx, commit)
	if err != nil {
		return nil, explain(fmt.Sprintf("reading the statuses of %.12s", commit), readStatuses, err)
	}
	for _, p := range present {
		if p.GetState() != string(Pending) || !strings.HasPrefix(p.GetContext(), contextPrefix) || !p.GetUpdatedAt().Before(before) {
			continue
		}
		s := Status{State: Error, Description: "the run ended without a result: run it again", Address: address}
		if err := f.setStatus(ctx, commit, p.GetContext(), s); err != nil {
			return orphans, explain(fmt.Sprintf("settling status %s of %.12s", p.GetContext(), commit), writeStatuses, err)
		}
		orphans = append(orphans, Orphan{Commit: commit, Context: p.GetContext()})
	}
	return orphans, nil
}
