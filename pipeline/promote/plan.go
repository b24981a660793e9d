package promote

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// MaxGitBytes is how much bundle and evidence may weigh to be kept in Git.
// GitHub refuses blobs over 100 MB and its commit API those over 40 MiB; a
// repository that grows by ten megabytes a promotion is already a burden.
const MaxGitBytes = 10 << 20

// Decision is what is promoted and why. Paths are relative to the project's
// folder.
type Decision struct {
	Manifest     manifest.Manifest // Sources and Anchor's source are filled in by Plan
	ManifestPath string
	Base         string            // branch that the proposal is for
	Bundle       map[string][]byte // files of the bundle by name
	BundleSource string            // where it is kept, when that is not Git
	Evidence     map[string][]byte // report.json, exam.json, predictions by name
	ReportDigest string            // of report.json
	Attributes   []byte            // of the attributes file beside the manifest on the base; nil: there is none
	Findings     string            // Markdown: what the run found, as a comment shows it; "" is the manifest's own numbers
	Links        Links
	AnchorSource string // where the anchor's bundle can be had, when it is not this bundle
}

// Links lead from the proposal to what it came from. All are https addresses;
// "" is none.
type Links struct {
	Repository string
	Run        string // that judged
	Since      string // commit that production was trained at
	Pulls      []int  // pull requests merged since then
}

// Proposal is one commit on one branch, and what a reader is told about it.
type Proposal struct {
	Branch   string            `json:"branch"`
	Base     string            `json:"base"`
	Title    string            `json:"title"`
	Body     string            `json:"body"`    // Markdown
	Message  string            `json:"message"` // of the commit, trailers included
	Files    map[string][]byte `json:"-"`
	Trailers Trailers          `json:"trailers"`
	// Superseded says why this proposal gives way to what the branch holds, "" when
	// it does not; nil never does.
	Superseded func(ctx context.Context, base string, head *Head) (string, error) `json:"-"`
}

// Paths lists the files that the commit changes, sorted.
func (p Proposal) Paths() []string { return slices.Sorted(maps.Keys(p.Files)) }

// Branch names the promotion branch of a model in an environment.
func Branch(model, environment string) string {
	return "dosirak/promote/" + model + "/" + environment
}

// Plan makes the proposal of d. format writes a manifest as its file. A
// bundle too large for Git is refused with the way out.
func Plan(d Decision, format func(manifest.Manifest) ([]byte, error)) (Proposal, error) {
	m := d.Manifest
	short, err := shortDigest(m.Bundle)
	if err != nil {
		return Proposal{}, fault.Usage(fmt.Errorf("planning the promotion: %w", err))
	}
	files := map[string][]byte{}
	size := 0
	folder := path.Dir(d.ManifestPath)
	if m.Sources.Bundle = d.BundleSource; m.Sources.Bundle == "" {
		m.Sources.Bundle = path.Join(folder, "bundles", short)
	}
	for name, content := range d.Bundle {
		files[path.Join(m.Sources.Bundle, name)] = content
		size += len(content)
	}
	if len(d.Evidence) > 0 {
		m.Sources.Evidence = path.Join(folder, "evidence", m.Environment, short)
		m.Sources.EvidenceDigest = d.ReportDigest
		for name, content := range d.Evidence {
			files[path.Join(m.Sources.Evidence, name)] = content
			size += len(content)
		}
	}
	if size > MaxGitBytes {
		return Proposal{}, fault.TooLarge.Usage(fmt.Errorf("planning the promotion: bundle and evidence of %s are %.1f MB, and at most %.0f MB go into Git; make the evaluation data smaller, or name an OCI repository in serve.repository, which keeps the bundle", m.Model, float64(size)/1e6, float64(MaxGitBytes)/1e6))
	}
	switch m.Anchor {
	case "":
	case m.Bundle:
		m.Sources.Anchor = m.Sources.Bundle
	default:
		m.Sources.Anchor = d.AnchorSource
	}
	if err := m.Validate(); err != nil {
		return Proposal{}, fault.Usage(fmt.Errorf("planning the promotion: %w", err))
	}
	text, err := format(m)
	if err != nil {
		return Proposal{}, fmt.Errorf("planning the promotion: %w", err)
	}
	files[d.ManifestPath] = text
	if text := attributes(d.Attributes, d.ManifestPath); text != nil {
		files[path.Join(folder, AttributesFile)] = text
	}

	p := Proposal{
		Branch: Branch(m.Model, m.Environment),
		Base:   d.Base,
		Title:  fmt.Sprintf("Promote %s %s to %s", m.Model, short, m.Environment),
		Files:  files,
		Trailers: Trailers{
			Model: m.Model, Environment: m.Environment, Bundle: m.Bundle,
			Exam: m.Exam, Replaces: m.Replaces, Verdict: string(m.Verdict), Source: m.Commit,
		},
	}
	p.Body = body(m, d)
	p.Message = message(p, m)
	return p, nil
}

func shortDigest(digest string) (string, error) {
	const prefix = "sha256:"
	if len(digest) != len(prefix)+64 || digest[:len(prefix)] != prefix {
		return "", fmt.Errorf("%q is not the digest of a bundle", digest)
	}
	return digest[len(prefix) : len(prefix)+12], nil
}
