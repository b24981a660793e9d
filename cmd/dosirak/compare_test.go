package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// predictionsText returns n rows of a binary task, with the same labels for
// every seed and a share of wrong predictions.
func predictionsText(n int, wrong float64, seed uint64) string {
	rows, own := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("id,label,prediction,score,region\n")
	for i := range n {
		label, region := rows.IntN(2), rows.IntN(3)
		pred := label
		if own.Float64() < wrong {
			pred = 1 - label
		}
		fmt.Fprintf(&b, "%d,%d,%d,%.4f,r%d\n", i, label, pred, 0.2+0.6*float64(pred)+0.1*own.Float64(), region)
	}
	return b.String()
}

const compareConfig = `version: 1
task: binary
metrics:
  - {name: accuracy, direction: higher, margin: 0.03, primary: true, floor: 0.5}
  - {name: roc_auc, direction: higher, margin: 5%}
  - {name: ece}
slices:
  - {column: region, metric: accuracy, margin: 0.1}
  - {name: first, where: "region = 'r0'", metric: accuracy, margin: 0.1, mode: gate}
confidence: 0.95
`

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestCompareCommand(t *testing.T) {
	t.Parallel()
	const n = 3000
	dir := writeFiles(t, map[string]string{
		"config.yaml":  compareConfig,
		"base.csv":     predictionsText(n, 0.10, 2),
		"same.csv":     predictionsText(n, 0.10, 3),
		"worse.csv":    predictionsText(n, 0.30, 4),
		"few-base.csv": predictionsText(100, 0.10, 3),
		"few.csv":      predictionsText(100, 0.10, 2),
		"labels.csv":   flipFirstLabel(predictionsText(n, 0.10, 3)),
		"nan.csv":      strings.Replace(predictionsText(n, 0.10, 3), ",0.2", ",NaN0.2", 1),
		"margin.yaml":  strings.Replace(compareConfig, "{name: ece}", "{name: ece, direction: lower, margin: 0.1}", 1),
		"task.yaml":    strings.Replace(compareConfig, "task: binary", "task: ternary", 1),
	})
	for _, c := range []struct {
		name, candidate, baseline, config string
		code                              int
		want                              string
	}{
		{"pass", "same.csv", "base.csv", "config.yaml", 0, "PASS"},
		{"fail", "worse.csv", "base.csv", "config.yaml", 1, "FAIL"},
		{"inconclusive", "few.csv", "few-base.csv", "config.yaml", 3, "INCONCLUSIVE"},
		{"other rows", "few.csv", "base.csv", "config.yaml", 2, "both files must hold the same rows"},
		{"labels disagree", "labels.csv", "base.csv", "config.yaml", 2, `row 1 (id "0"), column "label"`},
		{"not a number", "nan.csv", "base.csv", "config.yaml", 2, `column "score"`},
		{"no file", "none.csv", "base.csv", "config.yaml", 2, "none.csv"},
		{"report-only metric", "same.csv", "base.csv", "margin.yaml", 2, "ece"},
		{"unknown task", "same.csv", "base.csv", "task.yaml", 2, "ternary"},
		{"no config", "same.csv", "base.csv", "none.yaml", 2, "none.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"compare", "--candidate", filepath.Join(dir, c.candidate), "--baseline", filepath.Join(dir, c.baseline),
				"--config", filepath.Join(dir, c.config)}
			var stdout, stderr bytes.Buffer
			code := execute(t.Context(), newRootCommand(), append(args, "--json"), &stdout, &stderr)
			assert.Equal(t, c.code, code, stderr.String())
			if code == 2 {
				assert.Contains(t, stderr.String(), c.want)
				var failed struct {
					Error struct{ Code, Message string }
				}
				require.NoError(t, json.Unmarshal(stdout.Bytes(), &failed), "nothing but the object goes to stdout")
				assert.Contains(t, failed.Error.Message, c.want)
				return
			}
			var obj map[string]any
			require.NoError(t, json.Unmarshal(stdout.Bytes(), &obj))
			assert.Equal(t, c.want, obj["verdict"])
			stdout.Reset()
			assert.Equal(t, c.code, execute(t.Context(), newRootCommand(), args, &stdout, &stderr))
			assert.Contains(t, stdout.String(), "["+c.want+"]")
			for _, format := range []string{"markdown", "html"} {
				stdout.Reset()
				assert.Equal(t, c.code, execute(t.Context(), newRootCommand(), append(args, "--format", format), &stdout, &stderr))
				assert.Contains(t, stdout.String(), c.want, format)
			}
		})
	}
}

func TestMetricsCommand(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"p.csv":   "id,label,prediction,score\n1,0,0,0.2\n2,1,1,0.7\n3,1,0,0.4\n",
		"one.csv": "id,label,prediction,score\n1,0,0,0.2\n",
		"r.csv":   "id,label,prediction\n1,0,0.5\n2,2,1\n",
	})
	run := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), newRootCommand(), append([]string{"metrics"}, args...), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	code, stdout, stderr := run("--task", "binary", "--predictions", filepath.Join(dir, "p.csv"), "--json")
	require.Zero(t, code, stderr)
	var obj struct {
		N         int
		Metrics   map[string]*float64
		Undefined map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &obj))
	assert.Equal(t, 3, obj.N)
	assert.InDelta(t, 2.0/3, *obj.Metrics["accuracy"], 1e-12)
	assert.InDelta(t, 1.0, *obj.Metrics["roc_auc"], 1e-12)
	code, stdout, _ = run("--task", "binary", "--predictions", filepath.Join(dir, "one.csv"), "--json")
	require.Zero(t, code)
	require.NoError(t, json.Unmarshal([]byte(stdout), &obj))
	assert.Nil(t, obj.Metrics["roc_auc"])
	assert.Equal(t, "no row is positive", obj.Undefined["roc_auc"])
	code, stdout, _ = run("--task", "regression", "--predictions", filepath.Join(dir, "r.csv"))
	require.Zero(t, code)
	assert.Contains(t, stdout, "mape")
	assert.Contains(t, stdout, "undefined: a target is 0")
	for _, args := range [][]string{{"--task", "x", "--predictions", "p.csv"}, {"--task", "binary"}, {"--task", "binary", "--predictions", "none.csv"}} {
		code, _, stderr := run(args...)
		assert.Equal(t, 2, code)
		assert.NotEmpty(t, stderr)
	}
}

// flipFirstLabel changes the label of the row with id 0.
func flipFirstLabel(text string) string {
	if strings.Contains(text, "\n0,1,") {
		return strings.Replace(text, "\n0,1,", "\n0,0,", 1)
	}
	return strings.Replace(text, "\n0,0,", "\n0,1,", 1)
}

// A custom metric is a command that prints one number per row.
func TestCompareCustomMetric(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"config.yaml": `version: 1
task: binary
metrics:
  - name: cost
    direction: lower
    margin: 0.1
    command: "awk -F, 'NR > 1 {print ($2 == $3) ? 0 : 5 - 4*$2}' {predictions}"
`,
		"base.csv": predictionsText(3000, 0.10, 2),
		"cand.csv": predictionsText(3000, 0.30, 3),
	})
	run := func(candidate string) (int, string) {
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), newRootCommand(), []string{"compare", "--candidate", filepath.Join(dir, candidate),
			"--baseline", filepath.Join(dir, "base.csv"), "--config", filepath.Join(dir, "config.yaml"), "--json"}, &stdout, &stderr)
		return code, stdout.String() + stderr.String()
	}
	code, out := run("cand.csv")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, `"method": "paired t`)
	code, out = run("base.csv")
	assert.Equal(t, 0, code, out)
}
