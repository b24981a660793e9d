package main

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// Each bad input ends with the documented exit code and a message that names
// the thing and the way out. What each room refuses by itself has a table of
// its own beside it.
func TestBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each row")
	}
	t.Parallel()
	config := func(old, replacement string) func(*testing.T, gittest.Repository) {
		return func(t *testing.T, r gittest.Repository) { edit(t, r, "dosirak.yaml", old, replacement) }
	}
	trainer := func(command string) func(*testing.T, gittest.Repository) {
		return config("cp models/{seed}.onnx {out}/model.onnx", command)
	}
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, r gittest.Repository)
		args  []string
		code  int
		says  []string
	}{
		{"unknown key", config("task: binary", "task: binary\ncolour: blue"), nil, 2, []string{"dosirak.yaml:4:1", "colour"}},
		{"misspelt key", config("seeds:", "seds:"), nil, 2, []string{"seds", `did you mean "seeds"`}},
		{"many problems at once", config("task: binary", "task: binry\nmodle: x"), nil, 2, []string{"binry", "modle"}},
		{"no config", func(t *testing.T, r gittest.Repository) { r.Git("rm", "-q", "dosirak.yaml") }, nil, 2, []string{"there is no dosirak.yaml", "-C"}},
		{"no such folder", func(*testing.T, gittest.Repository) {}, []string{"-C", "nowhere"}, 2, []string{"nowhere is not a folder", "-C"}},
		{"no evaluation data", func(t *testing.T, r gittest.Repository) { r.Git("rm", "-q", "data/eval.csv") }, nil, 2, []string{"data/eval.csv"}},
		{"ragged row", func(t *testing.T, r gittest.Repository) { edit(t, r, "data/eval.csv", "\n", "\nx,y\n") }, nil, 2, []string{"eval.csv:2", "header has"}},
		{"no label column", config("label: delayed", "label: delaid"), nil, 2, []string{"delaid", `did you mean "delayed"`}},
		{"duplicate ids", duplicateID, nil, 2, []string{"id"}},
		{"a header and no rows", func(t *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"data/eval.csv": strings.SplitAfterN(projecttest.EvalRows(t), "\n", 2)[0]})
		}, nil, 2, []string{"eval.csv", "no rows"}},
		{"metric without its script", config("  - {name: accuracy,", "  - {name: own, direction: higher, command: sh metrics/gone.sh}\n  - {name: accuracy,"), nil, 2, []string{"metric own", "metrics/gone.sh", "(E0306)"}},
		{"margin that never fails", config("margin: 0.3}", "margin: 3}"), nil, 2, []string{"margin", "did you mean 3%", "(E0108)"}},
		{"trainer exits 1", trainer("echo no such module >&2; exit 1"), nil, 1, []string{"seed 1", "no such module"}},
		{"trainer hangs", func(t *testing.T, r gittest.Repository) {
			trainer("sleep 600")(t, r)
			config("timeout: 20s", "timeout: 1s")(t, r)
		}, nil, 1, []string{"1s", "timeout"}},
		{"trainer writes nothing", trainer("exit 0"), nil, 1, []string{"seed 1", "{out}"}},
		{"trainer writes two models", trainer("cp models/1.onnx {out}/a.onnx; cp models/2.onnx {out}/b.onnx"), nil, 1, []string{"a.onnx", "b.onnx"}},
		{"trainer writes an empty model", trainer("touch {out}/model.onnx"), nil, 1, []string{"model.onnx", "empty"}},
		{"trainer writes a broken model", trainer("head -c 100 models/1.onnx > {out}/model.onnx"), nil, 1, []string{"model.onnx"}},
		{"trainer writes a pickle", trainer(`printf '\200\004\225' > {out}/model.pkl`), nil, 1, []string{"pickle", "to_onnx"}},
		{"model wants a column that is not there", func(t *testing.T, r gittest.Repository) { edit(t, r, "data/eval.csv", "carrier", "airline") }, nil, 2, []string{"carrier"}},
		{"NaN scores", nanModel, nil, 1, []string{"NaN"}},
		{"manifest names a bundle that nobody has", func(t *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"deploy/production.yaml": manifestWithoutBundle})
		}, nil, 2, []string{"deploy/bundles/aaaaaaaaaaaa", "restore"}},
		{"manifest of another model", func(t *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"deploy/production.yaml": strings.ReplaceAll(manifestWithoutBundle, "flights-delay", "churn")})
		}, nil, 2, []string{`model "churn"`}},
		{"unknown environment", func(*testing.T, gittest.Repository) {}, []string{"--environment", "mars"}, 2, []string{`"mars"`, "production"}},
		{"unknown flag", func(*testing.T, gittest.Repository) {}, []string{"--colour"}, 2, []string{"--colour"}},
		{"no such run to resume", func(*testing.T, gittest.Repository) {}, []string{"--resume", "20200101-000000-abcdef"}, 2, []string{"there is no run", "dosirak run"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			tt.spoil(t, r)
			r.Commit("spoil", nil)
			args := append([]string{"run", "-C", r.Dir}, tt.args...)
			code, _, stderr := call(t, args...)
			assert.Equal(t, tt.code, code, stderr)
			for _, text := range tt.says {
				assert.Contains(t, stderr, text)
			}
			assert.NotContains(t, stderr, "goroutine", "no stack traces")

			code, stdout, stderr := call(t, "runs", "list", "-C", r.Dir)
			assert.Equal(t, 0, code, "the store stays readable: %s", stderr)
			assert.NotContains(t, stdout, "running", "nothing is left that looks alive")
		})
	}
}

