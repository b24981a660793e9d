package native_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// A zooCase is rows with onnxruntime's answers, as testdata/generate.py writes
// them.
type zooCase struct {
	bundle.Golden
	Roles   []bundle.Role `json:"roles"`
	Classes []string      `json:"classes"`
}

func load(t testing.TB, files fs.FS, name string) (engine.Engine, *zooCase) {
	t.Helper()
	model, err := fs.ReadFile(files, name+".onnx")
	require.NoError(t, err)
	e, err := native.Load(context.Background(), model, engine.Budget{})
	require.NoError(t, err)
	text, err := fs.ReadFile(files, name+".json")
	require.NoError(t, err)
	var c zooCase
	require.NoError(t, json.Unmarshal(text, &c))
	return e, &c
}

// The answers of the native engine are onnxruntime's.
func TestZoo(t *testing.T) {
	t.Parallel()
	zoo(t, committed(t))
}

const zooFile = "testdata/zoo.zip"

func committed(t testing.TB) fs.FS { return archive(t, zooFile) }

func archive(t testing.TB, path string) fs.FS {
	t.Helper()
	files, err := zip.OpenReader(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, files.Close()) })
	return files
}

func zoo(t *testing.T, files fs.FS) {
	models, err := fs.Glob(files, "*.onnx")
	require.NoError(t, err)
	require.NotEmpty(t, models)
	var worst parity
	for _, model := range models {
		name := strings.TrimSuffix(model, ".onnx")
		t.Run(name, func(t *testing.T) {
			e, c := load(t, files, name)
			inputs, want, err := c.Tensors()
			require.NoError(t, err)
			got, err := e.Infer(context.Background(), inputs)
			require.NoError(t, err)
			p := compare(t, want, got)
			p.name = name
			assert.LessOrEqual(t, p.relative, allowed(name), "largest difference: %s", p)
			worst = worst.worse(p)
			t.Logf("largest difference: %s", p)
			checkSignature(t, e.Signature(), c, got)
			checkRowsAlone(t, e, inputs, got)
		})
	}
	t.Logf("worst of %d models: %s", len(models), worst)
}

// parity is the largest relative difference of floats, where |want| below 0.1
// counts as 0.1: probabilities are computed as 1 - p, values as sums of terms
// of that size and more.
type parity struct {
	name      string
	relative  float64
	got, want float64
	exact     bool
}

func (p parity) String() string {
	return fmt.Sprintf("%s: %.3g (got %v, want %v)", p.name, p.relative, p.got, p.want)
}

func (p parity) worse(q parity) parity {
	if q.relative > p.relative {
		return q
	}
	return p
}

// exact are the models whose every answer has onnxruntime's bits: comparisons,
// look-ups, single operations, sums in the order of the trees. The rest sums
// in another order than its vectors, or takes e^x with another last bit.
var exact = regexp.MustCompile(`^(forest|tree|extra-trees|boosting-value|hist-boosting-value|scaler|imputer|min-max|max-abs|robust|binarizer|select-k|k-bins|` +
	`op-(one-hot|label-encoder|cast|imputer|scaler|feature-vectorizer|array|concat|gather|slice|split|reshape|transpose|expand|where|clip|add|sub|mul|div|min|max|arg|top-k|tree-(branch|missing|mixed|double|[a-z]+-none)|class-[a-z]+-[a-z]+-none))`)

// moreExact are the models for which onnxruntime's float32 overflows on some
// of the zoo's rows: squares of 1e20.
var moreExact = regexp.MustCompile(`/normalizer-l2$`)

// allowed is the largest difference that a model may have.
func allowed(name string) float64 {
	if exact.MatchString(name) {
		return 0
	}
	return 1e-5
}

