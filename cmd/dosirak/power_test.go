package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
)

// answersOf is a file of predictions of a model of some noise.
func answersOf(n, salt int) string {
	var b strings.Builder
	b.WriteString("id,label,prediction,score\n")
	for i := range n {
		// Two hashes of the row: what it is, and what the model sees of it.
		z := float64(i*7919%1009) / 1009
		noise := float64((i*104729+salt*1299709)%997) / 997
		label := 0
		if z+float64(i*15485863%541)/541 > 1 {
			label = 1
		}
		score := 0.05 + 0.8*z + 0.1*noise
		prediction := 0
		if score > 0.5 {
			prediction = 1
		}
		fmt.Fprintf(&b, "%d,%d,%d,%.6f\n", i, label, prediction, score)
	}
	return b.String()
}

func TestPowerCommand(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{
		"a.csv": answersOf(600, 1), "b.csv": answersOf(600, 2), "short.csv": answersOf(500, 1),
		"dosirak.yaml": "task: binary\nmetrics:\n- {name: roc_auc, direction: higher, margin: 0.01}\n- {name: log_loss, direction: lower, margin: 2%}\n",
	})
	run := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		full := []string{"power", "--config", filepath.Join(dir, "dosirak.yaml")}
		for _, a := range args {
			if strings.HasSuffix(a, ".csv") {
				a = filepath.Join(dir, a)
			}
			full = append(full, a)
		}
		code := execute(t.Context(), newRootCommand(), full, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	code, stdout, stderr := run("--predictions", "a.csv", "--replicate", "b.csv", "--json")
	require.Zero(t, code, stderr)
	var p compare.Power
	require.NoError(t, json.Unmarshal([]byte(stdout), &p))
	assert.Equal(t, 600, p.N)
	assert.Len(t, p.Metrics, 2)
	assert.Len(t, p.All, 3)
	code, stdout, stderr = run("--predictions", "a.csv")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "mde at 600 rows  mde at 1200 rows  mde at 3000 rows")
	assert.Contains(t, stdout, "2 gates at these margins: an unchanged model passes")
	for _, args := range [][]string{nil, {"--predictions", "none.csv"}, {"--predictions", "a.csv", "--replicate", "short.csv"}} {
		code, _, stderr := run(args...)
		assert.Equal(t, 2, code, "%v", args)
		assert.NotEmpty(t, stderr)
	}
}

// Every metric stands with the bounds of its value, or with why it has none.
func TestMetricsHaveIntervals(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{"a.csv": answersOf(600, 1), "few.csv": answersOf(12, 1)})
	run := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		require.Zero(t, execute(t.Context(), newRootCommand(), append([]string{"metrics", "--task", "binary", "--predictions"}, args...), &stdout, &stderr), stderr.String())
		return stdout.String()
	}
	var obj metricsObject
	require.NoError(t, json.Unmarshal([]byte(run(filepath.Join(dir, "a.csv"), "--json")), &obj))
	for name, v := range obj.Metrics {
		require.NotNil(t, v, name)
		if ci := obj.Intervals[name]; ci != nil {
			assert.Less(t, *ci.Low, *v, name)
			assert.Greater(t, *ci.High, *v, name)
			assert.Equal(t, 0.95, ci.Confidence)
		} else {
			assert.NotEmpty(t, obj.Unbounded[name], name)
		}
	}
	text := run(filepath.Join(dir, "a.csv"))
	assert.Contains(t, text, " .. ")
	assert.Contains(t, text, "Each bound holds with 95 % confidence, so that low .. high is a 90 % interval.")
	assert.Contains(t, run(filepath.Join(dir, "few.csv")), "no interval: 12 rows, and fewer than 30 tell too little of f1")
}
