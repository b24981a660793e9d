package pipeline_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
)

// A model from elsewhere that is made to use up the machine is refused within
// a stranger's budget, which is below that of one's own models: this one, a
// single product of two matrices, would be computed if it came from here.
func TestAStrangersModelHasABudget(t *testing.T) {
	t.Parallel()
	const width = 3000 // 2.7·10^10 multiplications
	model := onnxtest.Encode(&onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 21}}, Graph: &onnx.Graph{
		Name: "bomb",
		Nodes: []*onnx.Node{
			{OpType: "ConstantOfShape", Inputs: []string{"shape"}, Outputs: []string{"big"}},
			{OpType: "MatMul", Inputs: []string{"big", "big"}, Outputs: []string{"y"}},
		},
		Inputs:       []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, 2)},
		Outputs:      []*onnx.ValueInfo{onnxtest.Value("y", onnx.Float, width, width)},
		Initializers: []*onnx.Tensor{onnxtest.Ints("shape", []int64{width, width})},
	}})
	r := projecttest.Mini(t)
	folder := t.TempDir()
	sum := sha256.Sum256(model)
	training := handoff.Training{Schema: "dosirak/training/v1", Model: "flights-delay", Commit: strings.TrimSpace(r.Git("rev-parse", "HEAD"))}
	for _, seed := range []int64{1, 2} {
		name := fmt.Sprintf("seed-%d.onnx", seed)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), model, 0o600))
		training.Replicates = append(training.Replicates, handoff.Replicate{Seed: seed, Model: handoff.File{Path: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(model))}})
	}
	again := training.Replicates[0]
	again.Model.Path = "again.onnx"
	require.NoError(t, os.WriteFile(filepath.Join(folder, again.Model.Path), model, 0o600))
	training.Again = &again
	record, err := json.Marshal(training)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "training.json"), record, 0o600))
	_, err = run(t.Context(), t, r, pipeline.Request{Trained: folder})
	require.ErrorContains(t, err, "needs more than the 1.7e+10 operations that a model may use here")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}
