package pipeline_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// A run that goes on after the trainer was changed trains anew: else the new
// commit would be promoted with the old trainer's model. What nothing depends
// on may change, and what was made is still there to be checked.
func TestResumeAfterAnEdit(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	first, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	resume := func() (pipeline.Outcome, []string) {
		var made []string
		out, err := watched(t.Context(), t, r, doneWatcher{done: func(step, detail string) {
			if detail != "as this run made it before" {
				made = append(made, step)
			}
		}}, pipeline.Request{Promote: true, Resume: first.Run})
		require.NoError(t, err)
		return out, made
	}

	r.Commit("words", map[string]string{"NOTES.md": "nothing that trains\n"})
	out, made := resume()
	assert.Equal(t, []string{"report", "promote"}, made)
	assert.Equal(t, first.Report.Candidate.Bundle, out.Report.Candidate.Bundle)

	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	r.Commit("another trainer", map[string]string{"models/1.onnx": string(two)})
	out, made = resume()
	assert.Equal(t, steps, made)
	assert.NotEqual(t, first.Report.Candidate.Bundle, out.Report.Candidate.Bundle)
	assert.Contains(t, r.Git("log", "-1", "--format=%b", out.Promotion.Branch), "Dosirak-Bundle: "+string(out.Report.Candidate.Bundle))

	predictions := filepath.Join(out.Dir, "predictions/candidate.csv")
	text, err := os.ReadFile(predictions)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(predictions, append(text, '\n'), 0o644))
	model := filepath.Join(out.Dir, "train/seed-1/out/model.onnx")
	require.NoError(t, os.WriteFile(model, []byte("damaged"), 0o644))
	again, made := resume()
	assert.Subset(t, made, []string{"train", "evaluate"})
	assert.Equal(t, out.Report.Candidate, again.Report.Candidate)
}

// What the config asks of the proof is what the training reads in the exam.
func TestReproduceReachesTheProof(t *testing.T) {
	t.Parallel()
	for _, asked := range []config.Reproduce{
		{Mode: config.ReproduceBitwise}, {Mode: config.ReproducePredictions}, {Mode: config.ReproduceOff},
		{Mode: config.ReproduceTolerance, Tolerance: 1e-6}, {Mode: config.ReproduceTolerance, Tolerance: 0.1 + 0.2},
	} {
		read, err := train.ParseReproduce(asked.String())
		require.NoError(t, err)
		assert.Equal(t, train.Reproduce{Mode: string(asked.Mode), Tolerance: asked.Tolerance}, read)
	}
}

// What is trained is the commit at which the run began, whatever is committed
// or edited while it trains.
func TestProvenanceIsOfTheBeginning(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	began := r.Git("rev-parse", "HEAD")
	out, err := watched(t.Context(), t, r, watcher{started: func(step string) {
		if step == "seal" {
			r.Commit("the next change", map[string]string{"NOTES.md": "written while it trained\n"})
		}
	}}, pipeline.Request{})
	require.NoError(t, err)
	assert.Equal(t, began, string(out.Report.Run.Commit))
	text, err := os.ReadFile(filepath.Join(out.Dir, "candidate", provenance.File))
	require.NoError(t, err)
	assert.Contains(t, string(text), began)
	assert.NotContains(t, string(text), r.Git("rev-parse", "HEAD"))
}
