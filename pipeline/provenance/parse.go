package provenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// MaxStatement bounds a statement's text, in bytes. The parameters of a
// trainer are the largest part and are themselves bounded by 1 MB.
const MaxStatement = 8 << 20

// maxDepth bounds nested objects and lists. Only the parameters of a trainer
// nest deeper than the statement's own seven levels.
const maxDepth = 32

// Parse reads a statement that Canonical wrote. It may come with a change, so
// what it says is a claim, and its texts may hold anything: unknown fields,
// another kind of statement, text after the end, digests that are none, and
// what is larger or deeper than a statement is are errors.
func Parse(text []byte) (Statement, error) {
	s, err := parse(text)
	if err != nil {
		return Statement{}, fmt.Errorf("reading the provenance: %w", err)
	}
	return s, nil
}

func parse(text []byte) (Statement, error) {
	if len(text) > MaxStatement {
		return Statement{}, fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), MaxStatement)
	}
	if err := checkDepth(text); err != nil {
		return Statement{}, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var s Statement
	if err := dec.Decode(&s); err != nil {
		// The decoder's messages quote the text, which may hold anything.
		return Statement{}, fmt.Errorf("%s", quoted(err.Error()))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Statement{}, fmt.Errorf("there is text after its end")
	}
	for _, kind := range []struct{ field, is, want string }{
		{"_type", s.Type, StatementType},
		{"predicateType", s.PredicateType, PredicateType},
		{"buildType", s.Predicate.BuildDefinition.BuildType, BuildType},
	} {
		if kind.is != kind.want {
			return Statement{}, fmt.Errorf("%s is %s, this release knows %s", kind.field, quoted(kind.is), kind.want)
		}
	}
	for _, list := range [][]Descriptor{s.Subject, s.Predicate.BuildDefinition.ResolvedDependencies} {
		for _, d := range list {
			for algorithm, hexadecimal := range d.Digest {
				if !digestPattern.MatchString(algorithm + ":" + hexadecimal) {
					return Statement{}, fmt.Errorf("%s has a digest that is none: %s", quoted(d.Name), quoted(algorithm+":"+hexadecimal))
				}
			}
		}
	}
	return s, nil
}

var digestPattern = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|gitCommit:([0-9a-f]{40}|[0-9a-f]{64}))$`)

func checkDepth(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for depth := 0; ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s", quoted(err.Error()))
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func quoted(text string) string {
	const most = 100
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}

// Params is what the trainer says that it trained with, as JSON values; nil
// where it said nothing.
func (s Statement) Params() map[string]any {
	for _, d := range s.Predicate.RunDetails.Byproducts {
		if d.Name == ParamsFile {
			return d.Annotations
		}
	}
	return nil
}

// Data returns the digests of the data by role.
func (s Statement) Data() []Digest { return s.digests("data:") }

// Inputs returns the digests of the files that the training depended on.
func (s Statement) Inputs() []Digest { return s.digests("input:") }

func (s Statement) digests(prefix string) []Digest {
	var out []Digest
	for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
		if name, ok := strings.CutPrefix(d.Name, prefix); ok && d.Digest["sha256"] != "" {
			out = append(out, Digest{Name: name, Digest: "sha256:" + d.Digest["sha256"]})
		}
	}
	return out
}

// Source returns the commit that was trained.
func (s Statement) Source() Source {
	var out Source
	for _, d := range s.Predicate.BuildDefinition.ResolvedDependencies {
		if d.Name != "source" {
			continue
		}
		out.Commit = d.Digest["gitCommit"]
		out.Branch, _ = d.Annotations["branch"].(string)
		out.Missing, _ = d.Annotations["missing"].(string)
		out.Dirty, _ = d.Annotations["dirty"].(bool)
		out.Changed = texts(d.Annotations["changed"])
		switch more := d.Annotations["more"].(type) {
		case int:
			out.More = more
		case float64:
			if more >= 0 && more < 1<<31 {
				out.More = int(more)
			}
		}
		break
	}
	return out
}

// texts reads a list of texts, made here or read from JSON.
func texts(value any) []string {
	switch list := value.(type) {
	case []string:
		return list
	case []any:
		var out []string
		for _, v := range list {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// Seeds are those that were trained; the first is the candidate's.
func (s Statement) Seeds() []int64 { return s.Predicate.BuildDefinition.ExternalParameters.Seeds }
