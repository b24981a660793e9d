package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// The schemas are made here, from the types and their tags, so that the binary
// carries two files and not the library that makes them.

func TestSchemasAreCurrent(t *testing.T) {
	t.Parallel()
	update := flag.Lookup("update").Value.String() == "true" // of the other test files
	for _, s := range []struct {
		file, title, description string
		value                    any
		embedded                 []byte
	}{
		{"config.schema.json", "dosirak.yaml", "The config of dosirak: how a model is trained, judged, served and promoted.", Config{}, Schema()},
		{"manifest.schema.json", "deploy/<environment>.yaml", "What an environment runs, by digests. Merging a change of it is the promotion, reverting that change the rollback.", manifest.Manifest{}, ManifestSchema()},
	} {
		text, err := schemaOf(s.value, "https://raw.githubusercontent.com/dosirak-ml/dosirak/main/docs/schema/"+s.file, s.title, s.description)
		require.NoError(t, err)
		docs := filepath.Join("..", "..", "docs", "schema", s.file)
		if update {
			require.NoError(t, os.WriteFile(s.file, text, 0o644))
			require.NoError(t, os.WriteFile(docs, text, 0o644))
			continue
		}
		assert.Equal(t, string(text), string(s.embedded), "%s is stale: go test ./pipeline/config -update", s.file)
		published, err := os.ReadFile(docs)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(published), "%s is stale: go test ./pipeline/config -update", docs)
	}
}

// forms describes the written forms of the types that decode themselves.
var forms = map[reflect.Type]func() *jsonschema.Schema{
	reflect.TypeFor[Duration](): func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	},
	reflect.TypeFor[Scalar](): func() *jsonschema.Schema {
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	},
	reflect.TypeFor[Rate](): func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: ratePattern.String()}
	},
	reflect.TypeFor[Size](): func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: sizePattern.String()}
	},
	reflect.TypeFor[Reproduce](): func() *jsonschema.Schema {
		tolerance := jsonschema.NewProperties()
		tolerance.Set("tolerance", &jsonschema.Schema{Type: "number", ExclusiveMinimum: "0"})
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{"bitwise", "predictions", "off"}},
			{Type: "object", Properties: tolerance, Required: []string{"tolerance"}, AdditionalProperties: jsonschema.FalseSchema},
		}}
	},
}

func schemaOf(v any, id, title, description string) ([]byte, error) {
	r := &jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
		Anonymous:                  true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[exam.Margin]() {
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
					{Type: "number", Minimum: "0"},
					{Type: "string", Pattern: `^\s*[0-9.eE+-]+\s*%?\s*$`},
				}}
			}
			if own, ok := forms[t]; ok {
				return own()
			}
			if t == reflect.TypeFor[verdict.Verdict]() {
				return &jsonschema.Schema{Type: "string", Enum: []any{verdict.Pass, verdict.Fail, verdict.Inconclusive}}
			}
			return nil
		},
	}
	s := r.Reflect(v)
	s.ID, s.Title, s.Description = jsonschema.ID(id), title, description
	if err := decorate(s, s.Definitions, reflect.TypeOf(v), map[reflect.Type]bool{}); err != nil {
		return nil, fmt.Errorf("making the schema of %s: %w", title, err)
	}
	if _, config := v.(Config); config {
		withoutRefused(s, s.Definitions)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("making the schema of %s: %w", title, err)
	}
	// The library escapes for HTML; no text of ours holds a backslash before
	// such a sequence.
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text))
	return []byte(plain + "\n"), nil
}

// withoutRefused takes out what this release refuses: an editor must not offer
// it.
func withoutRefused(top *jsonschema.Schema, definitions jsonschema.Definitions) {
	for _, key := range unsupported {
		s, name := top, key.path
		if section, rest, nested := strings.Cut(key.path, "."); nested {
			p, _ := top.Properties.Get(section)
			s, name = definitions[strings.TrimPrefix(p.Ref, "#/$defs/")], rest
		}
		if key.value == "" {
			s.Properties.Delete(name)
			continue
		}
		p, _ := s.Properties.Get(name)
		p.Enum = slices.DeleteFunc(p.Enum, func(word any) bool { return word == key.value })
	}
	for removed := true; removed; {
		removed = false
		for name := range definitions {
			if !refersTo(top, definitions, name) {
				delete(definitions, name)
				removed = true
			}
		}
	}
}

