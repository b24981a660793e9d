package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/onnxtest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// grid is a table as a test edits it.
type grid struct {
	header []string
	rows   [][]string
}

func (g grid) clone() grid {
	c := grid{header: slices.Clone(g.header)}
	for _, row := range g.rows {
		c.rows = append(c.rows, slices.Clone(row))
	}
	return c
}

func (g grid) at(name string) int { return slices.Index(g.header, name) }

func (g grid) String() string {
	var b strings.Builder
	b.WriteString(strings.Join(g.header, ",") + "\n")
	for _, row := range g.rows {
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	return b.String()
}

// drawn is a table in which the label follows a, and b knows a little more.
func drawn(seed uint64, n int) grid {
	r := rand.New(rand.NewPCG(seed, 7))
	g := grid{header: []string{"id", "a", "b", "kind", "weight", "day", "y"}}
	for i := range n {
		a, b := r.NormFloat64(), r.NormFloat64()
		y := "0"
		if 2*a+b+r.NormFloat64() > 0 {
			y = "1"
		}
		g.rows = append(g.rows, []string{
			fmt.Sprintf("%d-%d", seed, i), fmt.Sprintf("%.4f", a), fmt.Sprintf("%.4f", b), []string{"x", "z"}[i%2], "1", fmt.Sprint(i), y,
		})
	}
	return g
}

// guarded is a project in which production answers by column a.
type guarded struct {
	config      string
	train, eval grid
	model       []byte
}

const guardedConfig = `version: 1
model: guarded
task: binary
train:
  command: cp model.onnx {out}/model.onnx
  inputs: [model.onnx]
  seeds: [1]
  timeout: 20s
data:
  train: data/train.csv
  eval: data/eval.csv
  label: y
  positive: "1"
  id: id
metrics:
  - {name: roc_auc, direction: higher, margin: 0.05, floor: 0.6, primary: true}
  - {name: accuracy, direction: higher, margin: 0.05}
slices:
  - {name: kind, column: kind, mode: gate, metric: accuracy, margin: 0.2, min_n: 50}
`

func model(columns string, weights ...float32) []byte {
	return onnxtest.Encode(onnxtest.Logistic(strings.Fields(columns), weights))
}

func (g guarded) files() map[string]string {
	return map[string]string{
		"dosirak.yaml": g.config, "data/train.csv": g.train.String(), "data/eval.csv": g.eval.String(), "model.onnx": string(g.model),
	}
}

// promoted is the project with its first model merged.
func promoted(t *testing.T) (guarded, gittest.Repository) {
	t.Helper()
	g := guarded{config: guardedConfig, train: drawn(1, 300), eval: drawn(2, 800), model: model("a", 2)}
	r := gittest.New(t, g.files())
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation)
	r.Git("merge", "--quiet", "--no-edit", "dosirak/promote/guarded/production")
	r.Git("branch", "--quiet", "-D", "dosirak/promote/guarded/production")
	return g, r
}

// copied is a repository as it stands.
func copied(t *testing.T, r gittest.Repository) gittest.Repository {
	t.Helper()
	c := gittest.Repository{T: t, Dir: filepath.Join(t.TempDir(), "copy")}
	require.NoError(t, os.CopyFS(c.Dir, os.DirFS(r.Dir)))
	return c
}

func deployed(t *testing.T, r gittest.Repository) string {
	t.Helper()
	m, err := readManifest(filepath.Join(r.Dir, "deploy/production.yaml"))
	require.NoError(t, err)
	return m.Bundle
}

// edits are what a change may do to the exam beside its model.
var edits = map[string]func(g *guarded){
	"column added":   func(g *guarded) { addColumn(g, "c") },
	"column removed": func(g *guarded) { dropColumn(&g.eval, "day"); dropColumn(&g.train, "day") },
	"column renamed": func(g *guarded) { g.eval.header[g.eval.at("day")] = "daytime" },
	"column retyped": func(g *guarded) {
		for _, row := range g.eval.rows {
			row[g.eval.at("day")] += ".0"
		}
	},
	"columns reordered": func(g *guarded) {
		for _, row := range append([][]string{g.eval.header}, g.eval.rows...) {
			slices.Reverse(row)
		}
	},
	"rows added":   func(g *guarded) { g.eval.rows = append(g.eval.rows, drawn(3, 100).rows...) },
	"rows removed": func(g *guarded) { g.eval.rows = g.eval.rows[:400] },
	"rows chosen": func(g *guarded) {
		// Only the rows on which the worse model is right.
		g.eval.rows = slices.DeleteFunc(g.eval.rows, func(row []string) bool {
			return strings.HasPrefix(row[g.eval.at("a")], "-") == (row[g.eval.at("y")] == "0")
		})
	},
	"rows replaced": func(g *guarded) { g.eval = drawn(4, 800) },
	"relabelled": func(g *guarded) {
		for _, row := range g.eval.rows {
			row[g.eval.at("y")] = map[string]string{"0": "1", "1": "0"}[row[g.eval.at("y")]]
		}
	},
	"file moved": func(g *guarded) { g.replace("eval: data/eval.csv", "eval: data/other.csv") },
	"metric dropped": func(g *guarded) {
		g.replace("  - {name: roc_auc, direction: higher, margin: 0.05, floor: 0.6, primary: true}\n", "")
		g.replace("margin: 0.05}", "margin: 0.5}")
	},
	"margin":     func(g *guarded) { g.replace("margin: 0.05", "margin: 0.5") },
	"floor":      func(g *guarded) { g.replace("floor: 0.6", "floor: 0.01") },
	"slice":      func(g *guarded) { g.replace("margin: 0.2, min_n: 50", "margin: 0.9, min_n: 5000") },
	"seed":       func(g *guarded) { g.replace("seeds: [1]", "seeds: [2]") },
	"confidence": func(g *guarded) { g.config += "confidence: 0.51\n" },
	"group":      func(g *guarded) { g.replace("  id: id\n", "  id: id\n  group: day\n") },
	"weight":     func(g *guarded) { g.replace("  id: id\n", "  id: id\n  weight: weight\n") },
	"positive":   func(g *guarded) { g.replace(`positive: "1"`, `positive: "0"`) },
	"everything easier": func(g *guarded) {
		g.replace("margin: 0.05", "margin: 0.5")
		g.replace("floor: 0.6", "floor: 0.01")
		g.replace("margin: 0.2, min_n: 50", "margin: 0.9, min_n: 5000")
	},
}

