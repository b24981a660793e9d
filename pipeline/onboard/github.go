package onboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Request says into which repository the workflows go.
type Request struct {
	Dir     string // any folder of the repository
	Version string // of this release
	Commit  string // of dosirak's actions; empty: LookUp finds that of Version
	LookUp  func(ctx context.Context, version string) (commit string, err error)
	Plan    bool // say what would be written and write nothing
}

// Result is what was written. Its JSON form is that of `init --json`.
type Result struct {
	Models  []Found  `json:"models"`
	Written []string `json:"written"` // or would be, of a plan
	Kept    []string `json:"kept"`    // were there already
	Actions string   `json:"actions"`
	Plan    bool     `json:"plan,omitempty"`
}

// Found is a model of the repository.
type Found struct {
	Directory string   `json:"directory"`
	Model     string   `json:"model"`
	Contexts  []string `json:"contexts"` // statuses that a branch rule can require
}

// GitHub writes the workflows for every project of a repository. A file that is
// there is left as it is.
func GitHub(ctx context.Context, o Request) (Result, error) {
	made := Result{Written: []string{}, Kept: []string{}, Plan: o.Plan}
	whole, files, err := repository(ctx, o.Dir)
	if err != nil {
		return made, err
	}
	top := whole.Dir
	base, usual, err := baseBranch(ctx, whole)
	if err != nil {
		return made, err
	}
	s := Settings{Actions: o.Commit, Push: true}
	for _, folder := range Discover(files) {
		m, p, err := found(ctx, top, folder)
		if err != nil {
			return made, err
		}
		if i := slices.IndexFunc(made.Models, func(x Found) bool { return x.Model == m.Model }); i >= 0 {
			return made, fault.Usage(fmt.Errorf("two projects have the model %s, %s and %s: their statuses and branches would be the same; rename one", m.Model, made.Models[i].Directory, folder))
		}
		made.Models = append(made.Models, m)
		s.follow(p.Config, base, usual)
	}
	if len(made.Models) == 0 {
		return made, fault.ConfigAbsent.Usage(fmt.Errorf("there is no %s in %s: write one first; `dosirak schema config` describes it", ConfigFile, top))
	}
	if s.Actions == "" {
		if s.Actions, err = o.LookUp(ctx, o.Version); err != nil {
			return made, err
		}
		s.Version = o.Version
	}
	if s.Version == "" {
		// A commit that is no release has no binary to download.
		s.Source, s.Go = true, strings.TrimPrefix(runtime.Version(), "go")
	}
	made.Actions = s.Actions
	workflows, err := Workflows(s)
	if err != nil {
		return made, fault.Usage(err)
	}
	return made, made.write(filepath.FromSlash(top), workflows)
}

// follow takes over what a project's config asks of the workflows.
func (s *Settings) follow(c *config.Config, base, usual string) {
	branch := c.Promote.Base
	if branch == usual {
		branch = base // the config names none, and a runner's clone cannot tell
	}
	s.Branches = append(s.Branches, branch)
	if branch == base && base != "main" {
		s.Base = base
	}
	if host, _, ok := strings.Cut(c.Serve.Repository, "/"); ok {
		// As in every reference to an image: a first part without dot or port is
		// no host, and the image is Docker Hub's.
		if !strings.ContainsAny(host, ".:") && host != "localhost" {
			host = "docker.io"
		}
		s.Registries = append(s.Registries, host)
	}
}

// baseBranch is the default branch of a repository: as the remote has it, by
// its usual name, or, in a repository that knows neither, the one that is
// checked out. usual is what a config without promote.base gets.
func baseBranch(ctx context.Context, repo *git.Repo) (branch, usual string, err error) {
	usual, err = project.DefaultBranch(ctx, repo)
	if err != nil {
		return "", "", err
	}
	for _, ref := range []string{"refs/heads/" + usual, "refs/remotes/origin/" + usual} {
		if _, there, err := repo.Resolve(ctx, ref); err != nil || there {
			return usual, usual, err
		}
	}
	_, current, err := repo.Head(ctx)
	if err != nil {
		return "", "", fault.Environment(err)
	}
	return cmp.Or(current, usual), usual, nil
}

// repository returns the repository around dir from its top, and its files.
func repository(ctx context.Context, dir string) (whole *git.Repo, files []string, err error) {
	repo, err := git.Open(ctx, dir)
	if err != nil {
		return nil, nil, fault.NoRepository.Usage(fmt.Errorf("writing the workflows: %w", err))
	}
	whole, err = git.Open(ctx, strings.TrimSuffix(filepath.ToSlash(repo.Dir)+"/", repo.Prefix))
	if err != nil {
		return nil, nil, fault.Usage(fmt.Errorf("writing the workflows: %w", err))
	}
	files, err = whole.Files(ctx)
	return whole, files, fault.Environment(err)
}

// found reads the project in a folder of the repository.
func found(ctx context.Context, top, folder string) (m Found, p *project.Project, err error) {
	p, err = project.Open(ctx, filepath.Join(top, filepath.FromSlash(folder)), "")
	if err != nil {
		return m, nil, err
	}
	m = Found{Directory: folder, Model: p.Config.Model}
	for _, environment := range p.Config.Promote.Environments {
		m.Contexts = append(m.Contexts, "dosirak/"+p.Config.Model+"/"+environment)
	}
	return m, p, nil
}

// write writes the workflows that are not there yet.
func (r *Result) write(top string, workflows map[string][]byte) error {
	folder := filepath.Join(top, ".github", "workflows")
	if !r.Plan {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fault.Environment(fmt.Errorf("writing the workflows: %w", err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(workflows)) {
		write := writeNew
		if r.Plan {
			write = isNew
		}
		written, err := write(filepath.Join(folder, name), workflows[name])
		if err != nil {
			return fault.Environment(fmt.Errorf("writing the workflows: %w", err))
		}
		if rel := ".github/workflows/" + name; written {
			r.Written = append(r.Written, rel)
		} else {
			r.Kept = append(r.Kept, rel)
		}
	}
	return nil
}

// isNew reports whether writeNew would write.
func isNew(path string, _ []byte) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// writeNew writes a file that does not exist yet; one that does, link or file,
// is left alone.
func writeNew(path string, data []byte) (written bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(path) // half a workflow would be worse than none
	}
	return err == nil, err
}
