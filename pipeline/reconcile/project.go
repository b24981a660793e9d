package reconcile

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// Request says what follows the manifest, and who is told. All but
// Head may be left out.
type Request struct {
	Environment string // empty: the config's first one
	Head        project.Head
	Registries  []Registry
	Endpoint    string // address of the running server
	Deployments Deployments
	Issues      Issues
	Wait        time.Duration // how long the endpoint may take to follow
	WorkDir     string        // receives a copy of the bundle
	Plan        bool          // say what would be set, set nothing, tell nobody
}

// Project brings the registries to what the manifest at the base branch's head
// says, asks the endpoint, and tells what is out of sync.
func Project(ctx context.Context, p *project.Project, o Request) (Result, error) {
	if o.Head == nil {
		return Result{}, fault.NoRepository.Usage(fmt.Errorf("reconciling needs a Git repository, since Git is the order: %w", p.NoRepo))
	}
	environments := p.Config.Promote.Environments
	var err error
	if o.Environment, err = p.Environment(o.Environment); err != nil {
		return Result{}, err
	}
	order := &order{project: p, head: o.Head, environment: o.Environment}
	options := Options{
		Model: p.Config.Model, Environment: o.Environment, Production: slices.Index(environments, o.Environment) == len(environments)-1,
		Desired: order, Registries: o.Registries, Deployments: o.Deployments, Issues: o.Issues,
		Wait: o.Wait, Sleep: sleep, Plan: o.Plan,
	}
	if o.Endpoint != "" {
		address, err := ParseAddress(o.Endpoint)
		if err != nil {
			return Result{}, err
		}
		options.Endpoint = &endpoint{order: order, address: address, model: p.Config.Model, dir: o.WorkDir}
	}
	return Run(ctx, options)
}

// order reads the manifest at the base branch's head.
type order struct {
	project     *project.Project
	head        project.Head
	environment string

	commit string // of the last reading
	found  *manifest.Manifest
}

func (o *order) Read(ctx context.Context) (DesiredState, error) {
	commit, err := o.head.Base(ctx, o.project.Config.Promote.Base)
	if err != nil {
		return DesiredState{}, err
	}
	if commit != o.commit {
		q, err := o.project.DeployedAt(ctx, o.head, commit, o.environment)
		if err != nil {
			return DesiredState{}, err
		}
		o.commit, o.found = commit, nil
		if q != nil {
			o.found = &q.Manifest
		}
	}
	return DesiredState{Commit: o.commit, Manifest: o.found}, nil
}

// endpoint holds a running server against the bundle that a manifest names.
type endpoint struct {
	order               *order
	address, model, dir string
}

func (e *endpoint) Address() string { return e.address }

func (e *endpoint) Ask(ctx context.Context, m manifest.Manifest) (Observation, error) {
	q := &project.Deployed{Manifest: m, From: project.HeadTree{Head: e.order.head, Commit: e.order.commit, Branch: e.order.project.Config.Promote.Base}, Bundles: e.order.project.Bundles}
	opened, err := q.Bundle(ctx, m.Sources.Bundle, m.Bundle, filepath.Join(e.dir, "bundle"))
	if err != nil {
		return Observation{}, err
	}
	return Ask(ctx, e.address, e.model, opened)
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
