package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

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

// ReconcileOptions say what follows the manifest, and who is told. All but
// Head may be left out.
type ReconcileOptions struct {
	Environment string // empty: the config's first one
	Head        Head
	Registry    reconcile.Registry
	Endpoint    string // address of the running server
	Deployments reconcile.Deployments
	Issues      reconcile.Issues
	Patience    time.Duration // how long the endpoint may take to follow
	WorkDir     string        // receives a copy of the bundle
}

// Reconcile brings the registry to what the manifest at the base branch's head
// says, asks the endpoint, and tells what is out of sync.
func Reconcile(ctx context.Context, p *Project, o ReconcileOptions) (reconcile.Result, error) {
	if o.Head == nil {
		return reconcile.Result{}, fault.Usage(fmt.Errorf("reconciling needs a Git repository, since Git is the order: %w", p.NoRepo))
	}
	environments := p.Config.Promote.Environments
	if o.Environment == "" {
		o.Environment = environments[0]
	}
	if _, err := p.Config.ManifestPath(o.Environment); err != nil {
		return reconcile.Result{}, err
	}
	order := &order{project: p, head: o.Head, environment: o.Environment}
	options := reconcile.Options{
		Model: p.Config.Model, Environment: o.Environment, Production: slices.Index(environments, o.Environment) == len(environments)-1,
		Order: order, Registry: o.Registry, Deployments: o.Deployments, Issues: o.Issues,
		Patience: o.Patience, Sleep: sleep,
	}
	if o.Endpoint != "" {
		address, err := reconcile.ParseAddress(o.Endpoint)
		if err != nil {
			return reconcile.Result{}, err
		}
		options.Endpoint = &endpoint{order: order, address: address, model: p.Config.Model, dir: o.WorkDir}
	}
	return reconcile.Run(ctx, options)
}

// order reads the manifest at the base branch's head.
type order struct {
	project     *Project
	head        Head
	environment string

	commit string // of the last reading
	found  *manifest.Manifest
}

func (o *order) Read(ctx context.Context) (reconcile.Ordered, error) {
	commit, err := o.head.Base(ctx, o.project.Config.Promote.Base)
	if err != nil {
		return reconcile.Ordered{}, err
	}
	if commit != o.commit {
		q, err := o.project.productionAt(ctx, o.head, commit, o.environment)
		if err != nil {
			return reconcile.Ordered{}, err
		}
		o.commit, o.found = commit, nil
		if q != nil {
			o.found = &q.Manifest
		}
	}
	return reconcile.Ordered{Commit: o.commit, Manifest: o.found}, nil
}

// productionAt reads the environment's manifest at a commit of the forge's, nil
// where it has none.
func (p *Project) productionAt(ctx context.Context, head Head, commit, environment string) (*production, error) {
	name, err := p.Config.ManifestPath(environment)
	if err != nil {
		return nil, err
	}
	from := headTree{head, commit, p.Config.Promote.Base}
	data, err := from.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := p.parseManifest(name, data, environment, from)
	if err != nil {
		return nil, err
	}
	return &production{Manifest: m, From: from}, nil
}

// parseManifest reads a manifest that has to be this model's in this
// environment.
func (p *Project) parseManifest(name string, data []byte, environment string, from tree) (manifest.Manifest, error) {
	m, err := config.ParseManifest(name, data)
	if err != nil {
		return m, fault.Usage(fmt.Errorf("reading the manifest on %s: %w", from, err))
	}
	if m.Model != p.Config.Model || m.Environment != environment {
		return m, fault.Usage(fmt.Errorf("%s on %s is for model %q in %q, the config asks for %q in %q: correct promote.manifest or the manifest", name, from, m.Model, m.Environment, p.Config.Model, environment))
	}
	return m, nil
}

// headTree is the project's folder in a commit of a forge's.
type headTree struct {
	head           Head
	commit, branch string
}

func (t headTree) Read(ctx context.Context, path string) ([]byte, error) {
	return t.head.File(ctx, t.commit, path)
}

func (t headTree) List(ctx context.Context, folder string) ([]string, error) {
	return t.head.Files(ctx, t.commit, folder)
}

func (t headTree) String() string { return t.branch }

// endpoint holds a running server against the bundle that a manifest names.
type endpoint struct {
	order               *order
	address, model, dir string
}

func (e *endpoint) Address() string { return e.address }

func (e *endpoint) Ask(ctx context.Context, m manifest.Manifest) (reconcile.Answer, error) {
	q := &production{Manifest: m, From: headTree{e.order.head, e.order.commit, e.order.project.Config.Promote.Base}}
	opened, err := q.bundle(ctx, m.Sources.Bundle, m.Bundle, filepath.Join(e.dir, "bundle"))
	if err != nil {
		return reconcile.Answer{}, err
	}
	return reconcile.Ask(ctx, e.address, e.model, opened)
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
