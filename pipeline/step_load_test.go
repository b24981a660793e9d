package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// A model that takes its columns by their place gets them in the order that it
// was trained on, or is not asked at all.
func TestCheckOrder(t *testing.T) {
	t.Parallel()
	table := func(header string) *dataset.Table {
		path := filepath.Join(t.TempDir(), "t.csv")
		require.NoError(t, os.WriteFile(path, []byte(header+"\n"), 0o644))
		out, err := dataset.Read(t.Context(), path, dataset.Options{})
		require.NoError(t, err)
		return out
	}
	input := func(name string, shape ...int64) bundle.TensorSpec {
		return bundle.TensorSpec{Name: name, Datatype: tensor.FP32, Shape: shape}
	}
	matrix := []bundle.TensorSpec{input("x", -1, 2)}
	for _, tt := range []struct {
		name, train, eval string
		inputs            []bundle.TensorSpec
		features          []string
		refused           bool
	}{
		{"the same", "a,b,y", "a,b,y", matrix, nil, false},
		{"another order", "a,b,y", "b,a,y", matrix, nil, true},
		{"the label moved, ids came", "a,b,y", "id,y,a,b", matrix, nil, false},
		{"the order is said", "a,b,y", "b,a,y", matrix, []string{"a", "b"}, false},
		{"an input for each column", "a,b,y", "b,a,y", []bundle.TensorSpec{input("a", -1, 1), input("b", -1, 1)}, nil, false},
		{"one column by its name", "a,b,y", "b,a,y", []bundle.TensorSpec{input("a", -1, 1)}, nil, false},
		{"any width", "a,b,y", "b,a,y", []bundle.TensorSpec{input("x", -1, -1)}, nil, true},
	} {
		err := checkOrder(table(tt.train), table(tt.eval), exam.Data{Label: "y", ID: "id", Features: tt.features}, bundle.Signature{Inputs: tt.inputs})
		if !tt.refused {
			assert.NoError(t, err, tt.name)
			continue
		}
		require.ErrorContains(t, err, "data.features", tt.name)
		assert.ErrorContains(t, err, `the 1. one is "a" in `, tt.name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), tt.name)
	}
}
