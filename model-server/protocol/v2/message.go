package v2

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// ContentType of every body.
const ContentType = "application/json"

// Request asks a model for an answer.
type Request struct {
	ID      string // echoed in the answer
	Inputs  []tensor.Tensor
	Outputs []string // names of the wanted outputs; nil: all
}

// Response is the answer.
type Response struct {
	Model   string
	Version string
	ID      string
	Outputs []tensor.Tensor
}

// Error is what the protocol says when it does not answer: an HTTP status and
// a text for the caller.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// Errorf returns an Error.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, format, args...)
}

// ErrorBody is the body of every answer that is no success.
type ErrorBody struct {
	Error string `json:"error"`
}

// ServerMetadata is the answer of GET /v2.
type ServerMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// Live is the answer of GET /v2/health/live.
type Live struct {
	Live bool `json:"live"`
}

// Ready is the answer of GET /v2/health/ready and, with the name, of
// GET /v2/models/{name}/ready.
type Ready struct {
	Name  string `json:"name,omitempty"`
	Ready bool   `json:"ready"`
}

// Parameters holds strings, numbers and booleans.
type Parameters map[string]any

// Names of parameters in metadata that this project adds.
const (
	ParameterBundle  = "bundle_digest" // of the model
	ParameterEngine  = "engine"        // of the model
	ParameterRole    = "role"          // of an output: bundle.Role
	ParameterClasses = "classes"       // of an output: JSON array of strings, as text
)

// ModelMetadata is the answer of GET /v2/models/{name}.
type ModelMetadata struct {
	Name       string           `json:"name"`
	Versions   []string         `json:"versions,omitempty"`
	Platform   string           `json:"platform"`
	Inputs     []TensorMetadata `json:"inputs"`
	Outputs    []TensorMetadata `json:"outputs"`
	Parameters Parameters       `json:"parameters,omitempty"`
}

// TensorMetadata describes one input or output; -1 in Shape is variable.
type TensorMetadata struct {
	Name       string          `json:"name"`
	Datatype   tensor.Datatype `json:"datatype"`
	Shape      []int64         `json:"shape"`
	Parameters Parameters      `json:"parameters,omitempty"`
}

// DescribeModel returns the inputs and outputs of a signature. The role and
// classes of an output become parameters, whose values may be text only.
func DescribeModel(s bundle.Signature) (inputs, outputs []TensorMetadata) {
	describe := func(specs []bundle.TensorSpec) []TensorMetadata {
		out := make([]TensorMetadata, len(specs))
		for i, spec := range specs {
			out[i] = TensorMetadata{Name: spec.Name, Datatype: spec.Datatype, Shape: append([]int64{}, spec.Shape...)}
			if spec.Role != "" {
				out[i].Parameters = Parameters{ParameterRole: string(spec.Role)}
			}
			if len(spec.Classes) > 0 {
				text, _ := json.Marshal(spec.Classes) // strings always encode
				if out[i].Parameters == nil {
					out[i].Parameters = Parameters{}
				}
				out[i].Parameters[ParameterClasses] = string(text)
			}
		}
		return out
	}
	return describe(s.Inputs), describe(s.Outputs)
}

// Signature is the inverse of DescribeModel. Metadata of other servers has no
// roles, so neither has the signature then.
func (m *ModelMetadata) Signature() (bundle.Signature, error) {
	read := func(side string, from []TensorMetadata) ([]bundle.TensorSpec, error) {
		out := make([]bundle.TensorSpec, len(from))
		for i, t := range from {
			if t.Name == "" || !t.Datatype.Valid() {
				return nil, fmt.Errorf("%s[%d] %q has the data type %q, which is not spoken here", side, i, t.Name, t.Datatype)
			}
			out[i] = bundle.TensorSpec{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
			if role, ok := t.Parameters[ParameterRole].(string); ok && side == "outputs" {
				out[i].Role = bundle.Role(role)
			}
			if text, ok := t.Parameters[ParameterClasses].(string); ok && side == "outputs" {
				if err := json.Unmarshal([]byte(text), &out[i].Classes); err != nil {
					return nil, fmt.Errorf("%s[%d] %q: its classes are not a list of strings", side, i, t.Name)
				}
			}
		}
		return out, nil
	}
	inputs, err := read("inputs", m.Inputs)
	if err != nil {
		return bundle.Signature{}, err
	}
	outputs, err := read("outputs", m.Outputs)
	return bundle.Signature{Inputs: inputs, Outputs: outputs}, err
}

// Bundle returns the digest of the bundle that the server says it runs, or "".
func (m *ModelMetadata) Bundle() string {
	digest, _ := m.Parameters[ParameterBundle].(string)
	return digest
}
