package bundle

import "github.com/dosirak-ml/dosirak/model-server/tensor"

const (
	// Schema names the format of bundle.json.
	Schema = "dosirak/bundle/v1"
	// File is the name of the description inside a bundle.
	File = "bundle.json"
	// GoldenFile is the name of the golden examples inside a bundle.
	GoldenFile = "golden.json"
)

// Bundle is the content of bundle.json.
type Bundle struct {
	Schema    string            `json:"schema"`
	Model     Model             `json:"model"`
	Signature Signature         `json:"signature"`
	Files     []Entry           `json:"files"` // sorted by path
	Engine    map[string]string `json:"engine,omitempty"`
}

// Model names the model and its file.
type Model struct {
	Name   string `json:"name"`
	Format string `json:"format"` // onnx
	File   string `json:"file"`   // model.onnx
}

// Entry is one file of the bundle.
type Entry struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Role says what an output means to a judge of the model.
type Role string

const (
	// RoleLabel is the predicted class, INT64 or BYTES, shape [N].
	RoleLabel Role = "label"
	// RoleProbabilities holds a probability for each of Classes, shape [N, C].
	RoleProbabilities Role = "probabilities"
	// RoleValue is a predicted number, shape [N] or [N, 1].
	RoleValue Role = "value"
)

// Signature is the names, types and shapes of inputs and outputs.
type Signature struct {
	Inputs  []TensorSpec `json:"inputs"`
	Outputs []TensorSpec `json:"outputs"`
}

// TensorSpec describes one input or output. -1 in Shape is a variable
// dimension; the first is the row.
type TensorSpec struct {
	Name     string          `json:"name"`
	Datatype tensor.Datatype `json:"datatype"`
	Shape    []int64         `json:"shape"`
	Role     Role            `json:"role,omitempty"`    // outputs
	Classes  []string        `json:"classes,omitempty"` // of probabilities, by column
	// Columns are those of a table that an input reads, a value of a row each, in
	// their order; empty where the bundle was sealed without a table.
	Columns []string `json:"columns,omitempty"`
}

// Golden is the content of golden.json: rows with the answers that the server
// gave when the bundle was sealed. Every server must give them again.
type Golden struct {
	Inputs    []Values  `json:"inputs"`
	Outputs   []Values  `json:"outputs"`
	Tolerance Tolerance `json:"tolerance"`
}

// Values is one tensor in JSON. Numbers are written with the fewest digits
// that read back to the same bits; NaN and infinities as the strings "NaN",
// "Inf" and "-Inf", since JSON has no form for them.
type Values struct {
	Name     string          `json:"name"`
	Datatype tensor.Datatype `json:"datatype"`
	Shape    []int64         `json:"shape"`
	Data     []any           `json:"data"`
}

// Tolerance bounds |got - want| <= Absolute + Relative·|want|. Labels and text
// must be equal.
type Tolerance struct {
	Absolute float64 `json:"absolute"`
	Relative float64 `json:"relative"`
}
