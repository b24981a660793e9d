package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/dosirak-ml/dosirak/actions/comment"
	"github.com/dosirak-ml/dosirak/actions/download"
	"github.com/dosirak-ml/dosirak/actions/labels"
	promoteaction "github.com/dosirak-ml/dosirak/actions/promote"
	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
	"github.com/dosirak-ml/dosirak/pipeline/registry/oci"
)

// This file is the only place that knows the adapters.

// newForge is where a project's promotions are proposed; nil without Git.
func newForge(p *project.Project) promote.Forge {
	if p.Repo == nil {
		return nil
	}
	return &local.Forge{Repo: p.Repo}
}

// newHead is a local repository's base branch; nil without Git.
func newHead(p *project.Project) project.Head {
	if p.Repo == nil {
		return nil
	}
	return &local.Forge{Repo: p.Repo}
}

// newGitHubHosting is a project's repository on GitHub, where the environment
// says it is.
func newGitHubHosting(p *project.Project, getenv func(string) string) (hosting, error) {
	if p.Repo == nil {
		return hosting{}, fault.NoRepository.Usage(fmt.Errorf("GitHub is asked about a Git repository: %w", p.NoRepo))
	}
	forge, err := github.New(github.Options{
		API: getenv("GITHUB_API_URL"), Repository: getenv("GITHUB_REPOSITORY"), Token: getenv("GITHUB_TOKEN"), Folder: p.Repo.Prefix, Say: sayWait,
	})
	if err != nil {
		return hosting{}, err
	}
	return hosting{forge: forge, head: forge, deployments: forge, issues: forge}, nil
}

// sayWait tells the reader of the log why nothing happens for a while.
func sayWait(text string) { fmt.Fprintln(os.Stderr, text) }

// newDoctorGitHub is the repository that the environment names, nil where it
// names none.
func newDoctorGitHub(getenv func(string) string) (doctor.GitHub, error) {
	if getenv("GITHUB_REPOSITORY") == "" || getenv("GITHUB_TOKEN") == "" {
		return nil, nil
	}
	forge, err := github.New(github.Options{API: getenv("GITHUB_API_URL"), Repository: getenv("GITHUB_REPOSITORY"), Token: getenv("GITHUB_TOKEN"), Say: sayWait})
	if err != nil {
		return nil, err
	}
	return forge.Doctor(), nil
}

// newRegistries are where what an environment runs is looked up.
func newRegistries(getenv func(string) string, token string) []reconcile.Registry {
	return []reconcile.Registry{oci.Registry{Keys: registryKeys(getenv, token)}}
}

// newBundles is where bundles are kept that are too large for Git.
func newBundles(getenv func(string) string, token string) (project.BundleStore, error) {
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	return oci.Bundles{Registry: oci.Registry{Keys: registryKeys(getenv, token)}, Cache: cache}, nil
}

// registryKeys has the credentials of docker login, and a token for the
// registry of github.com. A GitHub Enterprise Server has one of its own, which
// that token would be strange to.
func registryKeys(getenv func(string) string, token string) authn.Keychain {
	if server := getenv("GITHUB_SERVER_URL"); server != "" && server != "https://github.com" {
		token = ""
	}
	return oci.Keychain(token)
}

// newServer is where the image's server comes from: a release carries it, any
// other build compiles it from source, which say is told first.
func newServer(cacheDir string, say func(string)) image.Server {
	return image.NewServer(image.Source{
		Dir: sourceDir, Version: releaseVersion(), CacheDir: cacheDir, Environ: os.Environ(),
		Building: func(p image.Platform) {
			say(fmt.Sprintf("the model server for %s is built, once for this version of dosirak: Go modules are downloaded and compiled, which takes a minute or two the first time", p))
		},
	})
}

// sourceDir is where the source is that this binary was built from. The actions
// set it with -ldflags -X main.sourceDir=..., since they build with -trimpath,
// which takes paths out of the binary and shares compiled packages between
// folders.
var sourceDir string

