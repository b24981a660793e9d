package github

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// File returns a file of a commit; name is relative to the project's folder.
// One that the commit lacks is an error that is fs.ErrNotExist.
func (f *Forge) File(ctx context.Context, commit, name string) ([]byte, error) {
	doing := fmt.Sprintf("reading %s at %.12s", name, commit)
	file, _, err := f.contents(ctx, commit, name)
	if err != nil {
		return nil, f.explainFile(doing, err)
	}
	if file == nil {
		return nil, fault.Usage(fmt.Errorf("%s: it is a folder", doing))
	}
	if file.GetEncoding() != "none" {
		text, err := file.GetContent()
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("%s: %w", doing, err))
		}
		return []byte(text), nil
	}
	// Beyond 1 MB the contents come without content.
	// https://docs.github.com/rest/repos/contents#get-repository-content
	blob, _, err := f.rest.Git.GetBlob(ctx, f.owner, f.name, file.GetSHA())
	if err != nil {
		return nil, f.explainFile(doing, err)
	}
	text, err := (&github.RepositoryContent{Content: blob.Content, Encoding: blob.Encoding}).GetContent()
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("%s: %w", doing, err))
	}
	return []byte(text), nil
}

// Files lists the files below a folder of a commit, relative to the project's
// folder; none where there is no such folder. It is meant for a bundle's few
// files: each folder costs a call, and GitHub lists 1,000 entries of one.
func (f *Forge) Files(ctx context.Context, commit, folder string) ([]string, error) {
	_, entries, err := f.contents(ctx, commit, folder)
	if status(err) == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, f.explainFile(fmt.Sprintf("listing %s at %.12s", folder, commit), err)
	}
	var names []string
	for _, e := range entries {
		name := path.Join(folder, e.GetName())
		if e.GetType() != "dir" {
			names = append(names, name)
			continue
		}
		below, err := f.Files(ctx, commit, name)
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	return names, nil
}

func (f *Forge) contents(ctx context.Context, commit, name string) (*github.RepositoryContent, []*github.RepositoryContent, error) {
	file, entries, _, err := f.rest.Repositories.GetContents(ctx, f.owner, f.name, strings.TrimSuffix(f.options.Folder+name, "/"), &github.RepositoryContentGetOptions{Ref: commit})
	return file, entries, err
}

func (f *Forge) explainFile(doing string, err error) error {
	if status(err) == http.StatusNotFound {
		return fmt.Errorf("%s: %w", doing, fs.ErrNotExist)
	}
	return explain(doing, readContents, err)
}
