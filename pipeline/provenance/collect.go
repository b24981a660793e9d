package provenance

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// maxChanged bounds the list of changed files: the fact is that there are
// some, and which ones is for a person who looks.
const maxChanged = 50

// Collect looks at the project in dir and at this machine: Source, Libraries
// and Machine of the facts. The rest is for the caller to fill in.
func Collect(ctx context.Context, dir string) (Facts, error) {
	source, err := FindSource(ctx, dir)
	if err != nil {
		return Facts{}, err
	}
	libraries, err := FindLibraries(dir)
	if err != nil {
		return Facts{}, err
	}
	return Facts{Source: source, Libraries: libraries, Machine: Hardware()}, nil
}

// FindSource reads the commit of the project in dir. A project without Git, in
// a bare repository, or without a commit has no source commit, and says why:
// that is a fact, not an error.
func FindSource(ctx context.Context, dir string) (Source, error) {
	repo, err := git.Open(ctx, dir)
	if errors.Is(err, git.ErrNoRepository) {
		return Source{Missing: err.Error()}, nil
	}
	if err != nil {
		return Source{}, sourceError(ctx, err)
	}
	commit, branch, err := repo.Head(ctx)
	if err != nil {
		return Source{}, sourceError(ctx, err)
	}
	changed, err := repo.Changed(ctx)
	if err != nil {
		return Source{}, sourceError(ctx, err)
	}
	return SourceOf(commit, branch, changed), nil
}

// SourceOf is the source as a run saw it when it began: by its end somebody
// may have committed the next change. changed is in the form of git status.
func SourceOf(commit, branch string, changed []string) Source {
	s := Source{Commit: commit, Branch: branch, Dirty: len(changed) > 0}
	if len(changed) > maxChanged {
		s.More = len(changed) - maxChanged
		changed = changed[:maxChanged]
	}
	s.Changed = changed
	if s.Commit == "" {
		s.Missing = "the repository has no commit yet"
	}
	return s
}

func sourceError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Environment(fmt.Errorf("reading the commit of the project: %w", err))
}

// Hardware describes this machine.
func Hardware() Machine {
	return Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(), Cores: runtime.NumCPU()}
}