// refersTo reports whether a definition is used by the schema or by another
// definition.
func refersTo(top *jsonschema.Schema, definitions jsonschema.Definitions, name string) bool {
	uses := func(s *jsonschema.Schema) bool {
		if s.Properties == nil {
			return false
		}
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			if p.Value.Ref == "#/$defs/"+name || p.Value.Items != nil && p.Value.Items.Ref == "#/$defs/"+name {
				return true
			}
		}
		return false
	}
	for other, s := range definitions {
		if other != name && uses(s) {
			return true
		}
	}
	return uses(top)
}

// decorate takes the rules of the tags validate, default and doc into the
// schema of a struct and of the structs in it.
func decorate(s *jsonschema.Schema, definitions jsonschema.Definitions, t reflect.Type, done map[reflect.Type]bool) error {
	if done[t] || s == nil || s.Properties == nil {
		return nil
	}
	done[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		p, ok := s.Properties.Get(key)
		if !ok {
			continue
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			p.Description = doc
		}
		if text := f.Tag.Get("default"); text != "" {
			if err := yaml.Unmarshal([]byte(text), &p.Default); err != nil {
				return fmt.Errorf("default of %s: %w", key, err)
			}
		}
		if required(f) {
			s.Required = append(s.Required, key)
		}
		if nullable(f) {
			p.OneOf, p.Type = []*jsonschema.Schema{{Type: p.Type}, {Type: "null"}}, ""
		}
		constrain(p, f.Type, f.Tag.Get("validate"))
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			if err := decorate(definitions[inner.Name()], definitions, inner, done); err != nil {
				return err
			}
		}
	}
	return nil
}

func required(f reflect.StructField) bool {
	_, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if f.Tag.Get("validate") != "" || f.Tag.Get("doc") != "" {
		return slices.Contains(strings.Split(f.Tag.Get("validate"), ","), "required")
	}
	return options != "omitempty" // a manifest's field
}

// nullable holds for a manifest's number that is always written.
func nullable(f reflect.StructField) bool { return f.Type.Kind() == reflect.Pointer && required(f) }

// constrain translates the rules of one field; those after dive are for the
// entries of a list.
func constrain(p *jsonschema.Schema, t reflect.Type, tag string) {
	number := t.Kind() == reflect.Int || t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64
	for i, rule := range strings.Split(tag, ",") {
		name, parameter, _ := strings.Cut(rule, "=")
		switch name {
		case "dive":
			rest := strings.Split(tag, ",")[i+1:]
			if p.Items != nil && p.Items.Ref == "" {
				constrain(p.Items, t.Elem(), strings.Join(rest, ","))
			}
			return
		case "oneof":
			for _, word := range strings.Fields(parameter) {
				p.Enum = append(p.Enum, word)
			}
		case "eq":
			p.Const = json.Number(parameter)
		case "min":
			if number {
				p.Minimum = json.Number(parameter)
			} else if t.Kind() == reflect.Slice {
				p.MinItems = count(parameter)
			}
		case "max":
			if number {
				p.Maximum = json.Number(parameter)
			} else if t.Kind() == reflect.Slice {
				p.MaxItems = count(parameter)
			}
		case "gt":
			p.ExclusiveMinimum = json.Number(parameter)
		case "lt":
			p.ExclusiveMaximum = json.Number(parameter)
		default:
			if r, ok := rules[name]; ok && r.pattern != "" {
				p.Pattern = r.pattern
				if !slices.Contains(strings.Split(tag, ","), "required") && slices.Contains(strings.Split(tag, ","), "omitempty") {
					p.Pattern = "^$|" + r.pattern
				}
			}
		}
	}
}

func count(n string) *uint64 {
	v, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		panic("spec: a validate tag holds " + n) // a mistake of this package, found by its tests
	}
	return &v
}
