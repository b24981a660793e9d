package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Found is what a model path holds.
type Found struct {
	Format
	Path string // of the model file; inside the folder for an MLflow model
}

// RefusedError says that a model is of a kind that is not served, and how to
// get one that is.
type RefusedError struct {
	Path   string
	What   string // what the file is
	WayOut string // what to do
	// Unknown says that nothing tells that it is a model at all.
	Unknown bool
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is %s. %s", e.Path, e.What, e.WayOut)
}

const (
	wayOutPickle = "It is never loaded here, since loading a pickle runs the code in it. Write ONNX instead: " +
		`skl2onnx: to_onnx(model, X[:1], options={"zipmap": False}).SerializeToString(); ` +
		"PyTorch: torch.onnx.export(model, example, path); " +
		`XGBoost: booster.save_model("model.json"), then onnxmltools`
	wayOutTorch     = "It is a pickle inside and never loaded here. Write ONNX instead: torch.onnx.export(model, example, path)"
	wayOutBoosted   = "This release serves ONNX; convert with onnxmltools"
	wayOutSafe      = "It holds weights and no graph. Write ONNX instead: torch.onnx.export(model, example, path)"
	wayOutHDF5      = "This release serves ONNX; convert with tf2onnx"
	wayOutMLflow    = `Log the model as ONNX: mlflow.onnx.log_model(to_onnx(model, X[:1], options={"zipmap": False}), name="model")`
	wayOutDirectory = "Give the model file itself, or a folder that MLflow wrote (with the file MLmodel)"
)

// SniffFormat looks at the first bytes of the file, or at the folder, and says
// what it is. Nothing is executed or unpickled. What is not served gives a
// *RefusedError, an empty or truncated file a *DamagedError.
func SniffFormat(path string) (Found, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Found{}, fmt.Errorf("looking at the model: %w", err)
	}
	if info.IsDir() {
		return sniffFolder(path)
	}
	if !info.Mode().IsRegular() {
		return Found{}, &RefusedError{Path: path, What: "not a regular file", WayOut: "Give the model file itself"}
	}
	if info.Size() == 0 {
		return Found{}, &DamagedError{path, "the model file is empty: the trainer wrote nothing to it"}
	}
	if info.Size() > MaxModel {
		return Found{}, &DamagedError{path, fmt.Sprintf("the model file has %d bytes, at most %d", info.Size(), int64(MaxModel))}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Found{}, fmt.Errorf("looking at the model: %w", err)
	}
	if what, wayOut := recognise(filepath.Base(path), data); what != "" {
		return Found{}, &RefusedError{Path: path, What: what, WayOut: wayOut}
	}
	for _, f := range Formats {
		switch mine, err := f.Probe(data); {
		case mine && err == nil:
			return Found{f, path}, nil
		case mine, strings.EqualFold(filepath.Ext(path), f.Extension):
			return Found{}, &DamagedError{path, err.Error()}
		}
	}
	return Found{}, &RefusedError{Path: path, What: "of a format that is not known", WayOut: "This release serves " + listFormats(func(f Format) string { return f.Title + "; see " + f.Exporters }), Unknown: true}
}

var pickleExtensions = map[string]bool{".pkl": true, ".pickle": true, ".joblib": true, ".sav": true, ".dill": true, ".cloudpickle": true}

