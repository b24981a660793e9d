package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// Data that are not in Git: fetched by train itself, locked, and a source that
// changed.
func TestFetch(t *testing.T) {
	t.Parallel()
	bucket := gittest.Repository{T: t, Dir: t.TempDir()}
	bucket.Write(map[string]string{"train.csv": "x,y\n1,0\n2,1\n", "eval.csv": "x,y\n3,0\n4,1\n"})
	model, err := os.ReadFile("../../model-server/server/testdata/linear.onnx")
	require.NoError(t, err)
	r := gittest.New(t, map[string]string{
		"linear.onnx": string(model), ".gitignore": "data/\n",
		"dosirak.yaml": `version: 1
model: fetched
task: binary
train: {command: 'cp linear.onnx {out}/model.onnx && test -s {data} && test ! -e data/eval.csv && : {seed}', seeds: [1], inputs: [linear.onnx], reproduce: off}
data: {train: data/train.csv, eval: data/eval.csv, label: y, positive: "1", fetch: 'mkdir -p data && cp "` + bucket.Dir + `"/*.csv data/'}
metrics: [{name: accuracy, floor: 0.1}]
`,
	})
	do := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), newRootCommand(), append(args, "-C", r.Dir), &out, &errs)
		return code, out.String(), errs.String()
	}
	code, _, errs := do("train")
	require.Equal(t, 0, code, errs)
	assert.Contains(t, errs, "data.fetch wrote dosirak.lock")
	code, out, errs := do("fetch")
	require.Equal(t, 0, code, errs)
	assert.Regexp(t, `^data/eval.csv  sha256:[0-9a-f]{64}  12 B\ndata/train.csv  sha256:[0-9a-f]{64}  12 B\n$`, out)
	r.Commit("the lock", nil)

	bucket.Write(map[string]string{"eval.csv": "x,y\n3,0\n4,0\n"})
	require.NoError(t, os.Remove(filepath.Join(r.Dir, "data", "eval.csv")))
	code, _, errs = do("train")
	assert.Equal(t, fault.CodeUsage, code)
	assert.Contains(t, errs, "data.fetch brought data/eval.csv with sha256:")
	assert.Contains(t, errs, "E0310")
	code, out, errs = do("fetch", "--update")
	require.Equal(t, 0, code, errs)
	assert.True(t, strings.HasSuffix(out, "dosirak.lock was written: commit it\n"), out)
	code, _, errs = do("train")
	require.Equal(t, 0, code, errs)

	r.Commit("no fetch", map[string]string{"dosirak.yaml": strings.Replace(r.Git("show", "HEAD:dosirak.yaml"), "fetch:", "id:", 1)})
	code, _, errs = do("fetch")
	assert.Equal(t, fault.CodeUsage, code)
	assert.Contains(t, errs, "the config has no data.fetch")
}
