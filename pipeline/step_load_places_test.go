package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// A model with one [N,F] input outlives a further column of the table, and so
// does one whose bundle, of a release before the record, does not say which
// columns it reads: it is asked by those that it was judged by.
func TestOneMoreColumn(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	for name, older := range map[string]bool{"recorded": false, "an older bundle": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t, map[string]string{
				"dosirak.yaml": matrixConfig, "1.onnx": matrixModel(2),
				"data/train.csv": matrixRows(1, false), "data/eval.csv": matrixRows(2, false),
			})
			first, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
			require.NoError(t, err)
			require.Equal(t, verdict.Pass, first.Verdict)
			r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/matrix/production")
			if older {
				forgetColumns(t, r)
			}
			r.Commit("one more column, before the others", map[string]string{
				"1.onnx": matrixModel(3), "data/train.csv": matrixRows(1, true), "data/eval.csv": matrixRows(2, true),
			})
			out, err := run(t.Context(), t, r, pipeline.Request{})
			require.NoError(t, err)
			assert.Equal(t, first.Report.Metrics[0].Candidate, out.Report.Metrics[0].Baseline, "the model in production answers as it did")
			require.Len(t, out.Report.Exams, 2)
			assert.Equal(t, verdict.Pass, out.Report.Exams[1].Verdict)
			assert.Empty(t, out.Report.Exams[1].Reason)

			out, err = run(t.Context(), t, r, pipeline.Request{Promote: true, AcknowledgeExam: true})
			require.NoError(t, err)
			require.NotNil(t, out.Promotion)
			r.Git("checkout", "--quiet", "dosirak/promote/matrix/production")
			v := verified(t, r, "production", true)
			assert.True(t, v.Holds, "%+v", v.Checks)
		})
	}
}

const matrixConfig = `version: 1
model: matrix
task: binary
train: {command: "cp 1.onnx {out}/model.onnx", inputs: [1.onnx], seeds: [1], timeout: 20s}
data: {train: data/train.csv, eval: data/eval.csv, label: y, positive: "1", id: id}
metrics:
  - {name: roc_auc, direction: higher, margin: 0.3, floor: 0.5, primary: true}
`

// matrixModel is a logistic regression of the last two of its columns.
func matrixModel(columns int64) string {
	weights := make([]float32, columns)
	weights[columns-2], weights[columns-1] = 1, -2
	model := onnxtest.Logistic([]string{"x"}, weights)
	model.Graph.Nodes = model.Graph.Nodes[1:] // one input for all, so nothing is joined
	model.Graph.Inputs = []*onnx.ValueInfo{onnxtest.Value("x", onnx.Float, -1, columns)}
	return string(onnxtest.Encode(model))
}

// matrixRows is a table of a, b and what they say with noise; a column stands
// before them where there is one more.
func matrixRows(seed uint64, more bool) string {
	random := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString(map[bool]string{false: "id,a,b,y\n", true: "id,new,a,b,y\n"}[more])
	for i := range 300 {
		x, z, noise, y := random.NormFloat64(), random.NormFloat64(), random.NormFloat64(), 0
		if x-2*z+noise > 0 {
			y = 1
		}
		extra := ""
		if more {
			extra = fmt.Sprintf("%.3f,", 10*z)
		}
		fmt.Fprintf(&b, "%d,%s%.3f,%.3f,%d\n", uint64(i)+1000*seed, extra, x, z, y)
	}
	return b.String()
}

// forgetColumns makes production's bundle one that records no columns.
func forgetColumns(t *testing.T, r gittest.Repository) {
	t.Helper()
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	o, err := bundle.Open(filepath.Join(r.Dir, filepath.FromSlash(m.Sources.Bundle)))
	require.NoError(t, err)
	golden, err := o.Golden()
	require.NoError(t, err)
	model, err := os.ReadFile(filepath.Join(o.Dir, o.Bundle.Model.File))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, o.Bundle.Signature.Inputs[0].Columns)
	o.Bundle.Signature.Inputs[0].Columns = nil
	files, digest, err := bundle.Render(o.Bundle, model, golden)
	require.NoError(t, err)
	m.Bundle, m.Anchor, m.Sources.Bundle, m.Sources.Anchor = digest, digest, "deploy/bundles/older", "deploy/bundles/older"
	commit := map[string]string{"deploy/production.yaml": manifestText(m)}
	for _, f := range files {
		commit["deploy/bundles/older/"+f.Name] = string(f.Data)
	}
	r.Commit("a bundle of an earlier release", commit)
}
