package provenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	// StatementType and PredicateType are fixed by their specifications.
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	// BuildType says how to read the parameters.
	BuildType = "https://github.com/dosirak-ml/dosirak/train/v1"
	// BuilderID is nobody in particular: whoever ran dosirak. A verifier that
	// trusts a builder must not trust this one.
	BuilderID = "https://github.com/dosirak-ml/dosirak/unsigned/v1"
	// File is the name of the statement beside a bundle.
	File = "provenance.json"

	// ParamsFile is the byproduct whose annotations are Facts.Params.
	ParamsFile = "params.json"
)

// Statement is an in-toto statement with a SLSA provenance predicate.
type Statement struct {
	Type          string       `json:"_type"`
	Subject       []Descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     Predicate    `json:"predicate"`
}

// Descriptor is an in-toto ResourceDescriptor.
type Descriptor struct {
	Name        string            `json:"name,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"` // algorithm: hexadecimal
	Annotations map[string]any    `json:"annotations,omitempty"`
}

// Predicate is SLSA's provenance.
type Predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition is what was asked for and with what.
type BuildDefinition struct {
	BuildType            string             `json:"buildType"`
	ExternalParameters   ExternalParameters `json:"externalParameters"`
	InternalParameters   InternalParameters `json:"internalParameters"`
	ResolvedDependencies []Descriptor       `json:"resolvedDependencies"`
}

// ExternalParameters are the project's.
type ExternalParameters struct {
	Command string  `json:"command"`
	Setup   string  `json:"setup,omitempty"`
	Seeds   []int64 `json:"seeds"`
}

// InternalParameters are the machine's.
type InternalParameters struct {
	Machine   Machine   `json:"machine"`
	Libraries []Library `json:"libraries"`
	Runtime   *Runtime  `json:"runtime,omitempty"`
}

// RunDetails are about this one run. The byproducts are what the training
// wrote beside the model and says something about it.
type RunDetails struct {
	Builder    Builder      `json:"builder"`
	Metadata   Metadata     `json:"metadata"`
	Byproducts []Descriptor `json:"byproducts,omitempty"`
}

// Builder is what ran the training.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// Metadata tells this run from others.
type Metadata struct {
	InvocationID string     `json:"invocationId"`
	StartedOn    *time.Time `json:"startedOn,omitempty"`
	FinishedOn   *time.Time `json:"finishedOn,omitempty"`
}

// Statement puts the facts into the form of the statement.
func (f Facts) Statement() Statement {
	source := Descriptor{Name: "source", Annotations: map[string]any{"dirty": f.Source.Dirty}}
	if f.Source.Commit != "" {
		// The algorithm's name for a commit:
		// https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md
		source.Digest = map[string]string{"gitCommit": f.Source.Commit}
	} else {
		source.Annotations["missing"] = f.Source.Missing
	}
	if f.Source.Branch != "" {
		source.Annotations["branch"] = f.Source.Branch
	}
	if len(f.Source.Changed) > 0 {
		source.Annotations["changed"] = f.Source.Changed
	}
	if f.Source.More > 0 {
		source.Annotations["more"] = f.Source.More
	}
	dependencies := []Descriptor{source}
	for _, data := range f.Data {
		dependencies = append(dependencies, descriptor("data:"+data.Name, data.Digest))
	}
	for _, input := range f.Inputs {
		dependencies = append(dependencies, descriptor("input:"+input.Name, input.Digest))
	}
	var byproducts []Descriptor
	if len(f.Params) > 0 {
		byproducts = append(byproducts, Descriptor{Name: ParamsFile, Annotations: f.Params})
	}
	libraries, seeds := f.Libraries, f.Seeds
	if libraries == nil {
		libraries = []Library{}
	}
	if seeds == nil {
		seeds = []int64{}
	}
	return Statement{
		Type:          StatementType,
		Subject:       []Descriptor{descriptor(f.Model, f.Bundle)},
		PredicateType: PredicateType,
		Predicate: Predicate{
			BuildDefinition: BuildDefinition{
				BuildType:            BuildType,
				ExternalParameters:   ExternalParameters{Command: f.Command, Setup: f.Setup, Seeds: seeds},
				InternalParameters:   InternalParameters{Machine: f.Machine, Libraries: libraries, Runtime: f.Runtime},
				ResolvedDependencies: dependencies,
			},
			RunDetails: RunDetails{
				Builder:    Builder{ID: BuilderID, Version: map[string]string{"dosirak": f.Release}},
				Metadata:   Metadata{InvocationID: f.Run, StartedOn: instant(f.Started), FinishedOn: instant(f.Ended)},
				Byproducts: byproducts,
			},
		},
	}
}

func descriptor(name, digest string) Descriptor {
	algorithm, hexadecimal, ok := strings.Cut(digest, ":")
	if !ok {
		return Descriptor{Name: name}
	}
	return Descriptor{Name: name, Digest: map[string]string{algorithm: hexadecimal}}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// Canonical returns the statement's text: JSON with fields in the order of the
// types and sorted keys in maps, two spaces, a final newline.
func (s Statement) Canonical() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("encoding what is strings, numbers and times: %v", err))
	}
	return b.Bytes()
}
