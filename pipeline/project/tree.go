package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// Tree reads files of the project as somebody vouches for them: a commit of
// the base branch, or the work tree where there is no Git. Paths are relative
// to the project's folder.
type Tree interface {
	Read(ctx context.Context, path string) ([]byte, error) // fs.ErrNotExist when it lacks the file
	List(ctx context.Context, folder string) ([]string, error)
	String() string // for messages: "main", "the work tree"
}

// Head is a forge's base branch as it stands now. Paths are relative to the
// project's folder.
type Head interface {
	// Base returns the head of a branch.
	Base(ctx context.Context, branch string) (commit string, err error)
	// File returns a file of a commit, or an error that is fs.ErrNotExist.
	File(ctx context.Context, commit, path string) ([]byte, error)
	// Files lists the files below a folder of a commit.
	Files(ctx context.Context, commit, folder string) ([]string, error)
}

// BaseTree is the base branch's commit, or the work tree where there is no Git
// or no such branch.
func (p *Project) BaseTree(ctx context.Context) (Tree, error) {
	if p.Repo == nil {
		return p.WorkTree(), nil
	}
	for _, ref := range []string{"refs/heads/" + p.Config.Promote.Base, "refs/remotes/origin/" + p.Config.Promote.Base} {
		commit, ok, err := p.Repo.Resolve(ctx, ref)
		if err != nil {
			return nil, err
		}
		if ok {
			return CommitTree{Repo: p.Repo, Commit: commit, Branch: p.Config.Promote.Base}, nil
		}
	}
	return p.WorkTree(), nil
}

// WorkTree is the project's folder as it lies there, and with Git as Git would
// store it.
func (p *Project) WorkTree() Folder { return Folder{Dir: p.Dir, Repo: p.Repo} }

// CommitTree is the project's folder in a commit.
type CommitTree struct {
	Repo           *git.Repo
	Commit, Branch string
}

func (t CommitTree) Read(ctx context.Context, path string) ([]byte, error) {
	data, err := t.Repo.Show(ctx, t.Commit, path)
	if errors.Is(err, git.ErrNotFound) {
		return nil, fs.ErrNotExist
	}
	return data, fault.Environment(err)
}

func (t CommitTree) List(ctx context.Context, folder string) ([]string, error) {
	return t.Repo.List(ctx, t.Commit, folder)
}

func (t CommitTree) String() string { return t.Branch }

// Folder is the project's folder as it lies there. In a repository the contents
// are those that Git stores: a digest in a manifest means the same in a clone that
// converts line endings.
type Folder struct {
	Dir  string
	Repo *git.Repo // nil without Git
}

// Read reads a regular file below the folder. What a change brings along may be
// a link that leads elsewhere or a pipe that never ends: both are refused.
func (f Folder) Read(ctx context.Context, path string) ([]byte, error) {
	data, err := f.read(path)
	if err != nil || f.Repo == nil {
		return data, fault.Environment(err)
	}
	stored, err := f.Repo.Stored(ctx, path)
	if err != nil {
		return nil, fault.Environment(err)
	}
	if other, converted := stored[path]; converted {
		return other, nil
	}
	data, err = f.Repo.Content(ctx, path, data)
	return data, fault.Environment(err)
}

func (f Folder) read(path string) ([]byte, error) {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.FromSlash(path)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > evidence.MaxFile {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes: %w", path, evidence.MaxFile, fs.ErrInvalid)
	}
	return root.ReadFile(name)
}

func (f Folder) List(_ context.Context, below string) ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(f.Dir), below, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

func (f Folder) String() string { return "the work tree" }

// HeadTree is the project's folder in a commit of a forge's.
type HeadTree struct {
	Head           Head
	Commit, Branch string
}

func (t HeadTree) Read(ctx context.Context, path string) ([]byte, error) {
	return t.Head.File(ctx, t.Commit, path)
}

func (t HeadTree) List(ctx context.Context, folder string) ([]string, error) {
	return t.Head.Files(ctx, t.Commit, folder)
}

func (t HeadTree) String() string { return t.Branch }
