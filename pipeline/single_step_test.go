package pipeline_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

// places is a project whose model takes two columns by their place.
func places(t *testing.T) (gittest.Repository, *project.Project) {
	t.Helper()
	model, err := os.ReadFile(filepath.Join("..", "model-server", "server", "testdata", "linear.onnx"))
	require.NoError(t, err)
	const rows = "1,0.5,0\n2,-1,1\n3,0.25,0\n-4,2,1\n"
	r := gittest.New(t, map[string]string{
		"dosirak.yaml": `version: 1
model: places
task: binary
train: {command: "cp m.onnx {out}/model.onnx", inputs: [m.onnx], seeds: [1], reproduce: off}
data: {train: data/train.csv, eval: data/eval.csv, label: y, positive: "1"}
metrics: [{name: accuracy, direction: higher, margin: 0.3, floor: 0.1, primary: true}]
`,
		"m.onnx": string(model), "data/train.csv": "a,b,y\n" + rows + "7,7,1\n", "data/eval.csv": "a,b,y\n" + rows,
		"data/swapped.csv": "b,a,y\n0.5,1,0\n-1,2,1\n0.25,3,0\n2,-4,1\n", "data/renamed.csv": "a,c,y\n" + rows,
	})
	p, err := project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	return r, p
}

// A single step refuses what a run refuses, and a bundle, which knows its
// columns, answers whatever their order is.
func TestSingleStepsKeepTheOrderOfColumns(t *testing.T) {
	t.Parallel()
	r, p := places(t)
	answers := func(model, table string) (string, error) {
		out := filepath.Join(t.TempDir(), "p.csv")
		if _, err := pipeline.Evaluate(t.Context(), p, model, table, out); err != nil {
			return "", err
		}
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		return string(text), nil
	}
	refused := func(err error, says string) {
		t.Helper()
		require.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "data.features")
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
	model, swapped := filepath.Join(r.Dir, "m.onnx"), filepath.Join(r.Dir, "data/swapped.csv")
	want, err := answers(model, "")
	require.NoError(t, err)
	_, err = answers(model, swapped)
	refused(err, `the 1. one is "a" in `)
	_, err = answers(model, filepath.Join(r.Dir, "data/renamed.csv"))
	refused(err, `"c" of `)

	sealed, err := pipeline.Seal(t.Context(), p, model, t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, sealed.Bundle.Signature.Inputs[0].Columns)
	for _, table := range []string{"", swapped} {
		got, err := answers(sealed.Dir, table)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}

	// Golden rows, and with them what is recorded, come from such a table too.
	p.Config.Serve.Golden.From = "data/swapped.csv"
	_, err = pipeline.Seal(t.Context(), p, model, t.TempDir())
	refused(err, `the 1. one is "a" in `)
	p.Config.Serve.Golden.From = "eval"

	text, err := os.ReadFile(swapped)
	require.NoError(t, err)
	r.Write(map[string]string{"data/eval.csv": string(text)})
	r.Commit("swapped", nil)
	_, err = run(t.Context(), t, r, pipeline.Request{})
	refused(err, `the 1. one is "a" in `)
}
