package bundle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
)

// Format is a kind of model file that is sealed and served. A new one is an
// entry of Formats, a reader beside bundle/onnx, and an engine in
// model-server/server/engines.go.
type Format struct {
	Name      string // in bundle.json: "onnx"
	Title     string // in messages: "ONNX"
	File      string // of the model in a bundle: "model.onnx"
	Extension string // that files of it usually have: ".onnx"
	Platform  string // in the metadata of the Open Inference Protocol
	Exporters string // how one gets such a file, for messages
	// Probe looks at a few bytes. It reports whether data is of this format,
	// and what is wrong where it is not, or is damaged.
	Probe func(data []byte) (mine bool, err error)
	// Compare names the places at which two files differ.
	Compare func(a, b []byte) (Comparison, error)
}

// Comparison, Difference and Outcome say how two model files relate.
type (
	Comparison = onnx.Comparison
	Difference = onnx.Difference
	Outcome    = onnx.Outcome
)

// SameContent is the outcome of files whose bytes differ and nothing else.
const SameContent = onnx.SameContent

// FormatONNX is the name of ONNX in bundle.json.
const FormatONNX = "onnx"

// Formats are what this release seals and serves.
var Formats = []Format{{
	Name: FormatONNX, Title: "ONNX", File: "model.onnx", Extension: ".onnx",
	Platform:  "onnx_onnxv1", // https://github.com/kserve/open-inference-protocol
	Exporters: "skl2onnx, torch.onnx.export, tf2onnx, onnxmltools",
	Probe: func(data []byte) (bool, error) {
		err := onnx.Probe(data)
		return !errors.Is(err, onnx.ErrNotONNX), err
	},
	Compare: onnx.Compare,
}}

// FormatOf returns the format of that name.
func FormatOf(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Recognise returns the format of a file's bytes. The error is of a file that
// is damaged; false says that it is of no format that is known.
func Recognise(data []byte) (Format, bool, error) {
	for _, f := range Formats {
		if mine, err := f.Probe(data); mine {
			return f, true, err
		}
	}
	return Format{}, false, nil
}

// CompareModels compares two files of the same format.
func CompareModels(a, b []byte) (Comparison, error) {
	f, known, err := Recognise(a)
	switch {
	case !known:
		return Comparison{}, fmt.Errorf("only %s files can be told apart by node and tensor", formatTitles())
	case err != nil:
		return Comparison{}, err
	}
	return f.Compare(a, b)
}

// formatNames and formatTitles list the formats for messages.
func formatNames() string {
	return listFormats(func(f Format) string { return fmt.Sprintf("%q", f.Name) })
}
func formatTitles() string { return listFormats(func(f Format) string { return f.Title }) }

func listFormats(text func(Format) string) string {
	var list []string
	for _, f := range Formats {
		list = append(list, text(f))
	}
	return strings.Join(list, ", ")
}
