package adopt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Options say what is in production today.
type Options struct {
	Environment string // empty: the config's first one
	Source      string // a model file, or a bundle's folder
	Image       string // repository@digest that runs, "" when it is not known
	Plan        bool   // write nothing
	Forge       promote.Forge
	Head        project.Head
	WorkDir     string // receives the bundle
	// Seal makes a bundle of a model file below a folder.
	Seal func(ctx context.Context, model, out string) (dir string, err error)
}

// Result is what is proposed and what became of it.
type Result struct {
	Environment string            `json:"environment"`
	Bundle      string            `json:"bundle"`
	Proposal    *promote.Proposal `json:"proposal,omitempty"`
	Outcome     promote.Outcome   `json:"outcome"`
}

var imageByDigest = regexp.MustCompile(`^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$`)

// Run proposes the first manifest of an environment, of the model that it
// runs today.
func Run(ctx context.Context, p *project.Project, o Options) (Result, error) {
	var a Result
	var err error
	if a.Environment, err = p.Environment(o.Environment); err != nil {
		return a, err
	}
	name, err := p.Config.ManifestPath(a.Environment)
	if err != nil {
		return a, err
	}
	if o.Image != "" && !imageByDigest.MatchString(o.Image) {
		return a, fault.BadReference.Usage(fmt.Errorf("--image %q: name it by digest, repository@sha256:<64 hexadecimal digits>; a tag may be moved", o.Image))
	}
	if o.Forge == nil || o.Head == nil {
		return a, fault.NoRepository.Usage(fmt.Errorf("adopting needs a Git repository, which keeps the manifest: %w", p.NoRepo))
	}
	head, err := o.Head.Base(ctx, p.Config.Promote.Base)
	if err != nil {
		return a, err
	}
	present, err := p.DeployedAt(ctx, o.Head, head, a.Environment)
	if err != nil {
		return a, err
	}
	opened, rows, err := openAdopted(ctx, p, o)
	if err != nil {
		return a, err
	}
	a.Bundle = opened.Digest
	d := Decision{
		Model: p.Config.Model, Environment: a.Environment, Digest: opened.Digest, Image: o.Image,
		Exam: p.Exam(rows).Digest(), ManifestPath: name, Base: p.Config.Promote.Base,
	}
	if present != nil {
		d.Present = &present.Manifest
	}
	if d.Files, d.Source, err = p.Place(opened, promote.MaxGitBytes); err != nil {
		return a, err
	}
	base := project.HeadTree{Head: o.Head, Commit: head, Branch: p.Config.Promote.Base}
	if d.Attributes, err = promote.Attributes(ctx, base, name); err != nil {
		return a, err
	}
	proposal, err := Plan(d, codec.Format)
	if err != nil {
		return a, err
	}
	a.Proposal = &proposal
	switch {
	case present != nil:
		a.Outcome = promote.Outcome{Operation: promote.Unchanged, Branch: proposal.Branch, Reason: fmt.Sprintf("%s on %s names this bundle already", name, p.Config.Promote.Base)}
		return a, nil
	case o.Plan:
		a.Outcome = promote.Outcome{Operation: promote.Planned, Branch: proposal.Branch}
		return a, nil
	}
	if d.Source != "" {
		if err := p.Bundles.Push(ctx, opened.Dir, p.Config.Serve.Repository); err != nil {
			return a, fmt.Errorf("adopting the model: %w", err)
		}
	}
	if a.Outcome, err = promote.Propose(ctx, promote.Asked(promote.At(o.Forge, head)), proposal); err != nil {
		return a, fmt.Errorf("adopting the model: %w", err)
	}
	return a, nil
}

// openAdopted makes a bundle of a model file, or opens one, and looks whether
// it can answer the evaluation rows: a baseline that cannot would end the next
// run.
func openAdopted(ctx context.Context, p *project.Project, o Options) (*bundle.Opened, *dataset.Table, error) {
	rows, err := p.Table(ctx, p.Path(p.Config.Data.Eval))
	if err != nil {
		return nil, nil, err
	}
	dir := o.Source
	if _, missing := os.Stat(filepath.Join(dir, bundle.File)); missing != nil {
		if dir, err = o.Seal(ctx, o.Source, o.WorkDir); err != nil {
			return nil, nil, err
		}
	}
	opened, err := bundle.Open(dir)
	if err != nil {
		return nil, nil, fault.BadBundle.Usage(fmt.Errorf("opening the bundle: %w", err))
	}
	if opened.Bundle.Model.Name != p.Config.Model {
		return nil, nil, fault.Usage(fmt.Errorf("the bundle at %s is of model %q, the config is of %q: seal the model again with `dosirak seal`", o.Source, opened.Bundle.Model.Name, p.Config.Model))
	}
	if _, err := evaluate.Rows(rows, opened.Bundle.Signature, p.Config.Exam("").Data, nil); err != nil {
		return nil, nil, fmt.Errorf("asking the model the rows of %s: %w", p.Config.Data.Eval, err)
	}
	return opened, rows, nil
}
