package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/projecttest"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
)

// What is wrong with the data is said before anything is trained, in either
// table, with file, line and column, or with what the file is.
func TestBadDataBeforeTraining(t *testing.T) {
	t.Parallel()
	config := func(old, replacement string) func(*testing.T, gittest.Repository) {
		return func(t *testing.T, r gittest.Repository) { edit(t, r, "dosirak.yaml", old, replacement) }
	}
	file := func(name, content string) func(*testing.T, gittest.Repository) {
		return func(_ *testing.T, r gittest.Repository) { r.Write(map[string]string{name: content}) }
	}
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("7", 64) + "\nsize 8123\n"
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, r gittest.Repository)
		says  []string
	}{
		{"training data is a pointer", file("data/train.csv", pointer), []string{"data/train.csv", "Git LFS pointer", "git lfs pull", "E0202"}},
		{"evaluation data is a pointer", file("data/eval.csv", pointer), []string{"data/eval.csv", "Git LFS pointer"}},
		{"training data is a page", file("data/train.csv", "<!DOCTYPE html><html><title>Sign in</title></html>"), []string{"data/train.csv", "HTML page"}},
		{"training data is an error", file("data/train.csv", `{"message": "Bad credentials"}`), []string{"data/train.csv", "JSON"}},
		{"both are bad", func(_ *testing.T, r gittest.Repository) {
			r.Write(map[string]string{"data/train.csv": pointer, "data/eval.csv": "<html><body>"})
		}, []string{"data/train.csv: it is a Git LFS pointer", "data/eval.csv: it is an HTML page"}},
		{"ragged training row", func(t *testing.T, r gittest.Repository) { edit(t, r, "data/train.csv", "\n", "\nx,y\n") }, []string{"data/train.csv:2", "row has 2 fields"}},
		{"two separators", file("data/train.csv", "delayed, x;hour, y\n0,5;1,5\n"), []string{"data/train.csv:1", `by "," or by ";"`, "data.separator", "E0204"}},
		{"a separator that is none", config("  train: data", "  separator: ';;'\n  train: data"), []string{"data.separator", "one character"}},
		{"positive that no row has", config(`positive: "1"`, "positive: 2"), []string{`data.positive is "2"`, `"0", "1"`, "E0207"}},
		{"a slice of nothing", func(t *testing.T, r gittest.Repository) {
			edit(t, r, "dosirak.yaml", "metrics:", "slices: [{column: airline, metric: accuracy, margin: 0.1}]\nmetrics:")
		}, []string{`no column "airline"`}},
		{"weight in letters", config("  id: id", "  id: id\n  weight: carrier"), []string{"data/eval.csv:2", `column "carrier"`, "is no finite number"}},
		{"all at once", func(t *testing.T, r gittest.Repository) {
			edit(t, r, "dosirak.yaml", `positive: "1"`, "positive: maybe\n  group: customer\n  weight: heaviness\n  time: clock")
		}, []string{"problems:", `"customer"`, `"heaviness"`, `"clock"`, `data.positive is "maybe"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := projecttest.Mini(t)
			tt.spoil(t, r)
			r.Commit("spoil", nil)
			code, _, stderr := call(t, "run", "-C", r.Dir)
			assert.Equal(t, 2, code, stderr)
			for _, text := range tt.says {
				assert.Contains(t, stderr, text)
			}
			assert.NotRegexp(t, `(?m)^train +started`, stderr, "nothing was trained")
		})
	}
}

// The same rows in every form that is read give the same predictions.
func TestEvaluateReadsEveryForm(t *testing.T) {
	t.Parallel()
	r := projecttest.Mini(t)
	out := func(name string) string { return filepath.Join(t.TempDir(), name) }
	evaluate := func(table, to string) []byte {
		code, _, stderr := call(t, "evaluate", filepath.Join(r.Dir, "models/1.onnx"), "-C", r.Dir, "--data", table, "--out", to)
		require.Zero(t, code, stderr)
		text, err := os.ReadFile(to)
		require.NoError(t, err)
		return text
	}
	rows := projecttest.EvalRows(t)
	require.NotContains(t, rows, `"`)
	want := evaluate(filepath.Join(r.Dir, "data/eval.csv"), out("want.csv"))
	lines := strings.Split(strings.TrimSuffix(rows, "\n"), "\n")
	indexed := "," + lines[0] + "\n"
	for i, line := range lines[1:] {
		indexed += string(rune('0'+i%10)) + "," + line + "\n"
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(strings.ReplaceAll(rows, ",", "\t")))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, content := range map[string]string{
		"semicolons.csv": strings.ReplaceAll(rows, ",", ";"), "tabs.tsv": strings.ReplaceAll(rows, ",", "\t"), "tabs.tsv.gz": packed.String(), "bars.csv": strings.ReplaceAll(rows, ",", "|"),
		"crlf.csv": "\ufeff" + strings.ReplaceAll(rows, "\n", "\r\n"), "index.csv": indexed,
	} {
		table := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(table, []byte(content), 0o600))
		assert.True(t, bytes.Equal(want, evaluate(table, out("p.csv"))), name)
	}
}

// An AUC needs scores and no predicted class.
func TestMetricsOfScoresAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.csv")
	require.NoError(t, os.WriteFile(path, []byte("id,label,p_0\na,False,0.75\nb,True,0.25\nc,False,0.5\nd,True,0.5\n"), 0o600))
	code, stdout, stderr := call(t, "metrics", "--task", "binary", "--predictions", path, "--json")
	require.Zero(t, code, stderr)
	var got struct {
		Metrics   map[string]*float64
		Undefined map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.NotNil(t, got.Metrics["roc_auc"])
	assert.InDelta(t, 0.875, *got.Metrics["roc_auc"], 1e-12)
	assert.Nil(t, got.Metrics["accuracy"])
	assert.Equal(t, "there is no column prediction", got.Undefined["accuracy"])
}
