package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

const (
	maxDescription = 4 << 20 // bundle.json: thousands of inputs and classes fit
	maxGolden      = 64 << 20
	// MaxModel is the largest model file; ONNX ends at 2 GB, the limit of protobuf.
	MaxModel = 2 << 30
	maxFiles = 16
)

// encode writes v in the canonical form of the package's documentation.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decode reads exactly one JSON value without unknown keys into v.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the JSON ends too early")
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON object")
	}
	return nil
}

// canonical returns b with nil lists made empty and files sorted, so that
// equal bundles have one encoding.
func (b Bundle) canonical() Bundle {
	b.Schema = Schema
	b.Signature = Signature{Inputs: canonicalSpecs(b.Signature.Inputs), Outputs: canonicalSpecs(b.Signature.Outputs)}
	b.Files = append([]Entry{}, b.Files...)
	slices.SortFunc(b.Files, func(x, y Entry) int { return strings.Compare(x.Path, y.Path) })
	return b
}

func canonicalSpecs(specs []TensorSpec) []TensorSpec {
	out := append([]TensorSpec{}, specs...)
	for i := range out {
		out[i].Shape = append([]int64{}, out[i].Shape...)
	}
	return out
}

// check reports the first thing that makes b unusable.
func (b *Bundle) check() error {
	if b.Schema != Schema {
		return fmt.Errorf("schema is %q, this release reads %q", b.Schema, Schema)
	}
	if b.Model.Name == "" {
		return errors.New("model.name is empty")
	}
	if _, known := FormatOf(b.Model.Format); !known {
		return fmt.Errorf("model.format is %q, this release serves %s", b.Model.Format, formatNames())
	}
	if len(b.Files) > maxFiles {
		return fmt.Errorf("files has %d entries, at most %d", len(b.Files), maxFiles)
	}
	for i, f := range b.Files {
		if err := checkFileName(f.Path); err != nil {
			return fmt.Errorf("files[%d]: %w", i, err)
		}
		if i > 0 && b.Files[i-1].Path >= f.Path {
			return fmt.Errorf("files[%d]: %q is not sorted or there twice", i, f.Path)
		}
		if len(f.SHA256) != 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "" {
			return fmt.Errorf("files[%d]: sha256 of %q is not 64 lower-case hexadecimal digits", i, f.Path)
		}
		limit := int64(MaxModel)
		if f.Path == GoldenFile {
			limit = maxGolden
		}
		if f.Size < 0 || f.Size > limit {
			return fmt.Errorf("files[%d]: size of %q is %d, allowed are 0 to %d", i, f.Path, f.Size, limit)
		}
	}
	if b.Model.File == GoldenFile || b.entry(b.Model.File) == nil {
		return fmt.Errorf("files does not list the model file %q", b.Model.File)
	}
	if b.entry(GoldenFile) == nil {
		return fmt.Errorf("files does not list %s", GoldenFile)
	}
	return b.Signature.check()
}

func (b *Bundle) entry(path string) *Entry {
	for i := range b.Files {
		if b.Files[i].Path == path {
			return &b.Files[i]
		}
	}
	return nil
}

func (s *Signature) check() error {
	if len(s.Inputs) == 0 || len(s.Outputs) == 0 {
		return errors.New("signature needs at least one input and one output")
	}
	for _, side := range []struct {
		name  string
		specs []TensorSpec
	}{{"inputs", s.Inputs}, {"outputs", s.Outputs}} {
		seen := map[string]bool{}
		for i, t := range side.specs {
			switch at := fmt.Sprintf("signature.%s[%d]", side.name, i); {
			case t.Name == "":
				return fmt.Errorf("%s has no name", at)
			case seen[t.Name]:
				return fmt.Errorf("%s: the name %q is there twice", at, t.Name)
			case !t.Datatype.Valid():
				return fmt.Errorf("%s %q: unknown data type %q; known are %v", at, t.Name, t.Datatype, tensor.Datatypes)
			case slices.ContainsFunc(t.Shape, func(d int64) bool { return d < -1 }):
				return fmt.Errorf("%s %q: shape %v has a dimension below -1", at, t.Name, t.Shape)
			case len(t.Columns) > 0 && side.name != "inputs":
				return fmt.Errorf("%s %q: only inputs read columns", at, t.Name)
			case len(t.Columns) > 0 && !t.reads(len(t.Columns)):
				return fmt.Errorf("%s %q: it reads %d columns, and its shape is %v", at, t.Name, len(t.Columns), t.Shape)
			case slices.Contains(t.Columns, ""):
				return fmt.Errorf("%s %q reads a column without a name", at, t.Name)
			}
			seen[t.Name] = true
			switch t.Role {
			case "":
			case RoleLabel, RoleProbabilities, RoleValue:
				if side.name == "inputs" {
					return fmt.Errorf("signature.inputs[%d] %q: only outputs have a role", i, t.Name)
				}
			default:
				return fmt.Errorf("signature.%s[%d] %q: unknown role %q", side.name, i, t.Name, t.Role)
			}
		}
	}
	return nil
}

// reads reports whether n columns can be the values of a row.
func (t *TensorSpec) reads(n int) bool {
	switch len(t.Shape) {
	case 1:
		return n == 1
	case 2:
		return t.Shape[1] < 0 || t.Shape[1] == int64(n)
	}
	return false
}

// checkFileName accepts plain names that mean the same file on every system:
// letters, digits, dot, dash and underscore, no folder, not hidden.
func checkFileName(name string) error {
	strange := strings.ContainsFunc(name, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && !('0' <= r && r <= '9') && r != '.' && r != '_' && r != '-'
	})
	if name == "" || len(name) > 100 || strange || name[0] == '.' || name[0] == '-' || strings.EqualFold(name, File) {
		return fmt.Errorf("%q is not a plain file name (letters, digits, '.', '_', '-')", name)
	}
	return nil
}
