package github

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// maxComment is what GitHub takes. It counts characters; counting bytes stays
// on the safe side.
const maxComment = 65536

// Comment is what a pull request is told about one model in one environment.
type Comment struct {
	Model, Environment string
	Verdict            string
	Commit             string   // head SHA of the pull request
	Forms              []string // Markdown, longest first: the first that fits is taken
	// Render gives the forms instead, from the text of the comment as it stands;
	// "" where there is none. Whoever may edit the comment may have changed it.
	Render func(present string) []string
	// Notice is a line for those who get GitHub's notifications. It is posted
	// as a comment of its own when the verdict is another than before: editing
	// a comment notifies nobody.
	Notice string
	// Quiet brings a comment up to date that is there, and makes none.
	Quiet bool
}

// Commented is what became of it.
type Commented struct {
	ID       int64  `json:"id"`
	Address  string `json:"address"`
	Changed  bool   `json:"changed"`
	Notified bool   `json:"notified"`
}

// word is the closed alphabet of what goes into a marker.
var word = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Comment writes or updates the one comment of a model and environment on a
// pull request.
func (f *Forge) Comment(ctx context.Context, number int, c Comment) (Commented, error) {
	for _, w := range []string{c.Model, c.Environment, c.Verdict, c.Commit} {
		if !word.MatchString(w) {
			return Commented{}, fault.Usage(fmt.Errorf("commenting on #%d: %q is no name that a comment can be found by", number, w))
		}
	}
	key := fmt.Sprintf("model=%s environment=%s", c.Model, c.Environment)
	s := sticky{
		marker: "<!-- dosirak/comment " + key + " verdict=" + c.Verdict + " -->",
		find:   "<!-- dosirak/comment " + key + " verdict=",
		quiet:  c.Quiet, notice: c.Notice, noticeMarker: fmt.Sprintf("<!-- dosirak/notice %s commit=%s verdict=%s -->", key, c.Commit, c.Verdict),
	}
	fitting := func(forms []string) (string, error) {
		for _, form := range forms {
			if len(s.marker)+1+len(form) <= maxComment {
				return form, nil
			}
		}
		return "", fault.Usage(fmt.Errorf("commenting on #%d: no form of the comment is under GitHub's %d characters", number, maxComment))
	}
	if c.Render != nil {
		s.compose = func(present string) (string, error) { return fitting(c.Render(present)) }
		return f.stick(ctx, number, s)
	}
	var err error
	if s.body, err = fitting(c.Forms); err != nil {
		return Commented{}, err
	}
	return f.stick(ctx, number, s)
}

// sticky is a comment that is found again by its first line.
type sticky struct {
	marker string // first line
	find   string // beginning of the first line, "" is all of it
	body   string
	// compose gives the body from the comment as it stands; nil leaves body.
	compose func(present string) (string, error)

	notice, noticeMarker string // posted when the marker changes
	quiet                bool   // none is made
}

func (s sticky) text() string { return s.marker + "\n" + s.body }

func (s sticky) prefix() string {
	if s.find != "" {
		return s.find
	}
	return s.marker
}

// stick brings a sticky comment to what it should say.
func (f *Forge) stick(ctx context.Context, number int, s sticky) (Commented, error) {
	doing := fmt.Sprintf("commenting on #%d", number)
	ours, notified, err := f.find(ctx, number, s, time.Time{})
	if err != nil {
		return Commented{}, explain(doing, writePulls, err)
	}
	if s.compose != nil {
		present := ""
		if len(ours) > 0 {
			present = ours[0].GetBody()
		}
		if s.body, err = s.compose(present); err != nil {
			return Commented{}, err
		}
	}
	if len(ours) == 0 && s.quiet {
		return Commented{}, nil
	}
	if len(ours) == 0 {
		return f.place(ctx, number, s)
	}
	first := ours[0]
	out := Commented{ID: first.GetID(), Address: first.GetHTMLURL()}
	// Notice before edit: the old marker stays until the notice is out.
	if s.notice != "" && !notified && !strings.HasPrefix(first.GetBody(), s.marker) {
		if err := f.notify(ctx, number, s); err != nil {
			return out, explain(doing, writePulls, err)
		}
		out.Notified = true
	}
	if !same(first.GetBody(), s.text()) {
		out.Changed = true
		_, _, err := f.rest.Issues.EditComment(ctx, f.owner, f.name, first.GetID(), &github.IssueComment{Body: github.String(s.text())})
		switch status(err) {
		case http.StatusNotFound, http.StatusForbidden:
			// Deleted in between, or no longer ours to edit.
			placed, err := f.place(ctx, number, s)
			placed.Notified = out.Notified
			return placed, err
		}
		if err != nil {
			return out, explain(doing, writePulls, err)
		}
	}
	return out, f.prune(ctx, ours[1:])
}