func (g *guarded) replace(old, new string) { g.config = strings.ReplaceAll(g.config, old, new) }

func addColumn(g *guarded, name string) {
	for _, table := range []*grid{&g.train, &g.eval} {
		table.header = append(table.header, name)
		for i := range table.rows {
			table.rows[i] = append(table.rows[i], "0.5")
		}
	}
}

func dropColumn(g *grid, name string) {
	at := g.at(name)
	g.header = slices.Delete(g.header, at, at+1)
	for i := range g.rows {
		g.rows[i] = slices.Delete(g.rows[i], at, at+1)
	}
}

// No edit of the exam, alone or together with the one that makes everything
// easier, turns a model that fails production's exam into a promotion: not even
// a person can accept it, as long as the old question can be answered.
func TestNoEditOfTheExamPromotes(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each edit")
	}
	t.Parallel()
	g, r := promoted(t)
	production := deployed(t, r)
	for name, edit := range edits {
		for _, with := range []string{"", "everything easier"} {
			// What alters the config alone is part of what makes everything easier.
			var probe guarded
			probe.config, probe.train, probe.eval = guardedConfig, drawn(1, 300), drawn(2, 800)
			edit(&probe)
			if with != "" && probe.config != guardedConfig {
				continue
			}
			t.Run(strings.TrimSpace(name+" "+with), func(t *testing.T) {
				t.Parallel()
				c := copied(t, r)
				change := g
				change.train, change.eval = g.train.clone(), g.eval.clone()
				change.model = model("a", -2) // as wrong as production is right
				edit(&change)
				if with != "" {
					edits[with](&change)
				}
				files := change.files()
				if strings.Contains(change.config, "other.csv") {
					files["data/other.csv"] = files["data/eval.csv"]
					delete(files, "data/eval.csv")
					c.Git("rm", "--quiet", "data/eval.csv")
				}
				c.Commit("a worse model", files)
				// The acknowledgement only ever opens a way, so without it there is none
				// either.
				out, err := run(t.Context(), t, c, pipeline.Request{Promote: true, AcknowledgeExam: true})
				if err == nil {
					assert.NotEqual(t, verdict.Pass, out.Verdict)
					require.NotNil(t, out.Promotion)
					assert.Equal(t, promote.Skipped, out.Promotion.Operation)
				}
				assert.Empty(t, c.Git("branch", "--list", "dosirak/*"))
				assert.Equal(t, production, deployed(t, c))
			})
		}
	}
}