// openGitHub is GitHub as a token sees it, where the runner says it is.
func openGitHub(j *runner.Job, o github.Options) (*github.Forge, error) {
	o.API, o.Repository, o.Say = j.Getenv("GITHUB_API_URL"), j.Getenv("GITHUB_REPOSITORY"), sayWait
	return github.New(o)
}

func openComments(j *runner.Job, token string) (comment.GitHub, error) {
	forge, err := openGitHub(j, github.Options{Token: token})
	if err != nil {
		return nil, err
	}
	return onGitHub{Forge: forge}, nil
}

func openArtifacts(j *runner.Job, token string) (download.GitHub, error) {
	forge, err := openGitHub(j, github.Options{Token: token})
	if err != nil {
		return nil, err
	}
	return onGitHub{Forge: forge}, nil
}

func openLabels(j *runner.Job, token string) (labels.GitHub, error) {
	forge, err := openGitHub(j, github.Options{Token: token})
	if err != nil {
		return nil, err
	}
	return onGitHub{Forge: forge}, nil
}

func openPromotions(j *runner.Job, a promoteaction.Asked) (promoteaction.GitHub, error) {
	forge, err := openGitHub(j, github.Options{Token: a.Token, Folder: a.Folder, Labels: a.Labels, Reviewers: a.Reviewers, Teams: a.Teams})
	if err != nil {
		return nil, err
	}
	return onGitHub{Forge: forge, keys: registryKeys(j.Getenv, a.Registry)}, nil
}

// onGitHub is the forge in the words of the actions.
type onGitHub struct {
	*github.Forge
	keys authn.Keychain
}

var (
	_ comment.GitHub       = onGitHub{}
	_ promoteaction.GitHub = onGitHub{}
)

func (g onGitHub) Pull(ctx context.Context, head runner.Head) (number int, address, why string, err error) {
	pull, err := g.FindPull(ctx, head.Repository, head.Branch, head.Commit)
	for _, reason := range []error{github.ErrNoPull, github.ErrClosed, github.ErrOutOfDate} {
		if errors.Is(err, reason) {
			return 0, "", reason.Error(), nil
		}
	}
	return pull.Number, pull.Address, "", err
}

func (g onGitHub) Labels(ctx context.Context, head runner.Head) ([]string, error) {
	pull, err := g.FindPull(ctx, head.Repository, head.Branch, head.Commit)
	for _, reason := range []error{github.ErrNoPull, github.ErrClosed, github.ErrOutOfDate} {
		if errors.Is(err, reason) {
			return nil, nil
		}
	}
	return pull.Labels, err
}

func (g onGitHub) Push(ctx context.Context, built image.Built, repository string) error {
	_, err := image.Push(ctx, built, repository, g.keys)
	return err
}

func (g onGitHub) Comment(ctx context.Context, number int, c comment.Comment) (string, error) {
	written, err := g.Forge.Comment(ctx, number, github.Comment{
		Model: c.Model, Environment: c.Environment, Verdict: c.Verdict, Commit: c.Commit, Notice: c.Notice, Quiet: c.Quiet,
		Render: func(present string) []string { return []string{c.Body(present)} },
	})
	return written.Address, err
}

func (g onGitHub) Sweep(ctx context.Context, before time.Time, address string) (int, error) {
	orphans, err := g.Forge.Sweep(ctx, before, address)
	return len(orphans), err
}

func (g onGitHub) Conclude(ctx context.Context, commit, address string) (int, error) {
	// Whatever is pending, by whichever clock.
	orphans, err := g.Forge.Conclude(ctx, commit, time.Now().AddDate(1, 0, 0), address)
	return len(orphans), err
}

func (g onGitHub) SetStatus(ctx context.Context, s comment.Status) error {
	_, err := g.Forge.SetStatus(ctx, github.Status{
		Model: s.Model, Environment: s.Environment, Commit: s.Commit, State: github.StatusState(s.State), Description: s.Description, Address: s.Address,
	})
	return err
}
