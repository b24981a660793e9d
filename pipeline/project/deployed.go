package project

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
)

// Deployed is what an environment runs today.
type Deployed struct {
	Manifest manifest.Manifest
	From     Tree
	Bundles  BundleStore // of bundles that are not in Git; nil: there is none
}

// Deployed reads the environment's manifest on the base branch. It returns nil
// for an environment that runs nothing yet.
func (p *Project) Deployed(ctx context.Context, environment string) (*Deployed, error) {
	from, err := p.BaseTree(ctx)
	if err != nil {
		return nil, err
	}
	return p.DeployedIn(ctx, from, environment)
}

// DeployedAt reads the environment's manifest at a commit of the forge's, nil
// where it has none.
func (p *Project) DeployedAt(ctx context.Context, head Head, commit, environment string) (*Deployed, error) {
	return p.DeployedIn(ctx, HeadTree{head, commit, p.Config.Promote.Base}, environment)
}

// DeployedIn reads the environment's manifest in a tree, nil where it has none.
func (p *Project) DeployedIn(ctx context.Context, from Tree, environment string) (*Deployed, error) {
	name, err := p.Config.ManifestPath(environment)
	if err != nil {
		return nil, fault.Usage(err)
	}
	data, err := from.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	m, err := codec.Parse(name, data)
	if err != nil {
		return nil, fault.ManifestInvalid.Usage(fmt.Errorf("reading the manifest on %s: %w", from, err))
	}
	if m.Model != p.Config.Model || m.Environment != environment {
		return nil, fault.ManifestOfAnother.Usage(fmt.Errorf("%s on %s is for model %q in %q, the config asks for %q in %q: correct promote.manifest or the manifest", name, from, m.Model, m.Environment, p.Config.Model, environment))
	}
	return &Deployed{Manifest: m, From: from, Bundles: p.Bundles}, nil
}

// Bundle copies a production bundle into dir and opens it, verified against
// the digest that the manifest names.
func (d *Deployed) Bundle(ctx context.Context, source, digest, dir string) (*bundle.Opened, error) {
	if opened, err := bundle.Open(dir); err == nil && opened.Digest == digest {
		return opened, nil // a resumed run has it already
	}
	if strings.HasPrefix(source, RegistryScheme) {
		return d.fetched(ctx, source, digest, dir)
	}
	names, err := d.From.List(ctx, source)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
	}
	if len(names) == 0 {
		return nil, fault.BundleGone.Usage(fmt.Errorf("the manifest for %s names bundle %s at %s, and %s has no such folder: restore the folder from the commit that promoted it, or correct `sources` in the manifest", d.Manifest.Environment, digest, source, d.From))
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
	}
	for _, name := range names {
		data, err := d.From.Read(ctx, name)
		if err == nil {
			err = writeFile(filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, source+"/"))), data)
		}
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
		}
	}
	opened, err := bundle.Open(dir)
	if err != nil {
		return nil, fault.BundleGone.Usage(fmt.Errorf("opening the production bundle at %s on %s: %w", source, d.From, err))
	}
	if opened.Digest != digest {
		return nil, fault.BundleGone.Usage(fmt.Errorf("the bundle at %s on %s is %s, the manifest for %s names %s: restore the folder from the commit that promoted it", source, d.From, opened.Digest, d.Manifest.Environment, digest))
	}
	return opened, nil
}

// fetched is a bundle that a registry keeps.
func (d *Deployed) fetched(ctx context.Context, source, digest, dir string) (*bundle.Opened, error) {
	if d.Bundles == nil {
		return nil, fault.BundleGone.Usage(fmt.Errorf("the manifest for %s keeps bundle %s at %s, and this command asks no registry", d.Manifest.Environment, digest, source))
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
	}
	if err := d.Bundles.Fetch(ctx, source, dir); err != nil {
		return nil, err
	}
	opened, err := bundle.Open(dir)
	if err != nil {
		return nil, fault.BundleGone.Usage(fmt.Errorf("opening the bundle of %s: %w", source, err))
	}
	if opened.Digest != digest {
		return nil, fault.BundleGone.Usage(fmt.Errorf("the bundle at %s is %s, the manifest for %s names %s: correct `sources` in the manifest", source, opened.Digest, d.Manifest.Environment, digest))
	}
	return opened, nil
}

// Exam reads the exam by which production was promoted. It returns nil when
// the evidence does not hold it.
func (d *Deployed) Exam(ctx context.Context) (*exam.Exam, error) {
	if d.Manifest.Sources.Evidence == "" {
		return nil, nil
	}
	text, err := d.From.Read(ctx, path.Join(d.Manifest.Sources.Evidence, evidence.Exam))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the exam of production: %w", err))
	}
	e, err := exam.Parse(text)
	if err != nil {
		return nil, fault.Usage(err)
	}
	if e.Digest() != d.Manifest.Exam {
		return nil, fault.EvidenceChanged.Usage(fmt.Errorf("the exam in %s is %s, the manifest for %s names %s: the evidence was changed; restore it from the commit that promoted", d.Manifest.Sources.Evidence, e.Digest(), d.Manifest.Environment, d.Manifest.Exam))
	}
	return &e, nil
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// Statement reads the provenance of production, nil where the evidence lacks
// it: an older release did not keep it, and an adopted model has none.
func (d *Deployed) Statement(ctx context.Context) (*provenance.Statement, error) {
	if d.Manifest.Sources.Evidence == "" {
		return nil, nil
	}
	text, err := d.From.Read(ctx, path.Join(d.Manifest.Sources.Evidence, provenance.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Environment(err)
	}
	s, err := provenance.Parse(text)
	if err != nil {
		return nil, fault.Usage(err)
	}
	return &s, nil
}