// A team moves on: what an honest change needs of the exam has a way that ends
// in a promotion, with the acknowledgement of a person.
func TestTheExamMovesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	g, r := promoted(t)
	better := model("a b c", 2, 1, 0)
	for name, c := range map[string]struct {
		model    []byte
		change   func(g *guarded)
		old      verdict.Verdict // by production's exam
		verdict  verdict.Verdict
		accepted verdict.Verdict // what the manifest records
		next     string
	}{
		"a model with one more column": {better, func(g *guarded) { addColumn(g, "c") }, verdict.Pass, verdict.Pass, verdict.Pass, "look at the changes"},
		"new rows in place":            {model("a b", 2, 1), func(g *guarded) { g.eval = drawn(5, 800) }, verdict.Pass, verdict.Pass, verdict.Pass, "look at the changes"},
		"rows added, a column more that the model does not need": {model("a b", 2, 1), func(g *guarded) {
			g.eval.rows = append(g.eval.rows, drawn(6, 100).rows...)
			addColumn(g, "c")
		}, verdict.Pass, verdict.Pass, verdict.Pass, "look at the changes"},
		"new rows and a model with a new column": {better, func(g *guarded) {
			g.eval = drawn(7, 800)
			addColumn(g, "c")
		}, verdict.Inconclusive, verdict.Inconclusive, verdict.Inconclusive, "cannot be answered any more"},
		"the same model by a new exam": {model("a", 2), func(g *guarded) { g.replace("margin: 0.05", "margin: 0.04") }, verdict.Pass, verdict.Pass, verdict.Pass, "hold it by the changed exam"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo := copied(t, r)
			change := g
			change.train, change.eval, change.model = g.train.clone(), g.eval.clone(), c.model
			c.change(&change)
			repo.Commit(name, change.files())

			out, err := run(t.Context(), t, repo, pipeline.Request{})
			require.NoError(t, err)
			assert.Equal(t, c.verdict, out.Verdict)
			require.NotNil(t, out.Report.ExamChanged())
			assert.Equal(t, c.old, out.Report.ExamChanged().Verdict, "%s", out.Report.ExamChanged().Reason)
			next := out.Report.Next()
			require.NotEmpty(t, next)
			assert.Contains(t, next[len(next)-1].Text, c.next)
			assert.Contains(t, next[len(next)-1].Command, "--acknowledge-exam")

			_, err = run(t.Context(), t, repo, pipeline.Request{Promote: true})
			if c.verdict == verdict.Pass {
				require.ErrorContains(t, err, "--acknowledge-exam")
				assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			}
			out, err = run(t.Context(), t, repo, pipeline.Request{Promote: true, AcknowledgeExam: true})
			require.NoError(t, err)
			require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
			repo.Git("merge", "--quiet", "--no-edit", "dosirak/promote/guarded/production")
			m, err := readManifest(filepath.Join(repo.Dir, "deploy/production.yaml"))
			require.NoError(t, err)
			require.NotNil(t, m.Accepted)
			assert.Equal(t, c.accepted, m.Accepted.Verdict)
			assert.Equal(t, verdict.Pass, m.Verdict)

			// From here on the new exam is production's, and asks nothing of anybody.
			out, err = run(t.Context(), t, repo, pipeline.Request{Promote: true})
			require.NoError(t, err)
			assert.True(t, out.Unchanged)
			assert.Nil(t, out.Report.ExamChanged())
			assert.Equal(t, promote.Skipped, out.Promotion.Operation)
			assert.Equal(t, report.Today, out.Report.Exams[0].Role)
		})
	}
}

// What was rolled back from is not proposed again by itself: the base branch
// trains the very same model after a revert.
func TestAfterARollback(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line several times")
	}
	t.Parallel()
	g, r := promoted(t)
	change := g
	change.model = model("a b", 2, 1)
	r.Commit("another model", change.files())
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation)
	r.Git("merge", "--quiet", "--no-ff", "--no-edit", "dosirak/promote/guarded/production")
	r.Git("branch", "--quiet", "-D", "dosirak/promote/guarded/production")
	r.Git("revert", "--no-edit", "-m", "1", "HEAD")

	out, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, out.Verdict)
	require.Equal(t, promote.Skipped, out.Promotion.Operation)
	assert.Contains(t, out.Promotion.Reason, "--again")
	assert.Empty(t, r.Git("branch", "--list", "dosirak/*"))

	out, err = run(t.Context(), t, r, pipeline.Request{Promote: true, Again: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
	r.Git("merge", "--quiet", "--no-ff", "--no-edit", "dosirak/promote/guarded/production")
	out, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.True(t, out.Unchanged)
}

// listener keeps what a run says, and which steps had begun by then.
type listener struct {
	pipeline.Silent
	said  *[]string
	steps *[]string
}

func (l listener) Start(step, _ string) { *l.steps = append(*l.steps, step) }
func (l listener) Log(text string) {
	*l.said = append(*l.said, fmt.Sprintf("after %d steps: %s", len(*l.steps), text))
}

// Gates that these rows cannot hold are named before anything is trained.
func TestPowerIsSaidBeforeTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	g, r := promoted(t)
	g.replace("margin: 0.05", "margin: 0.002")
	g.model = model("a b", 2, 1)
	r.Commit("narrow margins", g.files())
	var said, steps []string
	out, err := watched(t.Context(), t, r, listener{said: &said, steps: &steps}, pipeline.Request{})
	require.NoError(t, err)
	require.NotEmpty(t, said)
	assert.Contains(t, strings.Join(said, "\n"), "after 0 steps: 2 gates at these margins: an unchanged model passes")
	assert.NotNil(t, out.Report.Baseline)
}

// The model in production is the same model when it is sealed by a later
// release or with other golden rows: nothing is judged, and nothing proposed.
func TestTheSameModelInAnotherWrapping(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line twice")
	}
	t.Parallel()
	g, r := promoted(t)
	g.config += "serve:\n  golden: {rows: 7}\n"
	r.Commit("fewer golden rows", g.files())
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.True(t, out.Unchanged)
	assert.Equal(t, verdict.Pass, out.Verdict)
	assert.Equal(t, promote.Skipped, out.Promotion.Operation)
	assert.Equal(t, deployed(t, r), string(out.Report.Candidate.Bundle))
}
