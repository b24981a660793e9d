// Package adopt proposes the first manifest of an environment: of the model
// that is in production already, so that the next change has something to be
// compared with.
//
// Nothing is claimed that nobody looked at. The manifest says INCONCLUSIVE and
// names no metric and no evidence; the exam that it names is today's, which
// the next change will be judged by. The model is its own anchor: from here on
// nothing may add up to much worse than it.
package adopt

import (
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Decision is what is adopted. Paths are relative to the project's folder.
type Decision struct {
	Model, Environment string
	Digest             string            // of the bundle
	Image              string            // repository@digest of what runs, "" when it is not known
	Exam               string            // digest of today's exam
	Files              map[string][]byte // of the bundle, by name
	Source             string            // where the bundle is kept, when that is not Git
	ManifestPath       string
	Base               string
	Attributes         []byte             // of the attributes file beside the manifest on the base; nil: there is none
	Present            *manifest.Manifest // what the base branch has already
}

// Branch names the branch on which an adoption is proposed.
func Branch(model, environment string) string { return "dosirak/adopt/" + model + "/" + environment }

// Plan makes the proposal. format writes a manifest as its file. An
// environment that has a manifest of another bundle is refused.
func Plan(d Decision, format func(manifest.Manifest) ([]byte, error)) (promote.Proposal, error) {
	if d.Present != nil && d.Present.Bundle != d.Digest {
		return promote.Proposal{}, fault.AlreadyAdopted.Usage(fmt.Errorf("%s on %s says already that %s runs %.19s…: adopting is for an environment without a manifest; promote a change with `dosirak run --promote`, or go back with `dosirak rollback %s`", d.ManifestPath, d.Base, d.Environment, d.Present.Bundle, d.Environment))
	}
	p, err := promote.Plan(promote.Decision{
		Manifest: manifest.Manifest{
			Schema: manifest.Schema, Model: d.Model, Environment: d.Environment, Bundle: d.Digest, Image: d.Image,
			Verdict: verdict.Inconclusive, Anchor: d.Digest, Exam: d.Exam,
		},
		ManifestPath: d.ManifestPath, Base: d.Base, Bundle: d.Files, BundleSource: d.Source, Attributes: d.Attributes,
	}, format)
	if err != nil {
		return promote.Proposal{}, fmt.Errorf("adopting the model: %w", err)
	}
	short := strings.TrimPrefix(d.Digest, "sha256:")[:12]
	p.Branch = Branch(d.Model, d.Environment)
	p.Title = fmt.Sprintf("Adopt %s %s in %s", d.Model, short, d.Environment)
	p.Body = body(d)
	p.Message = fmt.Sprintf("%s\n\nThe first manifest, of the model that runs there today. It was not judged.\n\n%s", p.Title, p.Trailers)
	return p, nil
}

func body(d Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The first manifest of `%s` in `%s`: the model that runs there today, so that the next change is compared with it.\n\n", d.Model, d.Environment)
	b.WriteString("It was **not judged**: the verdict is INCONCLUSIVE, and the manifest names no metric and no evidence. Merge this only if it is really what runs.\n\n")
	fmt.Fprintf(&b, "- bundle `%s`\n", d.Digest)
	if d.Image != "" {
		fmt.Fprintf(&b, "- image `%s`\n", d.Image)
	} else {
		b.WriteString("- no image is named, so `dosirak reconcile` moves no tag until the next promotion\n")
	}
	fmt.Fprintf(&b, "- exam `%s`, by which the next change is judged\n", d.Exam)
	fmt.Fprintf(&b, "\nMerging this adds `%s` and the bundle's files.\n", d.ManifestPath)
	return b.String()
}
