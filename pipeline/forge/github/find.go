package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Why FindPull found none that may be told about a run.
var (
	ErrNoPull    = errors.New("there is no pull request for it")
	ErrClosed    = errors.New("its pull request is closed")
	ErrOutOfDate = errors.New("its pull request has moved on to a newer commit")
)

// Pull is a pull request as it was found.
type Pull struct {
	Number  int
	Address string
	Author  string
	Base    string
	State   promote.State
	Labels  []string
}

// FindPull finds the open pull request of a head: the repository and branch
// it comes from, and the commit that was judged. Nothing that the change
// itself says about its number is trusted.
func (f *Forge) FindPull(ctx context.Context, repository, branch, commit string) (Pull, error) {
	owner, _, ok := strings.Cut(repository, "/")
	doing := fmt.Sprintf("finding the pull request of %s at %.12s", branch, commit)
	if !ok || branch == "" || commit == "" {
		return Pull{}, fault.Usage(fmt.Errorf("%s: the event names no head repository, branch and commit", doing))
	}
	why := ErrNoPull
	options := &github.PullRequestListOptions{State: "all", Head: owner + ":" + branch, Sort: "updated", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100}}
	for {
		pulls, resp, err := f.rest.PullRequests.List(ctx, f.owner, f.name, options)
		if err != nil {
			return Pull{}, explain(doing, readPulls, err)
		}
		for _, p := range pulls {
			if !strings.EqualFold(p.GetHead().GetRepo().GetFullName(), repository) {
				continue
			}
			open, at := p.GetState() == "open", p.GetHead().GetSHA() == commit
			switch {
			case open && at:
				out := Pull{Number: p.GetNumber(), Address: p.GetHTMLURL(), Author: p.GetUser().GetLogin(), Base: p.GetBase().GetRef(), State: promote.Open}
				for _, l := range p.Labels {
					out.Labels = append(out.Labels, l.GetName())
				}
				return out, nil
			case open:
				why = ErrOutOfDate
			case at && why == ErrNoPull:
				why = ErrClosed
			}
		}
		if resp.NextPage == 0 {
			return Pull{}, fault.Usage(fmt.Errorf("%s: %w", doing, why))
		}
		options.Page = resp.NextPage
	}
}
