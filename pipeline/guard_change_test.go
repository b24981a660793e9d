package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// A change that another machine trained and that alters the exam is judged by
// its own exam and by the base branch's, in the base branch's checkout: the
// worse verdict counts, and what cannot be asked of both waits for a person.
func TestAChangeOfTheExamTrainedElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each change")
	}
	t.Parallel()
	g, r := promoted(t)
	for name, c := range map[string]struct {
		change   func(g *guarded)
		verdict  verdict.Verdict
		base     verdict.Verdict // by the base branch's exam
		accepted verdict.Verdict // with a maintainer's acknowledgement
	}{
		"other seeds":  {func(g *guarded) { g.replace("seeds: [1]", "seeds: [3, 4]"); g.model = model("a b", 2, 1) }, verdict.Pass, verdict.Pass, verdict.Pass},
		"a new column": {func(g *guarded) { addColumn(g, "c"); g.model = model("a b c", 2, 1, 0) }, verdict.Pass, verdict.Pass, verdict.Pass},
		"new rows":     {func(g *guarded) { g.eval = drawn(9, 800); g.model = model("a b", 2, 1) }, verdict.Pass, verdict.Pass, verdict.Pass},
		"new rows and a new column": {func(g *guarded) {
			g.eval = drawn(10, 800)
			addColumn(g, "c")
			g.model = model("a b c", 2, 1, 0)
		}, verdict.Inconclusive, verdict.Inconclusive, verdict.Pass},
		"an easier exam for a worse model": {func(g *guarded) { edits["everything easier"](g); g.model = model("a", -2) }, verdict.Fail, verdict.Fail, verdict.Fail},
		"labels of one's own":              {func(g *guarded) { edits["relabelled"](g); g.model = model("a", -2) }, verdict.Fail, verdict.Fail, verdict.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := copied(t, r)
			change := g
			change.train, change.eval = g.train.clone(), g.eval.clone()
			c.change(&change)
			repo.Git("checkout", "--quiet", "-b", "change")
			commit := repo.Commit(name, change.files())
			p, err := project.Open(t.Context(), repo.Dir, "")
			require.NoError(t, err)
			training, err := pipeline.Train(t.Context(), p, pipeline.Env{Now: time.Now, Observer: pipeline.Silent{}}, pipeline.Request{}, nil)
			require.NoError(t, err)
			folder := filepath.Join(t.TempDir(), "part")
			require.NoError(t, pipeline.Carry(p, training, folder))
			joined := filepath.Join(t.TempDir(), "joined")
			require.NoError(t, handoff.Gather([]string{folder}, joined))
			repo.Git("checkout", "--quiet", "main")

			for _, acknowledged := range []bool{false, true} {
				out, err := run(t.Context(), t, repo, pipeline.Request{Trained: joined, TrainedAt: commit, AcknowledgeExam: acknowledged})
				require.NoError(t, err)
				require.NotNil(t, out.Report.ExamChanged())
				assert.Equal(t, c.base, out.Report.ExamChanged().Verdict, "%s", out.Report.ExamChanged().Reason)
				want := c.verdict
				if acknowledged {
					want = c.accepted
				}
				assert.Equal(t, want, out.Verdict, "%v %v", acknowledged, out.Report.Headline)
				if want == verdict.Inconclusive {
					assert.Contains(t, out.Report.Next()[0].Text, "dosirak/accept-exam")
				}
			}
		})
	}
	t.Run("a command of one's own", func(t *testing.T) {
		t.Parallel()
		repo := copied(t, r)
		change := g
		change.config = strings.Replace(g.config, "metrics:\n", "metrics:\n  - {name: own, direction: higher, margin: 0.1, command: touch "+filepath.Join(t.TempDir(), "ran")+"}\n", 1)
		change.model = onnxtest.Encode(onnxtest.Logistic([]string{"a", "b"}, []float32{2, 1}))
		repo.Git("checkout", "--quiet", "-b", "change")
		commit := repo.Commit("a command", change.files())
		p, err := project.Open(t.Context(), repo.Dir, "")
		require.NoError(t, err)
		training, err := pipeline.Train(t.Context(), p, pipeline.Env{Now: time.Now, Observer: pipeline.Silent{}}, pipeline.Request{}, nil)
		require.NoError(t, err)
		folder := filepath.Join(t.TempDir(), "part")
		require.NoError(t, pipeline.Carry(p, training, folder))
		repo.Git("checkout", "--quiet", "main")
		_, err = run(t.Context(), t, repo, pipeline.Request{Trained: folder, TrainedAt: commit})
		require.ErrorContains(t, err, "merge the command first")
	})
}
