package pipeline_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/store"
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
	// Each try ends before the report, with which a run is what it is.
	resume := func(id string) (made []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := watched(ctx, t, r, stepWatcher{
			started: func(step string) {
				if step == "report" {
					cancel()
				}
			},
			done: func(step, detail string) {
				if detail != "as this run made it before" {
					made = append(made, step)
				}
			},
		}, pipeline.Request{Resume: id})
		require.ErrorIs(t, err, context.Canceled)
		return made
	}
	resume("")
	s, err := store.Open(r.Dir, store.Options{Now: time.Now})
	require.NoError(t, err)
	id, err := s.Find("latest")
	require.NoError(t, err)
	bundle := func() string {
		stored, err := s.Load(id)
		require.NoError(t, err)
		for _, step := range stored.Steps {
			if step.Name == "seal" {
				var result struct{ Digest string }
				require.NoError(t, json.Unmarshal(step.Result, &result))
				return result.Digest
			}
		}
		t.Fatal("no step seal")
		return ""
	}
	first := bundle()

	r.Commit("words", map[string]string{"NOTES.md": "nothing that trains\n"})
	assert.Equal(t, []string{"report"}, resume(id))
	assert.Equal(t, first, bundle())

	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	r.Commit("another trainer", map[string]string{"models/1.onnx": string(two)})
	assert.Equal(t, steps[:9], resume(id))
	second := bundle()
	assert.NotEqual(t, first, second)

	dir := filepath.Join(r.Dir, store.Folder, "runs", id)
	predictions := filepath.Join(dir, "predictions/candidate.csv")
	text, err := os.ReadFile(predictions)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(predictions, append(text, '\n'), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "train/seed-1/out/model.onnx"), []byte("damaged"), 0o644))
	assert.Subset(t, resume(id), []string{"train", "evaluate"})
	assert.Equal(t, second, bundle())

	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true, Resume: id})
	require.NoError(t, err)
	assert.Equal(t, second, string(out.Report.Candidate.Bundle))
	assert.Contains(t, r.Git("log", "-1", "--format=%b", out.Promotion.Branch), "Dosirak-Bundle: "+second)
	assert.Equal(t, r.Git("rev-parse", "main"), string(out.Report.Run.Commit), "the commit that was trained at last")
}

// stepWatcher is told both.
type stepWatcher struct {
	pipeline.Silent
	started func(step string)
	done    func(step, detail string)
}

func (w stepWatcher) Start(step, _ string)              { w.started(step) }
func (w stepWatcher) Done(step, detail string, _ error) { w.done(step, detail) }

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
