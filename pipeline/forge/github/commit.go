package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// inlined is how much text goes into the call that makes a tree; the rest
// takes a call a file.
const inlined = 1 << 20

// Commit makes the commit on top of base; the promotion branch does not move.
func (f *Forge) Commit(ctx context.Context, base string, p promote.Proposal) (string, error) {
	// ghs_ is an app's installation, GITHUB_TOKEN included; these belong to a user.
	// https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
	for _, prefix := range []string{"ghp_", "github_pat_", "gho_", "ghu_"} {
		if strings.HasPrefix(f.options.Token, prefix) {
			return f.commitOnDraft(ctx, base, p)
		}
	}
	before, err := f.tree(ctx, base)
	if err != nil {
		return "", explain("reading the base's tree", readContents, err)
	}
	entries, err := f.entries(ctx, p)
	if err != nil {
		return "", explain("storing the bundle's files", writeContents, err)
	}
	tree, _, err := f.rest.Git.CreateTree(repeat(ctx), f.owner, f.name, before, entries)
	if err != nil {
		return "", explain("making the commit's tree", writeContents, err)
	}
	if tree.GetSHA() == before {
		return "", nil
	}
	commit, _, err := f.rest.Git.CreateCommit(repeat(ctx), f.owner, f.name, &github.Commit{
		Message: &p.Message, Tree: tree, Parents: []*github.Commit{{SHA: &base}},
	}, nil)
	if err != nil {
		return "", explain("making the commit", writeContents, err)
	}
	if !commit.GetVerification().GetVerified() && !strings.HasPrefix(f.options.Token, "ghs_") {
		return f.commitOnDraft(ctx, base, p)
	}
	return commit.GetSHA(), nil
}

// tree returns the tree of a commit.
func (f *Forge) tree(ctx context.Context, commit string) (string, error) {
	if tree := f.trees[commit]; tree != "" {
		return tree, nil
	}
	c, _, err := f.rest.Git.GetCommit(ctx, f.owner, f.name, commit)
	if err != nil {
		return "", err
	}
	f.trees[commit] = c.GetTree().GetSHA()
	return c.GetTree().GetSHA(), nil
}

// entries makes the entries of the tree: short text goes in as it is,
// everything else as a blob of its own.
func (f *Forge) entries(ctx context.Context, p promote.Proposal) ([]*github.TreeEntry, error) {
	var entries []*github.TreeEntry
	room := inlined
	for _, path := range p.Paths() {
		content := p.Files[path]
		entry := &github.TreeEntry{Path: github.String(f.options.Folder + path), Mode: github.String("100644"), Type: github.String("blob")}
		entries = append(entries, entry)
		// go-github takes an entry without content for a deletion.
		if len(content) > 0 && len(content) <= room && utf8.Valid(content) {
			room -= len(content)
			entry.Content = github.String(string(content))
			continue
		}
		blob, _, err := f.rest.Git.CreateBlob(repeat(ctx), f.owner, f.name, &github.Blob{
			Content: github.String(base64.StdEncoding.EncodeToString(content)), Encoding: github.String("base64"),
		})
		if err != nil {
			return nil, err
		}
		entry.SHA = blob.SHA
	}
	return entries, nil
}

const createCommitOnBranch = `mutation createCommitOnBranch($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid tree { oid } } }
}`

// commitOnDraft makes a commit that GitHub signs for any token. It appends to
// a branch, so it works on a draft beside the promotion branch, which Move
// removes in the same step that moves the promotion.
func (f *Forge) commitOnDraft(ctx context.Context, base string, p promote.Proposal) (string, error) {
	draft := "dosirak/draft/" + p.Trailers.Model + "/" + p.Trailers.Environment
	before, err := f.tree(ctx, base)
	if err != nil {
		return "", explain("reading the base's tree", readContents, err)
	}
	var additions []map[string]string
	for _, path := range p.Paths() {
		additions = append(additions, map[string]string{"path": f.options.Folder + path, "contents": base64.StdEncoding.EncodeToString(p.Files[path])})
	}
	headline, body, _ := strings.Cut(p.Message, "\n\n")
	input := map[string]any{
		"branch":          map[string]any{"repositoryNameWithOwner": f.options.Repository, "branchName": draft},
		"expectedHeadOid": base,
		"message":         map[string]any{"headline": headline, "body": body},
		"fileChanges":     map[string]any{"additions": additions},
	}
	var out struct {
		CreateCommitOnBranch struct {
			Commit struct {
				OID  string
				Tree struct{ OID string }
			}
		}
	}
	for attempt := 1; ; attempt++ {
		// What an earlier run left on the draft is of no value.
		err = f.update(ctx, change{branch: draft, to: base})
		if err != nil && !unclear(err) {
			return "", f.explainBranch(ctx, "making branch "+draft, draft, err)
		}
		if err == nil {
			err = f.query(ctx, createCommitOnBranch, map[string]any{"input": input}, &out)
		}
		if err == nil {
			break
		}
		var query *queryError
		if errors.As(err, &query) && query.kind == "STALE_DATA" {
			return "", fmt.Errorf("making the commit: %w", promote.ErrMoved)
		}
		if !unclear(err) || attempt == attempts {
			return "", explain("making the commit", writeContents, err)
		}
		if err := f.pause(ctx, attempt); err != nil {
			return "", err
		}
	}
	made := out.CreateCommitOnBranch.Commit
	if made.Tree.OID == before {
		return "", f.swap(ctx, "removing branch "+draft, []change{{draft, made.OID, zero}})
	}
	f.drafts[made.OID] = draft
	return made.OID, nil
}