// recognise names a format that is not served, by its magic bytes or, for
// pickles, by its name too; "" where it is none of them.
func recognise(name string, data []byte) (what, wayOut string) {
	ext := strings.ToLower(filepath.Ext(name))
	head := data[:min(len(data), 4096)]
	start := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	// PROTO, version 2 to 5: https://docs.python.org/3/library/pickletools.html
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return "a Python pickle", wayOutPickle
	// PyTorch's zip holds <name>/data.pkl: https://pytorch.org/docs/stable/notes/serialization.html
	case start("PK\x03\x04") && bytes.Contains(data, []byte("data.pkl")):
		return "a PyTorch file", wayOutTorch
	case start("PK\x03\x04") && ext == ".keras", start("\x89HDF\r\n\x1a\n"):
		return "a Keras or HDF5 file", wayOutHDF5
	case start("PK\x03\x04") && ext == ".skops":
		return "a skops file", wayOutPickle
	// joblib compresses with zlib (0x78), gzip, bz2, xz or lz4 around a pickle.
	case pickleExtensions[ext]:
		return "a Python pickle or joblib file", wayOutPickle
	case head[0] == 0x78 && len(head) > 1 && (head[1] == 0x01 || head[1] == 0x5e || head[1] == 0x9c || head[1] == 0xda),
		start("ZF"), start("\x1f\x8b"), start("BZh"), start("\xfd7zXZ\x00"), start("\x04\x22\x4d\x18"):
		return "a compressed file, as joblib writes them around a pickle", wayOutPickle
	case ext == ".pt" || ext == ".pth":
		return "a PyTorch file", wayOutTorch
	case ext == ".safetensors":
		return "a safetensors file", wayOutSafe
	// XGBoost's JSON has the keys learner and version on top, in this order;
	// UBJSON is the same object with typed, length-prefixed keys.
	case len(text) > 0 && text[0] == '{' && bytes.Contains(head, []byte(`"learner"`)):
		return "an XGBoost model (JSON)", wayOutBoosted
	case head[0] == '{' && bytes.Contains(head, []byte("learner")):
		return "an XGBoost model (UBJSON)", wayOutBoosted
	// https://github.com/microsoft/LightGBM/blob/master/src/boosting/gbdt_model_text.cpp
	case start("tree\n"), start("tree\r\n"):
		return "a LightGBM model (text)", wayOutBoosted
	}
	return "", ""
}

// sniffFolder finds the ONNX file of an MLflow model.
// https://mlflow.org/docs/latest/ml/model/
func sniffFolder(dir string) (Found, error) {
	const limit = 1 << 20
	f, err := os.Open(filepath.Join(dir, "MLmodel"))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Found{}, &RefusedError{Path: dir, What: "a folder without the file MLmodel", WayOut: wayOutDirectory}
		}
		return Found{}, fmt.Errorf("looking at the model: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return Found{}, fmt.Errorf("looking at the model: %w", err)
	}
	if len(text) > limit {
		return Found{}, &DamagedError{f.Name(), fmt.Sprintf("is larger than %d bytes", limit)}
	}
	flavors, err := mlflowFlavors(text)
	if err != nil {
		return Found{}, &DamagedError{f.Name(), err.Error()}
	}
	data, ok := flavors["onnx"]
	if !ok {
		names := make([]string, 0, len(flavors))
		for name := range flavors {
			if name != "python_function" {
				names = append(names, name)
			}
		}
		return Found{}, &RefusedError{Path: dir, What: "an MLflow model without the onnx flavor (it has: " + strings.Join(slices.Sorted(slices.Values(names)), ", ") + ")", WayOut: wayOutMLflow}
	}
	if !filepath.IsLocal(data) {
		return Found{}, &DamagedError{f.Name(), fmt.Sprintf("flavors.onnx.data is %q, which is not a file in the folder", data)}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Found{}, fmt.Errorf("looking at the model: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(data) // does not follow a link out of the folder
	if err != nil {
		return Found{}, &DamagedError{f.Name(), fmt.Sprintf("flavors.onnx.data names %q: %v", data, err)}
	}
	if info.IsDir() {
		return Found{}, &DamagedError{f.Name(), fmt.Sprintf("flavors.onnx.data names %q, which is a folder", data)}
	}
	return SniffFormat(filepath.Join(dir, data))
}

// mlflowFlavors returns the flavors of an MLmodel file, each with its data
// path. It walks the syntax tree: aliases are not expanded.
func mlflowFlavors(text []byte) (map[string]string, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, errors.New("is not valid YAML")
	}
	flavors := map[string]string{}
	for _, doc := range file.Docs {
		for name, flavor := range entries(entries(doc.Body)["flavors"]) {
			path := ""
			if node, ok := entries(flavor)["data"].(*ast.StringNode); ok {
				path = node.Value
			}
			flavors[name] = path
		}
	}
	if len(flavors) == 0 {
		return nil, errors.New("names no flavors")
	}
	return flavors, nil
}

func entries(node ast.Node) map[string]ast.Node {
	out := map[string]ast.Node{}
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return out
	}
	for it := mapping.MapRange(); it.Next(); {
		out[it.Key().GetToken().Value] = it.Value()
	}
	return out
}
