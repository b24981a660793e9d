// Package manifest holds the manifest: the file in Git that says what an
// environment runs, by digests. Merging a change of it is the promotion,
// reverting that change the rollback, and `git log` of it the history of
// production.
//
// The package is a leaf: types and rules, standard library only. Package codec
// reads and writes the YAML.
package manifest

import (
	"fmt"
	"io/fs"
	"regexp"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Schema names the format.
const Schema = "dosirak/manifest/v1"

// Manifest is the content of deploy/<environment>.yaml. The order of the
// fields is the order in the file: what a reviewer asks first comes first.
type Manifest struct {
	Schema      string          `yaml:"schema" json:"schema"`
	Model       string          `yaml:"model" json:"model"`
	Environment string          `yaml:"environment" json:"environment"`
	Bundle      string          `yaml:"bundle" json:"bundle"`                   // digest
	Image       string          `yaml:"image,omitempty" json:"image,omitempty"` // repository@digest, or the digest alone
	Verdict     verdict.Verdict `yaml:"verdict" json:"verdict"`
	Improved    bool            `yaml:"improved" json:"improved"`
	Metrics     []Metric        `yaml:"metrics" json:"metrics"`
	Replaces    string          `yaml:"replaces,omitempty" json:"replaces,omitempty"` // bundle that this one replaces
	Anchor      string          `yaml:"anchor,omitempty" json:"anchor,omitempty"`     // last bundle promoted as improved
	Exam        string          `yaml:"exam" json:"exam"`                             // digest of the exam's text
	Accepted    *Accepted       `yaml:"accepted,omitempty" json:"accepted,omitempty"` // nil: the exam is that of the manifest before
	Commit      string          `yaml:"commit,omitempty" json:"commit,omitempty"`
	Sources     Sources         `yaml:"sources" json:"sources"`
	Registry    *Registry       `yaml:"registry,omitempty" json:"registry,omitempty"`
}

// Metric is one metric as it was judged: the improvement over the baseline
// with its interval. Baseline and the rest are absent for a first model.
type Metric struct {
	Name        string   `yaml:"name" json:"name"`
	Candidate   *float64 `yaml:"candidate" json:"candidate"`
	Baseline    *float64 `yaml:"baseline,omitempty" json:"baseline,omitempty"`
	Improvement *float64 `yaml:"improvement,omitempty" json:"improvement,omitempty"`
	Low         *float64 `yaml:"low,omitempty" json:"low,omitempty"`
	High        *float64 `yaml:"high,omitempty" json:"high,omitempty"`
	Margin      string   `yaml:"margin,omitempty" json:"margin,omitempty"`
	// What the value itself had to keep, and its own bounds.
	Floor     *float64 `yaml:"floor,omitempty" json:"floor,omitempty"`
	Ceiling   *float64 `yaml:"ceiling,omitempty" json:"ceiling,omitempty"`
	ValueLow  *float64 `yaml:"value_low,omitempty" json:"value_low,omitempty"`
	ValueHigh *float64 `yaml:"value_high,omitempty" json:"value_high,omitempty"`
}

// Accepted says that a person promoted by another exam than the one of the
// manifest before: a change may not grade its own exam.
type Accepted struct {
	Exam string `yaml:"exam" json:"exam"` // digest of the exam before
	// Verdict is the one by that exam: PASS, or INCONCLUSIVE where it could not
	// be answered any more and today's comparison was accepted in its place.
	Verdict verdict.Verdict `yaml:"verdict" json:"verdict"`
	Reason  string          `yaml:"reason,omitempty" json:"reason,omitempty"` // why it could not be answered
}

// Sources says where the bundle and the evidence can be had. A path is
// relative to the project's folder; a reference names an OCI repository.
type Sources struct {
	Bundle         string `yaml:"bundle" json:"bundle"`
	Anchor         string `yaml:"anchor,omitempty" json:"anchor,omitempty"`
	Evidence       string `yaml:"evidence,omitempty" json:"evidence,omitempty"`
	EvidenceDigest string `yaml:"evidence_digest,omitempty" json:"evidence_digest,omitempty"` // of report.json
}

// Registry is the version in a model registry that carries this bundle.
type Registry struct {
	Kind    string `yaml:"kind" json:"kind"`
	Model   string `yaml:"model" json:"model"`
	Version string `yaml:"version" json:"version"`
}

// registryPattern is a bundle in an OCI registry, by digest.
var registryPattern = regexp.MustCompile(`^oci://[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$`)

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Validate returns the first problem of m, or nil.
func (m Manifest) Validate() error {
	switch {
	case m.Schema != Schema:
		return fmt.Errorf("schema is %q, this release knows %q", m.Schema, Schema)
	case m.Model == "":
		return fmt.Errorf("model is missing")
	case m.Environment == "":
		return fmt.Errorf("environment is missing")
	case !digestPattern.MatchString(m.Bundle):
		return fmt.Errorf("bundle %q is not a digest such as sha256:<64 hexadecimal digits>", m.Bundle)
	case !digestPattern.MatchString(m.Exam):
		return fmt.Errorf("exam %q is not a digest such as sha256:<64 hexadecimal digits>", m.Exam)
	case m.Anchor != "" && !digestPattern.MatchString(m.Anchor):
		return fmt.Errorf("anchor %q is not a digest", m.Anchor)
	case m.Replaces != "" && !digestPattern.MatchString(m.Replaces):
		return fmt.Errorf("replaces %q is not a digest", m.Replaces)
	case !m.Verdict.Valid():
		return fmt.Errorf("verdict is %q, not PASS, FAIL or INCONCLUSIVE", m.Verdict)
	case m.Accepted != nil && !digestPattern.MatchString(m.Accepted.Exam):
		return fmt.Errorf("accepted.exam %q is not a digest", m.Accepted.Exam)
	case m.Accepted != nil && !m.Accepted.Verdict.Valid():
		return fmt.Errorf("accepted.verdict is %q, not PASS, FAIL or INCONCLUSIVE", m.Accepted.Verdict)
	}
	// Sources are read below the project's folder; a manifest that came with a
	// change must not reach elsewhere.
	for _, source := range []struct{ name, path string }{
		{"bundle", m.Sources.Bundle}, {"anchor", m.Sources.Anchor}, {"evidence", m.Sources.Evidence},
	} {
		if source.name != "evidence" && registryPattern.MatchString(source.path) {
			continue
		}
		if source.path != "" && (!fs.ValidPath(source.path) || source.path == ".") {
			return fmt.Errorf("sources.%s %q is not a path below the project's folder, nor oci://repository@sha256:<64 hexadecimal digits>", source.name, source.path)
		}
	}
	return nil
}
