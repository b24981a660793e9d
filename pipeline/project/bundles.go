package project

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// RegistryScheme begins a source of a manifest that is a reference to an OCI
// registry and no path: oci://repository@sha256:<hex>.
const RegistryScheme = "oci://"

// BundleStore keeps bundles that are too large for Git.
type BundleStore interface {
	// Reference is where a bundle's folder is kept in a repository.
	Reference(dir, repository string) (string, error)
	Push(ctx context.Context, dir, repository string) error
	// Fetch writes the bundle at a reference into dir.
	Fetch(ctx context.Context, reference, dir string) error
}

// Place says where a bundle is kept: in Git where it fits into room bytes, as
// files by name, else in serve.repository, as a reference. Nothing is written.
func (p *Project) Place(b *bundle.Opened, room int64) (files map[string][]byte, reference string, err error) {
	size := int64(0)
	names := []string{bundle.File}
	for _, f := range b.Bundle.Files {
		names = append(names, f.Path)
		size += f.Size
	}
	if size > room {
		reference, err = p.inRegistry(b, size)
		return nil, reference, err
	}
	files = map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(b.Dir, name)); err != nil {
			return nil, "", fault.Environment(fmt.Errorf("reading the bundle: %w", err))
		}
	}
	return files, "", nil
}

func (p *Project) inRegistry(b *bundle.Opened, size int64) (string, error) {
	if err := p.Fits(size); err != nil {
		return "", err
	}
	return p.Bundles.Reference(b.Dir, p.Config.Serve.Repository)
}

// Fits says what is missing before a bundle of more than Git's share can be
// promoted.
func (p *Project) Fits(size int64) error {
	switch {
	case p.Config.Serve.Repository == "":
		return fault.TooLarge.Usage(fmt.Errorf("the bundle of %s has %.1f MB, more than goes into Git: name an OCI repository in serve.repository, where it is kept in Git's place (ghcr.io/OWNER/NAME, or any registry that `docker login` knows), or make the model smaller", p.Config.Model, float64(size)/1e6))
	case p.Bundles == nil:
		return fault.TooLarge.Usage(fmt.Errorf("the bundle of %s has %.1f MB, more than goes into Git, and this command asks no registry", p.Config.Model, float64(size)/1e6))
	}
	return nil
}
