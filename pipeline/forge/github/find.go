package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	_, _, ok := strings.Cut(repository, "/")
	doing := fmt.Sprintf("finding the pull request of %s at %.12s", branch, commit)
	if !ok || branch == "" || commit == "" {
		return Pull{}, fault.Usage(fmt.Errorf("%s: the event names no head repository, branch and commit", doing))
	}
	why := ErrNoPull
	variables := map[string]any{"owner": f.owner, "name": f.name, "branch": branch, "commit": commit, "after": nil, "statuses": true}
	for range pages {
		var out struct {
			Viewer     struct{ Login string }
			Repository struct {
				ID     string
				Object *struct {
					Status *struct{ Contexts []statusContext }
				}
				PullRequests struct {
					Nodes    []foundNode
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		err := f.query(repeat(ctx), findQuery, variables, &out)
		if refused := new(queryError); errors.As(err, &refused) && refused.kind == "FORBIDDEN" {
			variables["statuses"] = false // a token that comments need not read statuses
			err = f.query(repeat(ctx), findQuery, variables, &out)
		}
		if err != nil {
			return Pull{}, explain(doing, readPulls, err)
		}
		f.id, f.login = out.Repository.ID, out.Viewer.Login
		if o := out.Repository.Object; o != nil {
			f.present[commit] = nil
			if o.Status != nil {
				f.present[commit] = o.Status.Contexts
			}
		}
		for _, p := range out.Repository.PullRequests.Nodes {
			if p.HeadRepository == nil || !strings.EqualFold(p.HeadRepository.NameWithOwner, repository) {
				continue
			}
			open, at := p.State == "OPEN", p.HeadRefOid == commit
			switch {
			case open && at:
				return p.pull(), nil
			case open:
				why = ErrOutOfDate
			case at && why == ErrNoPull:
				why = ErrClosed
			}
		}
		if !out.Repository.PullRequests.PageInfo.HasNextPage {
			break
		}
		variables["after"] = out.Repository.PullRequests.PageInfo.EndCursor
	}
	return Pull{}, fault.Usage(fmt.Errorf("%s: %w", doing, why))
}

// findQuery reads at once whose token it is, the pull requests of a branch in
// whatever repository, and the statuses of the commit that is looked for.
const findQuery = `query find($owner: String!, $name: String!, $branch: String!, $commit: GitObjectID!, $after: String, $statuses: Boolean!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    id
    object(oid: $commit) @include(if: $statuses) { ... on Commit { status { contexts { context state description targetUrl } } } }
    pullRequests(headRefName: $branch, first: 100, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      nodes { number url state headRefOid baseRefName author { login } headRepository { nameWithOwner } labels(first: 100) { nodes { name } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`

type foundNode struct {
	Number         int
	URL            string
	State          string
	HeadRefOid     string
	BaseRefName    string
	Author         *struct{ Login string }
	HeadRepository *struct{ NameWithOwner string } // nil once the fork is deleted
	Labels         struct{ Nodes []struct{ Name string } }
}

func (n foundNode) pull() Pull {
	out := Pull{Number: n.Number, Address: n.URL, Base: n.BaseRefName, State: promote.Open}
	if n.Author != nil {
		out.Author = n.Author.Login
	}
	for _, l := range n.Labels.Nodes {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}