func compare(t *testing.T, want, got []tensor.Tensor) parity {
	t.Helper()
	require.Len(t, got, len(want))
	p := parity{exact: true}
	for i := range want {
		w, g := &want[i], &got[i]
		require.NoError(t, g.Check())
		require.Equal(t, w.Name, g.Name)
		require.Equal(t, w.Datatype, g.Datatype, w.Name)
		require.Equal(t, append([]int64{}, w.Shape...), append([]int64{}, g.Shape...), w.Name)
		for k := range w.Len() {
			if !w.Datatype.Float() {
				require.Equal(t, w.At(k), g.At(k), "%s element %d", w.Name, k)
				continue
			}
			a, _ := w.Float(k)
			b, _ := g.Float(k)
			if moreExact.MatchString(t.Name()) && math.IsNaN(a) {
				require.Falsef(t, math.IsNaN(b) || math.IsInf(b, 0), "%s element %d", w.Name, k)
				continue
			}
			if math.IsNaN(a) || math.IsInf(a, 0) || math.IsNaN(b) || math.IsInf(b, 0) {
				require.True(t, a == b || math.IsNaN(a) && math.IsNaN(b), "%s element %d: got %v, want %v", w.Name, k, b, a)
				continue
			}
			p = p.worse(parity{relative: math.Abs(a-b) / max(math.Abs(a), 0.1), got: b, want: a})
		}
	}
	return p
}

func checkSignature(t *testing.T, s bundle.Signature, c *zooCase, got []tensor.Tensor) {
	t.Helper()
	require.Len(t, s.Inputs, len(c.Inputs))
	require.Len(t, s.Outputs, len(c.Outputs))
	for i, spec := range s.Outputs {
		if len(spec.Shape) == 0 && strings.Contains(t.Name(), "/op-") {
			continue // declared without a shape, and no probe fits
		}
		require.Len(t, spec.Shape, len(got[i].Shape), spec.Name)
		for d, size := range spec.Shape {
			if size >= 0 {
				assert.Equal(t, got[i].Shape[d], size, "%s dimension %d", spec.Name, d)
			}
		}
		if i < len(c.Roles) && !strings.Contains(t.Name(), "/op-") {
			assert.Equal(t, c.Roles[i], spec.Role, spec.Name)
		}
		if spec.Role == bundle.RoleProbabilities && c.Classes != nil {
			assert.Equal(t, c.Classes, spec.Classes)
		}
	}
}

// rowwise are the operators alone that never mix rows; some plain ones do.
var rowwise = regexp.MustCompile(`/op-(tree|class|linear|one-hot|label-encoder|imputer|scaler|feature)-`)

// Rows are independent: one row alone gets the same bits as in its batch, and
// no row at all is answered by no row.
func checkRowsAlone(t *testing.T, e engine.Engine, inputs, got []tensor.Tensor) {
	t.Helper()
	if plain := strings.Contains(t.Name(), "/op-"); plain && !rowwise.MatchString(t.Name()) {
		return
	}
	rows := inputs[0].Rows()
	for _, r := range []int{0, rows / 2, rows - 1} {
		one := make([]tensor.Tensor, len(inputs))
		for i := range inputs {
			one[i] = inputs[i].Slice(r, r+1)
		}
		alone, err := e.Infer(context.Background(), one)
		require.NoError(t, err, "row %d alone", r)
		for i := range alone {
			part := got[i].Slice(r, r+1)
			assert.Empty(t, bundle.CompareOutputs([]tensor.Tensor{part}, []tensor.Tensor{alone[i]}, bundle.Tolerance{}), "row %d alone", r)
		}
	}
	none := make([]tensor.Tensor, len(inputs))
	for i := range inputs {
		none[i] = inputs[i].Slice(0, 0)
	}
	empty, err := e.Infer(context.Background(), none)
	require.NoError(t, err, "no rows")
	for i := range empty {
		assert.Zero(t, empty[i].Len(), "%s of no rows", empty[i].Name)
		assert.Len(t, empty[i].Shape, len(got[i].Shape))
	}
}

// python is the interpreter that has testdata/requirements.txt installed.
func python(t *testing.T) string {
	t.Helper()
	python := os.Getenv("DOSIRAK_PYTHON")
	if python == "" {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "python") {
			t.Fatal("DOSIRAK_REQUIRE names python, but DOSIRAK_PYTHON is not set to one with testdata/requirements.txt installed")
		}
		t.Skip("DOSIRAK_PYTHON is not set to a Python with testdata/requirements.txt installed")
	}
	return python
}

// TestZooWithLivePeers makes other models and rows with the Python packages at
// hand and compares again.
func TestZooWithLivePeers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zoo.zip")
	command := exec.Command(python(t), "testdata/generate.py", "--out", path, "--rows", "300", "--seed", "7")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	zoo(t, archive(t, path))
}
