package native_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/engine/native"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// answeredCases is how many of the ONNX project's cases have the right answer
// today: refusing more of them is noticed.
const answeredCases = 639

// Every case that the ONNX project has for its operators is either answered
// right or refused when it is loaded, with a reason; none is loaded and then
// fails.
func TestONNXNodeCases(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cases.zip")
	out, err := exec.Command(python(t), "testdata/node_cases.py", "--out", path).CombinedOutput()
	require.NoError(t, err, string(out))
	files := archive(t, path)
	models, err := fs.Glob(files, "*.onnx")
	require.NoError(t, err)
	require.Greater(t, len(models), 1500)
	right, reasons := 0, map[string]int{}
	for _, name := range models {
		model, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		e, err := native.Load(context.Background(), model, engine.Budget{})
		if err != nil {
			reasons[refusedWith(t, name, err)]++
			continue
		}
		text, err := fs.ReadFile(files, strings.TrimSuffix(name, ".onnx")+".json")
		if !assert.NoError(t, err, "%s is loaded, though its values are no tensors", name) {
			continue
		}
		var c bundle.Golden
		require.NoError(t, json.Unmarshal(text, &c), name)
		inputs, want, err := c.Tensors()
		require.NoError(t, err, name)
		got, err := e.Infer(context.Background(), inputs)
		if assert.NoError(t, err, "%s is loaded and fails", name) && assert.Len(t, got, len(want), name) {
			for i := range want {
				nearly(t, name, &want[i], &got[i])
			}
			right++
		}
	}
	t.Logf("%d cases: %d answered right, refused %v", len(models), right, reasons)
	assert.GreaterOrEqual(t, right, answeredCases)
}

// refusedWith returns the kind of a refusal.
func refusedWith(t *testing.T, name string, err error) string {
	t.Helper()
	var (
		unsupported *native.UnsupportedError
		mismatch    *native.MismatchError
	)
	assert.NotContains(t, err.Error(), "its inputs do not fit each other: ", "%s: a panic was caught", name)
	switch {
	case errors.As(err, &unsupported):
		return "not known here"
	case errors.As(err, &mismatch):
		assert.Fail(t, "a case of the ONNX project contradicts itself?", "%s: %v", name, err)
		return "mismatch"
	}
	assert.Contains(t, err.Error(), "loading the model into the native engine: ", name)
	return "other"
}

// nearly compares by the tolerance of the ONNX project's own runner.
func nearly(t *testing.T, name string, want, got *tensor.Tensor) {
	t.Helper()
	assert.Equal(t, want.Datatype, got.Datatype, "%s: %s", name, want.Name)
	if !assert.Equal(t, append([]int64{}, want.Shape...), append([]int64{}, got.Shape...), "%s: %s", name, want.Name) {
		return
	}
	for i := range want.Len() {
		w, number := want.Float(i)
		g, _ := got.Float(i)
		if !number || want.Datatype.Signed() || want.Datatype.Unsigned() {
			assert.Equal(t, want.At(i), got.At(i), "%s: %s element %d", name, want.Name, i)
			continue
		}
		same := w == g || math.IsNaN(w) && math.IsNaN(g) || math.Abs(w-g) <= 1e-7+1e-3*math.Abs(w)
		assert.True(t, same, "%s: %s element %d: got %v, want %v", name, want.Name, i, g, w)
	}
}
