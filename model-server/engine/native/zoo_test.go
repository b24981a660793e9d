package native_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

func load(t testing.TB, path string) (engine.Engine, *zooCase) {
	t.Helper()
	model, err := os.ReadFile(path)
	require.NoError(t, err)
	e, err := native.Load(model)
	require.NoError(t, err)
	text, err := os.ReadFile(strings.TrimSuffix(path, ".onnx") + ".json")
	require.NoError(t, err)
	var c zooCase
	require.NoError(t, json.Unmarshal(text, &c))
	return e, &c
}

// The answers of the native engine are onnxruntime's.
func TestZoo(t *testing.T) {
	t.Parallel()
	zoo(t, "testdata/zoo")
}

func zoo(t *testing.T, dir string) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var worst parity
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		ok := t.Run(name, func(t *testing.T) {
			e, c := load(t, path)
			inputs, want, err := c.Tensors()
			require.NoError(t, err)
			got, err := e.Infer(context.Background(), inputs)
			require.NoError(t, err)
			p := compare(t, want, got)
			p.name = name
			assert.LessOrEqual(t, p.relative, allowed(name), "largest difference: %s", p)
			worst = worst.worse(p)
			checkSignature(t, e.Signature(), c, got)
			checkRowsAlone(t, e, inputs, got)
		})
		_ = ok
	}
	t.Logf("worst of %d models: %s", len(paths), worst)
}

// parity is the largest relative difference of floats, where |want| below
// 1e-2 counts as 1e-2: float32 probabilities are computed as 1 - p.
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

// allowed: what is computed by comparisons and sums in the same order is
// bit-equal; what sums in another order than onnxruntime's vectors is close.
func allowed(name string) float64 {
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
			if math.IsNaN(a) || math.IsInf(a, 0) || math.IsNaN(b) || math.IsInf(b, 0) {
				require.True(t, a == b || math.IsNaN(a) && math.IsNaN(b), "%s element %d: got %v, want %v", w.Name, k, b, a)
				continue
			}
			p = p.worse(parity{relative: math.Abs(a-b) / max(math.Abs(a), 1e-2), got: b, want: a})
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
		if i < len(c.Roles) && !strings.HasPrefix(t.Name(), "TestZoo/op-") {
			assert.Equal(t, c.Roles[i], spec.Role, spec.Name)
		}
		if spec.Role == bundle.RoleProbabilities && c.Classes != nil {
			assert.Equal(t, c.Classes, spec.Classes)
		}
	}
}

// Rows are independent: one row alone gets the same bits as in its batch, and
// no row at all is answered by no row.
func checkRowsAlone(t *testing.T, e engine.Engine, inputs, got []tensor.Tensor) {
	t.Helper()
	name := t.Name()[strings.LastIndex(t.Name(), "/")+1:]
	if strings.HasPrefix(name, "op-") && !slices.Contains([]string{"op-scaler-one"}, name) && !strings.HasPrefix(name, "op-tree") && !strings.HasPrefix(name, "op-class") && !strings.HasPrefix(name, "op-linear") {
		return // some plain operators mix rows
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

// TestZooWithLivePeers makes other models and rows with the Python packages at
// hand and compares again.
func TestZooWithLivePeers(t *testing.T) {
	python := os.Getenv("DOSIRAK_PYTHON")
	if python == "" {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "python") {
			t.Fatal("DOSIRAK_REQUIRE names python, but DOSIRAK_PYTHON is not set to one with testdata/requirements.txt installed")
		}
		t.Skip("DOSIRAK_PYTHON is not set to a Python with testdata/requirements.txt installed")
	}
	dir := t.TempDir()
	command := exec.Command(python, "testdata/generate.py", "--out", dir, "--rows", "300", "--seed", "7")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	zoo(t, dir)
}