// place makes the comment, and settles with those who made it at the same
// time: the oldest stays, whoever made it.
func (f *Forge) place(ctx context.Context, number int, s sticky) (Commented, error) {
	doing := fmt.Sprintf("commenting on #%d", number)
	var since time.Time
	for attempt := 1; ; attempt++ {
		made, _, err := f.rest.Issues.CreateComment(ctx, f.owner, f.name, number, &github.IssueComment{Body: github.String(s.text())})
		if err == nil {
			since = made.GetCreatedAt().Add(-time.Minute)
			out := Commented{ID: made.GetID(), Address: made.GetHTMLURL(), Changed: true}
			return f.settle(ctx, number, s, since, out)
		}
		if !unclear(err) || attempt == attempts {
			return Commented{}, explain(doing, writePulls, err)
		}
		// It may be there all the same; a list may lag behind, so look twice.
		for look := range 2 {
			if err := f.pause(ctx, attempt+look); err != nil {
				return Commented{}, err
			}
			ours, _, err := f.find(ctx, number, s, since)
			if err != nil {
				return Commented{}, explain(doing, writePulls, err)
			}
			if len(ours) > 0 {
				return f.settle(ctx, number, s, since, Commented{ID: ours[0].GetID(), Address: ours[0].GetHTMLURL(), Changed: true})
			}
		}
	}
}

func (f *Forge) settle(ctx context.Context, number int, s sticky, since time.Time, out Commented) (Commented, error) {
	doing := fmt.Sprintf("commenting on #%d", number)
	var ours []*github.IssueComment
	for attempt := 1; attempt <= attempts; attempt++ {
		var err error
		if ours, _, err = f.find(ctx, number, s, since); err != nil {
			return out, explain(doing, writePulls, err)
		}
		if slices.ContainsFunc(ours, func(c *github.IssueComment) bool { return c.GetID() == out.ID }) {
			break
		}
		// A list that lacks our own comment lags behind.
		if err := f.pause(ctx, attempt); err != nil {
			return out, err
		}
	}
	if len(ours) < 2 {
		return out, nil
	}
	first := ours[0]
	if !same(first.GetBody(), s.text()) {
		if _, _, err := f.rest.Issues.EditComment(ctx, f.owner, f.name, first.GetID(), &github.IssueComment{Body: github.String(s.text())}); err != nil {
			return out, explain(doing, writePulls, err)
		}
	}
	out.ID, out.Address = first.GetID(), first.GetHTMLURL()
	return out, f.prune(ctx, ours[1:])
}

// notify leaves the notice, once: of two that are made at the same time the
// older stays.
func (f *Forge) notify(ctx context.Context, number int, s sticky) error {
	notice := sticky{marker: s.noticeMarker, body: s.notice}
	for attempt := 1; ; attempt++ {
		made, _, err := f.rest.Issues.CreateComment(ctx, f.owner, f.name, number, &github.IssueComment{Body: github.String(notice.text())})
		if err == nil {
			_, err := f.settle(ctx, number, notice, made.GetCreatedAt().Add(-time.Minute), Commented{ID: made.GetID()})
			return err
		}
		if !unclear(err) || attempt == attempts {
			return err
		}
		for look := range 2 {
			if err := f.pause(ctx, attempt+look); err != nil {
				return err
			}
			there, _, err := f.find(ctx, number, notice, time.Time{})
			if err != nil {
				return err
			}
			if len(there) > 0 {
				return f.prune(ctx, there[1:])
			}
		}
	}
}

// prune deletes comments that should not have been made.
func (f *Forge) prune(ctx context.Context, comments []*github.IssueComment) error {
	for _, c := range comments {
		_, err := f.rest.Issues.DeleteComment(ctx, f.owner, f.name, c.GetID())
		if err != nil && status(err) != http.StatusNotFound {
			return explain(fmt.Sprintf("deleting the second of two comments (%s)", c.GetHTMLURL()), writePulls, err)
		}
	}
	return nil
}

// find lists our own comments that begin with the marker, oldest first, over
// all pages, and whether the notice is there. since bounds how far back.
func (f *Forge) find(ctx context.Context, number int, s sticky, since time.Time) (ours []*github.IssueComment, notified bool, err error) {
	if err := f.who(ctx); err != nil {
		return nil, false, err
	}
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	if !since.IsZero() {
		options.Since = &since
	}
	for {
		comments, resp, err := f.rest.Issues.ListComments(ctx, f.owner, f.name, number, options)
		if err != nil {
			return nil, false, err
		}
		for _, c := range comments {
			if !f.us(c.GetUser().GetLogin(), c.GetUser().GetType()) {
				continue
			}
			if strings.HasPrefix(c.GetBody(), s.prefix()) {
				ours = append(ours, c)
			}
			if s.noticeMarker != "" && strings.HasPrefix(c.GetBody(), s.noticeMarker) {
				notified = true
			}
		}
		if resp.NextPage == 0 {
			return ours, notified, nil
		}
		options.Page = resp.NextPage
	}
}

// same compares texts as GitHub keeps them.
func same(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return plain(a) == plain(b)
}
