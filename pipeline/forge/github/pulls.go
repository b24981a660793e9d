package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

const pullsQuery = `query pulls($owner: String!, $name: String!, $branch: String!, $base: String!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    id
    pullRequests(headRefName: $branch, baseRefName: $base, first: 100, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes {
        number url state body headRefOid isCrossRepository
        labels(first: 100) { nodes { name } }
        commits(last: 1) { nodes { commit { message } } }
        timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) { nodes { ... on ClosedEvent { actor { __typename login } } } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`

// pages bounds how far back pull requests are read: 2,000 of one branch.
const pages = 20

type pullNode struct {
	Number            int
	URL               string
	State             string
	Body              string
	HeadRefOid        string
	IsCrossRepository bool
	Labels            struct{ Nodes []struct{ Name string } }
	Commits           struct {
		Nodes []struct{ Commit struct{ Message string } }
	}
	TimelineItems struct {
		Nodes []struct {
			Actor struct {
				Kind  string `json:"__typename"`
				Login string
			}
		}
	}
}

// List returns the pull requests from branch into base, newest first.
func (f *Forge) List(ctx context.Context, branch, base string) ([]promote.PullRequest, error) {
	var pulls []promote.PullRequest
	variables := map[string]any{"owner": f.owner, "name": f.name, "branch": branch, "base": base, "after": nil}
	for range pages {
		var out struct {
			Viewer     struct{ Login string }
			Repository struct {
				ID           string
				PullRequests struct {
					Nodes    []pullNode
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		if err := f.query(repeat(ctx), pullsQuery, variables, &out); err != nil {
			return nil, explain("reading the pull requests of "+branch, readPulls, err)
		}
		f.id, f.login = out.Repository.ID, out.Viewer.Login
		page := out.Repository.PullRequests
		for _, node := range page.Nodes {
			// Anybody may have a branch of the same name in a fork.
			if node.IsCrossRepository {
				continue
			}
			pulls = append(pulls, f.pull(node))
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		variables["after"] = page.PageInfo.EndCursor
	}
	return pulls, nil
}

func (f *Forge) pull(node pullNode) promote.PullRequest {
	pull := promote.PullRequest{
		Number: node.Number, Address: node.URL, State: promote.State(strings.ToLower(node.State)),
		Body: node.Body, Commit: node.HeadRefOid,
	}
	for _, label := range node.Labels.Nodes {
		pull.Labels = append(pull.Labels, label.Name)
	}
	for _, c := range node.Commits.Nodes {
		pull.Message = c.Commit.Message
	}
	if pull.State == promote.Closed {
		pull.Closer = promote.Others
		for _, event := range node.TimelineItems.Nodes {
			if f.us(event.Actor.Login, event.Actor.Kind) {
				pull.Closer = promote.Us
			}
		}
	}
	return pull
}

// Open opens the pull request or finds the one that is open. GitHub keeps two
// from existing, so the call may be repeated.
func (f *Forge) Open(ctx context.Context, p promote.Proposal) (out promote.Opened, err error) {
	const doing = "opening the pull request"
	made, _, err := f.rest.PullRequests.Create(repeat(ctx), f.owner, f.name, &github.NewPullRequest{
		Title: &p.Title, Body: &p.Body, Head: &p.Branch, Base: &p.Base, MaintainerCanModify: github.Bool(true),
	})
	if status(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "already exists") {
		out.Found = true
		made, err = f.opened(ctx, p)
	}
	if err != nil {
		return out, explain(doing, writePulls, err)
	}
	out.PullRequest = promote.PullRequest{Number: made.GetNumber(), Address: made.GetHTMLURL(), State: promote.Open, Body: made.GetBody(), Commit: made.GetHead().GetSHA(), Message: p.Message}
	out.Warnings = f.adorn(ctx, out.Number)
	return out, nil
}

// opened finds the pull request that is open. A list may lag behind.
func (f *Forge) opened(ctx context.Context, p promote.Proposal) (*github.PullRequest, error) {
	for attempt := 1; attempt <= attempts; attempt++ {
		open, _, err := f.rest.PullRequests.List(ctx, f.owner, f.name, &github.PullRequestListOptions{State: "open", Head: f.owner + ":" + p.Branch, Base: p.Base})
		if err != nil {
			return nil, err
		}
		if len(open) > 0 {
			return open[0], nil
		}
		if err := f.pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return nil, &queryError{message: "a pull request exists already, but no list shows it yet: run again"}
}

// adorn adds labels and reviewers. What fails there is worth a warning, not a
// promotion.
func (f *Forge) adorn(ctx context.Context, number int) []string {
	var warnings []string
	if labels := f.options.Labels; len(labels) > 0 {
		if err := f.label(ctx, number, labels); err != nil {
			warnings = append(warnings, explain(fmt.Sprintf("labelling #%d", number), writePulls, err).Error())
		}
	}
	return append(warnings, f.ask(ctx, number)...)
}

// ask asks for reviews, all at once. GitHub refuses all of them for one that it
// does not know, or who opened the pull request: then each is asked alone, so
// that the others are not lost.
func (f *Forge) ask(ctx context.Context, number int) (warnings []string) {
	all := github.ReviewersRequest{Reviewers: f.options.Reviewers, TeamReviewers: f.options.Teams}
	if len(all.Reviewers)+len(all.TeamReviewers) == 0 {
		return nil
	}
	request := func(r github.ReviewersRequest) error {
		_, _, err := f.rest.PullRequests.RequestReviewers(repeat(ctx), f.owner, f.name, number, r)
		return err
	}
	err := request(all)
	if err == nil {
		return nil
	}
	if status(err) != http.StatusUnprocessableEntity || len(all.Reviewers)+len(all.TeamReviewers) == 1 {
		return []string{explain(fmt.Sprintf("asking for reviews of #%d", number), writePulls, err).Error()}
	}
	for _, name := range all.Reviewers {
		if err := request(github.ReviewersRequest{Reviewers: []string{name}}); err != nil {
			warnings = append(warnings, explain(fmt.Sprintf("asking %s for a review of #%d", name, number), writePulls, err).Error())
		}
	}
	for _, name := range all.TeamReviewers {
		if err := request(github.ReviewersRequest{TeamReviewers: []string{name}}); err != nil {
			warnings = append(warnings, explain(fmt.Sprintf("asking team %s for a review of #%d", name, number), writePulls, err).Error())
		}
	}
	return warnings
}

// label adds labels. go-github sends a bare list, which GitHub's description
// of the call no longer knows.
func (f *Forge) label(ctx context.Context, number int, labels []string) error {
	req, err := f.rest.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", f.owner, f.name, number), map[string][]string{"labels": labels})
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	_, err = f.rest.Do(repeat(ctx), req, nil)
	return err
}

// Update makes title and body those of p.
func (f *Forge) Update(ctx context.Context, pull promote.PullRequest, p promote.Proposal) error {
	doing := fmt.Sprintf("updating the text of #%d", pull.Number)
	updated, _, err := f.rest.PullRequests.Edit(ctx, f.owner, f.name, pull.Number, &github.PullRequest{Title: &p.Title, Body: &p.Body})
	if err == nil && updated.GetState() != "open" {
		return fmt.Errorf("%s: it was closed in the meantime: %w", doing, promote.ErrMoved)
	}
	return explain(doing, writePulls, err)
}

// Close closes the pull request.
func (f *Forge) Close(ctx context.Context, pull promote.PullRequest) error {
	_, _, err := f.rest.PullRequests.Edit(ctx, f.owner, f.name, pull.Number, &github.PullRequest{State: github.String("closed")})
	return explain(fmt.Sprintf("closing #%d", pull.Number), writePulls, err)
}

// Tell leaves a comment under a key, or brings it up to date.
func (f *Forge) Tell(ctx context.Context, pull promote.PullRequest, key, text string) error {
	_, err := f.stick(ctx, pull.Number, sticky{marker: "<!-- dosirak/" + key + " -->", body: text})
	return err
}
