package pipeline_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// saying is a project whose trainer leaves what its model says of the training
// rows, changed by a function of the score.
func saying(t *testing.T, change func(score float64) float64) (gittest.Repository, *project.Project) {
	t.Helper()
	r, p := places(t)
	out := filepath.Join(t.TempDir(), "p.csv")
	_, err := pipeline.Evaluate(t.Context(), p, filepath.Join(r.Dir, "m.onnx"), filepath.Join(r.Dir, "data/train.csv"), out)
	require.NoError(t, err)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	require.NoError(t, err)
	said := "row,prediction,score\n"
	for i, row := range rows[1:] {
		score, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		said += strconv.Itoa(i+1) + "," + row[2] + "," + strconv.FormatFloat(change(score), 'g', -1, 64) + "\n"
	}
	config, err := os.ReadFile(filepath.Join(r.Dir, "dosirak.yaml"))
	require.NoError(t, err)
	r.Write(map[string]string{
		"said.csv":     said,
		"dosirak.yaml": strings.NewReplacer("cp m.onnx {out}/model.onnx", "cp m.onnx {out}/model.onnx && cp said.csv {out}/predictions.csv", "[m.onnx]", "[m.onnx, said.csv]").Replace(string(config)),
	})
	r.Commit("say", nil)
	p, err = project.Open(t.Context(), r.Dir, "")
	require.NoError(t, err)
	return r, p
}

// What ships is what was trained, or the change fails and the report names the
// rows.
func TestExport(t *testing.T) {
	t.Parallel()
	t.Run("the same", func(t *testing.T) {
		t.Parallel()
		r, p := saying(t, func(score float64) float64 { return score })
		out, err := run(t.Context(), t, r, pipeline.Request{})
		require.NoError(t, err)
		require.NotNil(t, out.Report.Export)
		assert.Equal(t, verdict.Pass, out.Report.Export.Verdict)
		assert.EqualValues(t, 5, out.Report.Export.Rows)

		// A training that is judged on another machine carries it there.
		training, err := pipeline.Train(t.Context(), p, pipeline.Env{Now: time.Now, Release: "test", Observer: pipeline.Silent{}}, pipeline.Request{}, nil)
		require.NoError(t, err)
		folder := filepath.Join(t.TempDir(), "training")
		require.NoError(t, pipeline.Carry(p, training, folder))
		record, err := handoff.Read(folder)
		require.NoError(t, err)
		require.NotNil(t, record.Replicates[0].Predictions)
		out, err = run(t.Context(), t, r, pipeline.Request{Trained: folder})
		require.NoError(t, err)
		require.NotNil(t, out.Report.Export)
		assert.Equal(t, verdict.Pass, out.Report.Export.Verdict)

		// What a change says of its own training is shown as that.
		out, err = run(t.Context(), t, r, pipeline.Request{Trained: folder, Witness: pipeline.Claimed})
		require.NoError(t, err)
		assert.Empty(t, out.Report.Export.Verdict)
		assert.Contains(t, out.Report.Export.Sentence(), "Claimed by the change")
	})
	t.Run("another", func(t *testing.T) {
		t.Parallel()
		r, _ := saying(t, func(score float64) float64 { return score/2 + 0.25 })
		out, err := run(t.Context(), t, r, pipeline.Request{})
		require.NoError(t, err)
		assert.Equal(t, verdict.Fail, out.Verdict)
		require.NotNil(t, out.Report.Export)
		assert.Equal(t, verdict.Fail, out.Report.Export.Verdict)
		assert.NotEmpty(t, out.Report.Export.Differences)
		assert.Contains(t, out.Report.Reasons(), out.Report.Export.Sentence())
		for _, name := range []string{evidence.Report, evidence.Markdown, evidence.Page} {
			text, err := os.ReadFile(filepath.Join(out.Dir, name))
			require.NoError(t, err)
			assert.Contains(t, string(text), "was trained", name)
			assert.NotContains(t, string(text), "floors and ceilings decided", name)
		}
	})
	t.Run("a file that fits nothing", func(t *testing.T) {
		t.Parallel()
		r, _ := saying(t, func(score float64) float64 { return 3 + score })
		_, err := run(t.Context(), t, r, pipeline.Request{})
		require.ErrorContains(t, err, `seed 1: the trainer's predictions.csv line 2, column "score"`)
		assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		r, _ := places(t)
		out, err := run(t.Context(), t, r, pipeline.Request{})
		require.NoError(t, err)
		require.NotNil(t, out.Report.Export, "said once, with a first model")
		assert.Empty(t, out.Report.Export.Verdict)
		assert.Contains(t, string(out.Report.Export.Reason), "docs/trainer.md")
	})
}
