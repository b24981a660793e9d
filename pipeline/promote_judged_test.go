package pipeline_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/local"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// proposeRun promotes a run of the project in r by its name.
func proposeRun(ctx context.Context, t *testing.T, r gittest.Repository, config string, asked pipeline.Request, name string) (pipeline.Outcome, error) {
	t.Helper()
	p, err := project.Open(ctx, r.Dir, config)
	require.NoError(t, err)
	env := pipeline.Env{Now: time.Now, Release: "another release", Observer: pipeline.Silent{}}
	if p.Repo != nil {
		env.Forge = &local.Forge{Repo: p.Repo}
	}
	return pipeline.Promote(ctx, p, env, asked, name)
}

// contents are the digests of all files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = digest.Of(data)
		return err
	}))
	return files
}

// A run is promoted as what it was, or refused with what has moved; nothing of
// it is written either way.
func TestPromoteIsOfTheRun(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each row")
	}
	t.Parallel()
	const variant = "task: binary"
	write := func(name, text string) func(*testing.T, gittest.Repository) {
		return func(t *testing.T, r gittest.Repository) { r.Write(map[string]string{name: text}) }
	}
	commit := func(name, text string) func(*testing.T, gittest.Repository) {
		return func(t *testing.T, r gittest.Repository) { r.Commit("later", map[string]string{name: text}) }
	}
	appended := func(t *testing.T, r gittest.Repository, name, text string) {
		t.Helper()
		was, err := os.ReadFile(filepath.Join(r.Dir, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(r.Dir, name), append(was, text...), 0o644))
	}
	for _, tt := range []struct {
		name  string
		moves func(t *testing.T, r gittest.Repository)
		asked pipeline.Request
		says  []string // empty: it is proposed
	}{
		{"nothing", func(*testing.T, gittest.Repository) {}, pipeline.Request{}, nil},
		{"words", commit("NOTES.md", "x\n"), pipeline.Request{}, nil},
		{"words that are not committed", write("NOTES.md", "x\n"), pipeline.Request{}, nil},
		{"a commit of the trainer", commit("models/1.onnx", "other"), pipeline.Request{}, []string{"moved on", "models/1.onnx was changed", "run again"}},
		{"an edit of the trainer", write("models/1.onnx", "other"), pipeline.Request{}, []string{"models/1.onnx was changed"}},
		{"a new input", write("models/3.onnx", "other"), pipeline.Request{}, []string{"models/3.onnx is new"}},
		{"an input that went", func(t *testing.T, r gittest.Repository) { r.Git("rm", "-q", "models/2.onnx") }, pipeline.Request{}, []string{"models/2.onnx is gone"}},
		{"training data", func(t *testing.T, r gittest.Repository) { appended(t, r, "data/train.csv", "\n") }, pipeline.Request{}, []string{"data/train.csv was changed"}},
		{"evaluation data", func(t *testing.T, r gittest.Repository) {
			rows := strings.SplitAfter(projecttest.EvalRows(t), "\n")
			r.Commit("fewer rows", map[string]string{"data/eval.csv": strings.Join(rows[:len(rows)-2], "")})
		}, pipeline.Request{}, []string{"data/eval.csv was changed"}},
		{"the config", func(t *testing.T, r gittest.Repository) {
			r.Commit("margin", map[string]string{"dosirak.yaml": strings.Replace(projecttest.MiniConfig, "margin: 0.3, floor: 0.5", "margin: 0.4, floor: 0.4", 1)})
		}, pipeline.Request{}, []string{"dosirak.yaml was changed"}},
		{"another environment", func(*testing.T, gittest.Repository) {}, pipeline.Request{Environment: "mars"}, []string{`"mars"`}},
		{"a file of the run", func(t *testing.T, r gittest.Repository) {
			files, err := filepath.Glob(filepath.Join(r.Dir, store.Folder, "runs/*/predictions/candidate.csv"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.NoError(t, os.WriteFile(files[0], []byte("id\n"), 0o644))
		}, pipeline.Request{}, []string{"evaluate", "were changed or removed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			r.Commit("variant", map[string]string{"other.yaml": strings.Replace(projecttest.MiniConfig, variant, variant+" # a variant", 1)})
			first, err := run(t.Context(), t, r, pipeline.Request{})
			require.NoError(t, err)
			trained := r.Git("rev-parse", "HEAD")
			tt.moves(t, r)
			before := contents(t, first.Dir)
			out, err := proposeRun(t.Context(), t, r, "", tt.asked, first.Run)
			assert.Equal(t, before, contents(t, first.Dir), "nothing of the run is written")
			branches := r.Git("branch", "--list", "dosirak/*")
			if len(tt.says) > 0 {
				require.Error(t, err)
				assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
				for _, text := range tt.says {
					assert.Contains(t, err.Error(), text)
				}
				assert.Empty(t, branches, "nothing is proposed")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, promote.Created, out.Promotion.Operation)
			assert.Equal(t, first.Report, out.Report)
			message := r.Git("log", "-1", "--format=%b", out.Promotion.Branch)
			assert.Contains(t, message, "Dosirak-Bundle: "+string(first.Report.Candidate.Bundle))
			assert.Contains(t, message, trained, "the commit that was trained")
		})
	}
}

// Where an improvement is asked for, floors let the first model in; the next one
// has to be better.
func TestFirstModelWhereImprovementIsAsked(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Commit("improved", map[string]string{"dosirak.yaml": projecttest.MiniConfig + "promote: {when: improved}\n"})
	out, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.Equal(t, promote.Created, out.Promotion.Operation, out.Promotion.Reason)
	r.Git("merge", "--quiet", "--no-edit", out.Promotion.Branch)

	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	r.Commit("another model", map[string]string{"models/1.onnx": string(two)})
	out, err = run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	assert.Equal(t, promote.Skipped, out.Promotion.Operation)
	assert.Contains(t, out.Promotion.Reason, "promote.when asks for an improvement")
}

// Whatever else a run is not ready for is said, with the way out.
func TestPromoteRefusesARun(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line")
	}
	t.Parallel()
	r := projecttest.Mini(t)
	r.Commit("variant", map[string]string{"other.yaml": projecttest.MiniConfig})
	_, err := proposeRun(t.Context(), t, r, "", pipeline.Request{}, "latest")
	assert.ErrorContains(t, err, "there is no run")

	r.Write(map[string]string{"NOTES.md": "not committed"})
	dirty, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	r.Git("add", "--all")
	r.Commit("notes", nil)
	_, err = proposeRun(t.Context(), t, r, "", pipeline.Request{}, dirty.Run)
	assert.ErrorContains(t, err, "changes that were not committed")

	clean, err := run(t.Context(), t, r, pipeline.Request{})
	require.NoError(t, err)
	_, err = proposeRun(t.Context(), t, r, "other.yaml", pipeline.Request{}, clean.Run)
	assert.ErrorContains(t, err, "is of dosirak.yaml, not of other.yaml")
	of, err := pipeline.RecordedConfig(r.Dir, clean.Run)
	require.NoError(t, err)
	assert.Equal(t, "dosirak.yaml", of)

	// Going on with it would make it another run.
	before := contents(t, clean.Dir)
	_, err = run(t.Context(), t, r, pipeline.Request{Resume: clean.Run})
	assert.ErrorContains(t, err, "has come to its verdict")
	assert.Equal(t, before, contents(t, clean.Dir))

	// What production runs decides too.
	out, err := proposeRun(t.Context(), t, r, "", pipeline.Request{}, clean.Run)
	require.NoError(t, err)
	r.Git("merge", "--quiet", "--no-edit", out.Promotion.Branch)
	out, err = proposeRun(t.Context(), t, r, "", pipeline.Request{}, clean.Run)
	require.NoError(t, err)
	assert.True(t, out.Unchanged)
	assert.Equal(t, promote.Skipped, out.Promotion.Operation)

	two, err := os.ReadFile(filepath.Join(r.Dir, "models/2.onnx"))
	require.NoError(t, err)
	one, err := os.ReadFile(filepath.Join(r.Dir, "models/1.onnx"))
	require.NoError(t, err)
	r.Commit("another model", map[string]string{"models/1.onnx": string(two)})
	next, err := run(t.Context(), t, r, pipeline.Request{Promote: true})
	require.NoError(t, err)
	require.NotNil(t, next.Promotion)
	r.Git("merge", "--quiet", "--no-edit", next.Promotion.Branch)
	r.Commit("back", map[string]string{"models/1.onnx": string(one)})
	_, err = proposeRun(t.Context(), t, r, "", pipeline.Request{}, clean.Run)
	assert.ErrorContains(t, err, "and ran nothing then")
}
