package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// zero stands for "no commit" in updateRefs: before it a ref must not exist,
// after it the ref is gone.
const zero = "0000000000000000000000000000000000000000"

// compared is how many commits of a promotion branch are looked at. It has
// one, and a few more when a human took it over.
const compared = 250

// tip reads a branch, nil when it does not exist.
func (f *Forge) tip(ctx context.Context, branch string) (*github.RepositoryCommit, error) {
	// Repositories.GetBranch of go-github keeps the answer's error to itself.
	req, err := f.rest.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/branches/%s", f.owner, f.name, url.PathEscape(branch)), nil)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	var out github.Branch
	if _, err := f.rest.Do(ctx, req, &out); err != nil {
		if status(err) == http.StatusNotFound {
			return nil, nil
		}
		return nil, err
	}
	f.trees[out.GetCommit().GetSHA()] = out.GetCommit().GetCommit().GetTree().GetSHA()
	return out.GetCommit(), nil
}

// Base returns the head of the base branch.
func (f *Forge) Base(ctx context.Context, branch string) (string, error) {
	doing := "reading branch " + branch + " of " + f.options.Repository
	commit, err := f.tip(ctx, branch)
	if err != nil {
		return "", explain(doing, readContents, err)
	}
	if commit != nil {
		return commit.GetSHA(), nil
	}
	// 404 is the answer to a branch that is not there, to a repository that is
	// not there, and to a token that may not look.
	if _, _, err := f.rest.Repositories.Get(ctx, f.owner, f.name); err != nil {
		return "", explain("reading "+f.options.Repository, readContents, err)
	}
	return "", fault.NoBaseBranch.Usage(fmt.Errorf("the base branch %q does not exist in %s: create it, or name the right one in promote.base", branch, f.options.Repository))
}

// Head returns the promotion branch as it stands against base.
func (f *Forge) Head(ctx context.Context, branch, base string) (*promote.Head, error) {
	doing := "reading branch " + branch
	commit, err := f.tip(ctx, branch)
	if err != nil {
		return nil, explain(doing, readContents, err)
	}
	if commit == nil {
		return nil, nil
	}
	head := &promote.Head{Commit: commit.GetSHA()}
	commits := []*github.RepositoryCommit{commit} // newest first
	if len(commit.Parents) != 1 || commit.Parents[0].GetSHA() != base {
		var files []*github.CommitFile
		if commits, files, err = f.since(ctx, base, commit.GetSHA()); err != nil {
			return nil, explain(doing, readContents, err)
		}
		if commits, err = f.withoutUpdates(ctx, commits, files); err != nil {
			return nil, explain(doing, readContents, err)
		}
	}
	head.Merged = len(commits) == 0
	if len(commits) > compared {
		head.Foreign = fmt.Sprintf("more than %d commits", compared)
	}
	for _, c := range commits {
		message := c.GetCommit().GetMessage()
		head.Messages = append(head.Messages, message)
		if _, ours := promote.ParseTrailers(message); !ours {
			continue
		}
		rewritten, err := f.rewritten(ctx, c)
		if err != nil {
			return nil, err
		}
		if rewritten {
			head.Foreign = fmt.Sprintf("a commit that somebody rewrote (%.12s)", c.GetSHA())
		}
	}
	return head, nil
}

// withoutUpdates leaves out the merges of the base that "Update branch" makes,
// where the branch still changes what our one commit changed, blob for blob.
// Conflicts that somebody resolved show there.
func (f *Forge) withoutUpdates(ctx context.Context, commits []*github.RepositoryCommit, files []*github.CommitFile) ([]*github.RepositoryCommit, error) {
	var ours *github.RepositoryCommit
	for _, c := range commits {
		switch {
		case len(c.Parents) > 1:
		case ours != nil:
			return commits, nil
		default:
			ours = c
		}
	}
	if ours == nil || len(commits) == 1 || len(ours.Parents) != 1 {
		return commits, nil
	}
	if _, made := promote.ParseTrailers(ours.GetCommit().GetMessage()); !made {
		return commits, nil
	}
	_, before, err := f.since(ctx, ours.Parents[0].GetSHA(), ours.GetSHA())
	if err != nil {
		return nil, err
	}
	same := func(a, b *github.CommitFile) bool {
		return a.GetFilename() == b.GetFilename() && a.GetSHA() == b.GetSHA()
	}
	// More files than GitHub names cannot be compared.
	if len(files) == 0 || len(files) >= comparedFiles || !slices.EqualFunc(files, before, same) {
		return commits, nil
	}
	return []*github.RepositoryCommit{ours}, nil
}

// comparedFiles is how many files GitHub's comparison names.
// https://docs.github.com/rest/commits/commits#compare-two-commits
const comparedFiles = 300