func edit(t *testing.T, r gittest.Repository, name, old, replacement string) {
	t.Helper()
	path := filepath.Join(r.Dir, name)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), old, replacement, 1)), 0o644))
}

func duplicateID(t *testing.T, r gittest.Repository) {
	lines := strings.SplitAfter(projecttest.EvalRows(t), "\n")
	lines[2] = lines[1]
	r.Write(map[string]string{"data/eval.csv": strings.Join(lines, "")})
}

// nanModel makes the intercepts of both models NaN, as a training that
// diverged leaves them.
func nanModel(t *testing.T, r gittest.Repository) {
	for _, name := range []string{"models/1.onnx", "models/2.onnx"} {
		path := filepath.Join(r.Dir, name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		at := strings.Index(string(data), "intercepts")
		require.Positive(t, at)
		// AttributeProto.floats is field 7, packed: 0x3a, a length, all of them.
		values := data[at+len("intercepts"):]
		require.EqualValues(t, 0x3a, values[0])
		for i := range int(values[1]) / 4 {
			binary.LittleEndian.PutUint32(values[2+4*i:], math.Float32bits(float32(math.NaN())))
		}
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
}

var manifestWithoutBundle = `schema: dosirak/manifest/v1
model: flights-delay
environment: production
bundle: sha256:` + strings.Repeat("a", 64) + `
verdict: PASS
improved: false
metrics: []
exam: sha256:` + strings.Repeat("e", 64) + `
sources:
  bundle: deploy/bundles/aaaaaaaaaaaa
`

// Where Git is not as usual, a run records it and a promotion is refused with
// the way out.
func TestUnusualGit(t *testing.T) {
	if testing.Short() {
		t.Skip("walks the line for each row")
	}
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, r gittest.Repository) (dir string)
		run     int
		promote []string // what refusing says
	}{
		{"dirty tree", func(t *testing.T, r gittest.Repository) string {
			r.Write(map[string]string{"notes.txt": "x"})
			return r.Dir
		}, 0, []string{"clean work tree", "notes.txt", "commit or stash"}},
		{"no Git", func(t *testing.T, r gittest.Repository) string {
			require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, ".git")))
			return r.Dir
		}, 0, []string{"needs a Git repository", "without --promote"}},
		{"no commit", func(t *testing.T, r gittest.Repository) string {
			require.NoError(t, os.RemoveAll(filepath.Join(r.Dir, ".git")))
			r.Git("init", "--quiet", "--initial-branch=main")
			return r.Dir
		}, 0, []string{"needs a commit", "commit the project first"}},
		{"base branch of another name", func(t *testing.T, r gittest.Repository) string {
			r.Commit("base", map[string]string{"dosirak.yaml": projecttest.MiniConfig + "promote: {base: main}\n"})
			r.Git("branch", "--move", "trunk")
			return r.Dir
		}, 0, []string{`base branch "main" does not exist`, "promote.base"}},
		{"change that is not merged", func(t *testing.T, r gittest.Repository) string {
			r.Git("checkout", "--quiet", "-b", "feature")
			r.Commit("feature", map[string]string{"notes.txt": "x"})
			return r.Dir
		}, 0, []string{"is not on main", "merge the change first"}},
		{"bare repository", func(t *testing.T, r gittest.Repository) string {
			bare := filepath.Join(t.TempDir(), "bare.git")
			r.Git("clone", "--quiet", "--bare", r.Dir, bare)
			return bare
		}, 2, []string{"there is no dosirak.yaml", "bare repository"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tt.prepare(t, projecttest.Mini(t))
			code, _, stderr := call(t, "run", "-C", dir)
			assert.Equal(t, tt.run, code, stderr)
			code, _, stderr = call(t, "run", "-C", dir, "--promote")
			assert.Equal(t, 2, code, stderr)
			for _, text := range tt.promote {
				assert.Contains(t, stderr, text)
			}
		})
	}
	t.Run("detached HEAD", func(t *testing.T) {
		t.Parallel()
		r := projecttest.Mini(t)
		r.Git("checkout", "--quiet", "--detach")
		code, _, stderr := call(t, "run", "-C", r.Dir, "--promote")
		assert.Equal(t, 0, code, "a commit that main has can be promoted from anywhere: %s", stderr)
		assert.Empty(t, r.Git("branch", "--show-current"), "HEAD stays where it is")
	})
}
