package githubtest

import (
	_ "embed"
	"maps"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed testdata/api.github.com.json
var openAPI []byte

//go:embed testdata/schema.graphql
var graphQL string

var description = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromData(openAPI)
})

var graphQLSchema = sync.OnceValues(func() (*ast.Schema, error) {
	return gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graphQL})
})

// object is what a handler answers with: it names what the handler knows.
type object = map[string]any

// fill completes value by what schema requires, with the plainest value that
// fits. A key that is there with nil stays null.
func fill(ref *openapi3.SchemaRef, value any, present bool) any {
	if ref == nil || ref.Value == nil {
		return value
	}
	schema := ref.Value
	if present && value == nil {
		return nil
	}
	if !present && schema.Nullable {
		return nil
	}
	for _, choice := range [][]*openapi3.SchemaRef{schema.AnyOf, schema.OneOf} {
		if len(choice) > 0 && !schema.Type.Is("object") {
			return fill(choose(choice, value), value, present)
		}
	}
	properties, required := schema.Properties, schema.Required
	if len(schema.AllOf) > 0 {
		properties = maps.Clone(properties)
		if properties == nil {
			properties = openapi3.Schemas{}
		}
		required = slices.Clone(required)
		for _, part := range schema.AllOf {
			maps.Copy(properties, part.Value.Properties)
			required = append(required, part.Value.Required...)
		}
	}
	switch v := value.(type) {
	case object:
		return fillObject(properties, required, v)
	case []object:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = fill(schema.Items, item, true)
		}
		return out
	case nil:
	default:
		return value
	}
	switch {
	case schema.Type.Is("object") || len(properties) > 0:
		return fillObject(properties, required, object{})
	case schema.Type.Is("array"):
		return []any{}
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		return 1
	case schema.Type.Is("boolean"):
		return false
	case schema.Format == "date-time":
		return "2024-01-01T00:00:00Z"
	case schema.Format == "uri":
		return "https://github.test/"
	default:
		return ""
	}
}

func fillObject(properties openapi3.Schemas, required []string, known object) object {
	out := maps.Clone(known)
	for _, name := range required {
		if _, ok := out[name]; !ok {
			out[name] = fill(properties[name], nil, false)
		}
	}
	for name, value := range known {
		if property := properties[name]; property != nil {
			out[name] = fill(property, value, true)
		}
	}
	return out
}

// choose takes the first alternative of the kind that value is.
func choose(choice []*openapi3.SchemaRef, value any) *openapi3.SchemaRef {
	for _, ref := range choice {
		switch value.(type) {
		case object:
			if ref.Value.Type.Is("object") || len(ref.Value.Properties) > 0 {
				return ref
			}
		case []object:
			if ref.Value.Type.Is("array") {
				return ref
			}
		case string:
			if ref.Value.Type.Is("string") {
				return ref
			}
		}
	}
	return choice[0]
}
