package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

var (
	readIssues  = need{"issues", "read"}
	writeIssues = need{"issues", "write"}
)

// issueMarker is the first line of our issues: which model and environment.
// settledMarker is the second one's of those that we closed ourselves; one
// that is closed without it was closed by a human.
func issueMarker(model, environment string) string {
	return "<!-- dosirak/out-of-sync " + model + "/" + environment + " -->"
}

const settledMarker = "<!-- dosirak/settled -->"

// Raise opens the issue, or brings the open one up to date. Where a human
// closed it with this very text, it stays closed.
func (f *Forge) Raise(ctx context.Context, i reconcile.Issue) (reconcile.NotifyResult, error) {
	doing := fmt.Sprintf("raising the issue of %s in %s", i.Model, i.Environment)
	marker := issueMarker(i.Model, i.Environment)
	body := marker + "\n" + i.Body
	issues, err := f.issues(ctx, marker)
	if err != nil {
		return reconcile.NotifyResult{}, explain(doing, readIssues, err)
	}
	if open := opened(issues); len(open) > 0 {
		return f.bring(ctx, doing, open, i.Title, body)
	}
	if len(issues) > 0 && same(issues[0].GetBody(), body) {
		return reconcile.NotifyResult{Operation: reconcile.Declined, Address: issues[0].GetHTMLURL()}, nil
	}
	for attempt := 1; ; attempt++ {
		made, _, err := f.rest.Issues.Create(ctx, f.owner, f.name, &github.IssueRequest{Title: &i.Title, Body: &body})
		if err != nil && (!unclear(err) || attempt == attempts) {
			return reconcile.NotifyResult{}, explain(doing, writeIssues, err)
		}
		if err != nil {
			if err := f.pause(ctx, attempt); err != nil {
				return reconcile.NotifyResult{}, err
			}
		}
		// Was it made, and by somebody else at the same time too? A list may lag
		// behind: it is asked until it shows ours.
		for look := range attempts {
			issues, listing := f.issues(ctx, marker)
			if listing != nil {
				return reconcile.NotifyResult{}, explain(doing, readIssues, listing)
			}
			open := opened(issues)
			shown := len(open) > 0
			if err == nil {
				shown = slices.ContainsFunc(issues, func(i *github.Issue) bool { return i.GetNumber() == made.GetNumber() })
			}
			if shown && len(open) > 0 {
				told, err := f.bring(ctx, doing, open, i.Title, body)
				told.Operation = reconcile.Opened
				return told, err
			}
			if err != nil && look > 0 {
				break // it was not made
			}
			if err := f.pause(ctx, look+1); err != nil {
				return reconcile.NotifyResult{}, err
			}
		}
		if err == nil {
			return reconcile.NotifyResult{Operation: reconcile.Opened, Address: made.GetHTMLURL()}, nil
		}
	}
}

// Settle closes what is open.
func (f *Forge) Settle(ctx context.Context, model, environment, text string) (reconcile.NotifyResult, error) {
	doing := fmt.Sprintf("closing the issue of %s in %s", model, environment)
	marker := issueMarker(model, environment)
	issues, err := f.issues(ctx, marker)
	if err != nil {
		return reconcile.NotifyResult{}, explain(doing, readIssues, err)
	}
	var told reconcile.NotifyResult
	for _, issue := range opened(issues) {
		told = reconcile.NotifyResult{Operation: reconcile.Closed, Address: issue.GetHTMLURL()}
		if err := f.close(ctx, issue, marker, text); err != nil {
			return told, explain(doing, writeIssues, err)
		}
	}
	return told, nil
}

// close says why and closes in one call, so that nothing is half done.
func (f *Forge) close(ctx context.Context, issue *github.Issue, marker, text string) error {
	body := marker + "\n" + settledMarker + "\n" + text + "\n\n" + strings.TrimPrefix(strings.TrimPrefix(issue.GetBody(), marker), "\n")
	_, _, err := f.rest.Issues.Edit(ctx, f.owner, f.name, issue.GetNumber(), &github.IssueRequest{
		Body: &body, State: github.String("closed"), StateReason: github.String("completed"),
	})
	return err
}

// bring makes the oldest open issue say what it should, and closes those that
// were opened at the same time.
func (f *Forge) bring(ctx context.Context, doing string, open []*github.Issue, title, body string) (reconcile.NotifyResult, error) {
	first := slices.MinFunc(open, func(a, b *github.Issue) int { return a.GetNumber() - b.GetNumber() })
	told := reconcile.NotifyResult{Operation: reconcile.Unchanged, Address: first.GetHTMLURL()}
	for _, issue := range open {
		if issue.GetNumber() == first.GetNumber() {
			continue
		}
		marker, _, _ := strings.Cut(body, "\n")
		if err := f.close(ctx, issue, marker, fmt.Sprintf("Opened twice at the same time: see #%d.", first.GetNumber())); err != nil {
			return told, explain(doing, writeIssues, err)
		}
	}
	if same(first.GetBody(), body) {
		return told, nil
	}
	told.Operation = reconcile.Updated
	_, _, err := f.rest.Issues.Edit(ctx, f.owner, f.name, first.GetNumber(), &github.IssueRequest{Title: &title, Body: &body})
	return told, explain(doing, writeIssues, err)
}

func opened(issues []*github.Issue) []*github.Issue {
	return slices.DeleteFunc(slices.Clone(issues), func(i *github.Issue) bool { return i.GetState() != "open" })
}

// issues lists our own issues with a marker, newest first. Anybody may open
// one with the same text; only the token's owner counts.
func (f *Forge) issues(ctx context.Context, marker string) ([]*github.Issue, error) {
	if err := f.who(ctx); err != nil {
		return nil, err
	}
	var ours []*github.Issue
	options := &github.IssueListByRepoOptions{State: "all", Creator: f.login, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100}}
	for range pages {
		page, resp, err := f.rest.Issues.ListByRepo(ctx, f.owner, f.name, options)
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if !i.IsPullRequest() && f.us(i.GetUser().GetLogin(), i.GetUser().GetType()) && strings.HasPrefix(i.GetBody(), marker) {
				ours = append(ours, i)
			}
		}
		if resp.NextPage == 0 {
			break
		}
		options.Page = resp.NextPage
	}
	return ours, nil
}