// since lists the commits of head that base lacks, newest first, and stops
// when there are more than compared; and the files that they change.
func (f *Forge) since(ctx context.Context, base, head string) ([]*github.RepositoryCommit, []*github.CommitFile, error) {
	var files []*github.CommitFile
	var commits []*github.RepositoryCommit
	options := &github.ListOptions{PerPage: 100}
	for {
		comparison, resp, err := f.rest.Repositories.CompareCommits(ctx, f.owner, f.name, base, head, options)
		if err != nil {
			return nil, nil, err
		}
		if options.Page == 0 {
			files = comparison.Files
		}
		for _, c := range comparison.Commits { // oldest first, over all pages
			commits = append([]*github.RepositoryCommit{c}, commits...)
		}
		if resp.NextPage == 0 || len(commits) > compared {
			return commits, files, nil
		}
		options.Page = resp.NextPage
	}
}

// rewritten reports whether a commit with our trailers was committed by
// somebody else, as an amended or a rebased one is.
func (f *Forge) rewritten(ctx context.Context, c *github.RepositoryCommit) (bool, error) {
	committer := c.GetCommitter()
	if committer.GetLogin() == "web-flow" || c.GetCommit().GetCommitter().GetEmail() == "noreply@github.com" {
		return false, nil
	}
	if err := f.who(ctx); err != nil {
		return false, err
	}
	return !f.us(committer.GetLogin(), committer.GetType()), nil
}

const updateRefs = `mutation updateRefs($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}`

// change is one ref of an updateRefs: from "" is whatever it is now.
type change struct{ branch, from, to string }

func (f *Forge) update(ctx context.Context, changes ...change) error {
	if err := f.who(ctx); err != nil {
		return err
	}
	var updates []map[string]any
	for _, c := range changes {
		// A promotion's commit always stands on the newest base, so that a
		// replacement is no fast-forward; beforeOid guards what is replaced.
		update := map[string]any{"name": "refs/heads/" + c.branch, "afterOid": c.to, "force": true}
		if c.from != "" {
			update["beforeOid"] = c.from
		}
		updates = append(updates, update)
	}
	return f.query(ctx, updateRefs, map[string]any{"input": map[string]any{"repositoryId": f.id, "refUpdates": updates}}, nil)
}

// Move sets the branch from old to commit, or fails with promote.ErrMoved.
func (f *Forge) Move(ctx context.Context, branch, commit, old string) error {
	if old == "" {
		old = zero
	}
	changes := []change{{branch, old, commit}}
	if draft := f.drafts[commit]; draft != "" {
		changes = append(changes, change{draft, commit, zero})
	}
	return f.swap(ctx, "moving branch "+branch, changes)
}

// Delete removes the branch if it is at old.
func (f *Forge) Delete(ctx context.Context, branch, old string) error {
	return f.swap(ctx, "removing branch "+branch, []change{{branch, old, zero}})
}

// swap carries out changes of which the first decides. Its failure may mean
// anything, so the branch is read again: it is where it should be, or somebody
// else moved it, or nothing happened and trying again is safe.
func (f *Forge) swap(ctx context.Context, doing string, changes []change) error {
	for attempt := 1; ; attempt++ {
		err := f.update(ctx, changes...)
		if err == nil {
			return nil
		}
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: %w", doing, err)
		}
		var permission *PermissionError
		if errors.As(err, &permission) {
			return err
		}
		wanted := changes[0]
		current, readErr := f.tip(ctx, wanted.branch)
		if readErr != nil {
			return explain(doing, writeContents, err)
		}
		at := zero
		if current != nil {
			at = current.GetSHA()
		}
		switch {
		case at == wanted.to:
			f.drop(ctx, changes[1:])
			return nil
		case at != wanted.from:
			f.drop(ctx, changes[1:])
			return fmt.Errorf("%s: %w", doing, promote.ErrMoved)
		case !unclear(err) || attempt == attempts:
			return f.explainBranch(ctx, doing, wanted.branch, err)
		}
		if err := f.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// drop carries out what was to go along with a change that is settled. A draft
// that stays after a failure here is overwritten by the next commit.
func (f *Forge) drop(ctx context.Context, changes []change) {
	if len(changes) > 0 {
		_ = f.update(ctx, changes...)
	}
}

// explainBranch finds out why a branch cannot be made or moved.
func (f *Forge) explainBranch(ctx context.Context, doing, branch string, err error) error {
	var query *queryError
	if !errors.As(err, &query) || query.kind == "FORBIDDEN" {
		return explain(doing, writeContents, err)
	}
	if text := strings.ToLower(query.message); strings.Contains(text, "rule violation") || strings.Contains(text, "protected") {
		return fault.RefusedByRule.Usage(&PermissionError{Doing: doing, Reason: query.message, Remedy: "a rule of the repository closes " + branch + ": in Settings, Rules (or Branches) let the token's owner bypass it, or leave dosirak/** out of it"})
	}
	// A branch named like a folder of ours leaves no room for branches in it.
	for i, r := range branch {
		if r != '/' {
			continue
		}
		if inTheWay, readErr := f.tip(ctx, branch[:i]); readErr == nil && inTheWay != nil {
			return fault.BranchNameTaken.Usage(fmt.Errorf("%s: there is a branch named %s, which leaves no room for %s: rename it", doing, branch[:i], branch))
		}
	}
	return explain(doing, writeContents, err)
}
