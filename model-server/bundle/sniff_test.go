package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallONNX is a ModelProto with ir_version 8, producer_name "x" and a graph
// named "g".
const smallONNX = "\x08\x08\x12\x01x\x3a\x03\x12\x01g"

func TestSniffFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		refused    string // "" for ONNX
		damaged    string
	}{
		"onnx":                   {"model.onnx", smallONNX, "", ""},
		"onnx by another name":   {"model", smallONNX, "", ""},
		"empty":                  {"model.onnx", "", "", "the model file is empty"},
		"truncated":              {"model.onnx", smallONNX[:len(smallONNX)-1], "", "truncated ONNX model"},
		"truncated before graph": {"model.onnx", smallONNX[:5], "", "truncated ONNX model"},
		"text called onnx":       {"model.onnx", "hello, world", "", "not an ONNX model"},
		"html called onnx":       {"model.onnx", "<html>404</html>", "", "not an ONNX model"},
		"pickle":                 {"model.onnx", "\x80\x04\x95\x00", "a Python pickle. It is never loaded here", ""},
		"old pickle by name":     {"model.pkl", "ccopy_reg\n", "to_onnx(model, X[:1]", ""},
		"joblib zlib":            {"model.bin", "\x78\x9c\x00\x00", "as joblib writes them", ""},
		"joblib gzip":            {"model.bin", "\x1f\x8b\x08\x00", "as joblib writes them", ""},
		"joblib by name":         {"model.joblib", "anything", "never loaded", ""},
		"torch":                  {"model.pt", "PK\x03\x04..archive/data.pkl..", "torch.onnx.export", ""},
		"xgboost json":           {"model.json", `{"learner":{"attributes":{}},"version":[3,0,0]}`, "convert with onnxmltools", ""},
		"xgboost ubj":            {"model.ubj", "{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "convert with onnxmltools", ""},
		"lightgbm":               {"model.txt", "tree\nversion=v4\n", "convert with onnxmltools", ""},
		"keras":                  {"model.h5", "\x89HDF\r\n\x1a\n", "tf2onnx", ""},
		"safetensors":            {"m.safetensors", "\x08\x00\x00\x00\x00\x00\x00\x00{}", "weights and no graph", ""},
		"unknown":                {"model", "hello, world", "a format that is not known", ""},
		"one byte":               {"model", "x", "a format that is not known", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), c.file)
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o644))
			format, err := SniffFormat(path)
			switch {
			case c.refused != "":
				var refused *RefusedError
				require.ErrorAs(t, err, &refused)
				assert.ErrorContains(t, err, c.refused)
				assert.ErrorContains(t, err, path)
			case c.damaged != "":
				var damaged *DamagedError
				require.ErrorAs(t, err, &damaged)
				assert.ErrorContains(t, err, c.damaged)
			default:
				require.NoError(t, err)
				assert.Equal(t, FormatONNX, format.Name)
				assert.Equal(t, path, format.Path)
			}
		})
	}
	_, err := SniffFormat(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestSniffFolder(t *testing.T) {
	t.Parallel()
	const onnxFlavor = "artifact_path: model\nflavors:\n  onnx:\n    data: model.onnx\n    onnx_version: 1.19.0\n  python_function:\n    data: model.onnx\n    loader_module: mlflow.onnx\n"
	for name, c := range map[string]struct {
		mlmodel string
		err     string
	}{
		"onnx":           {onnxFlavor, ""},
		"sklearn":        {"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: model.pkl\n", "without the onnx flavor (it has: sklearn). Log the model as ONNX"},
		"outside":        {"flavors:\n  onnx:\n    data: ../model.onnx\n", "not a file in the folder"},
		"absolute":       {"flavors:\n  onnx:\n    data: /etc/passwd\n", "not a file in the folder"},
		"no data":        {"flavors:\n  onnx:\n    version: 1\n", "not a file in the folder"},
		"missing":        {"flavors:\n  onnx:\n    data: other.onnx\n", "names \"other.onnx\""},
		"link":           {"flavors:\n  onnx:\n    data: link.onnx\n", "names \"link.onnx\""},
		"folder":         {"flavors:\n  onnx:\n    data: sub\n", "which is a folder"},
		"no flavors":     {"a: 1\n", "names no flavors"},
		"not YAML":       {"{[", "not valid YAML"},
		"no mapping":     {"- 1\n", "names no flavors"},
		"billion laughs": {"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nflavors: {onnx: {data: *c}}\n", "not a file in the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			outside := filepath.Join(t.TempDir(), "x")
			require.NoError(t, os.WriteFile(outside, []byte(smallONNX), 0o644))
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link.onnx")))
			require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), []byte(smallONNX), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "MLmodel"), []byte(c.mlmodel), 0o644))
			format, err := SniffFormat(dir)
			if c.err != "" {
				assert.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, FormatONNX, format.Name)
			assert.Equal(t, filepath.Join(dir, "model.onnx"), format.Path)
		})
	}
	_, err := SniffFormat(t.TempDir())
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	assert.ErrorContains(t, err, "without the file MLmodel")
}
