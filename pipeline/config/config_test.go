package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	classification = []exam.Task{exam.Binary, exam.Multiclass}
	catalogue      = config.FakeCatalogue{
		"accuracy":     {Direction: exam.Higher, Tasks: classification},
		"roc_auc":      {Direction: exam.Higher, Tasks: []exam.Task{exam.Binary}},
		"log_loss":     {Direction: exam.Lower, Tasks: classification},
		"mcc":          {Direction: exam.Higher, Tasks: classification, MayBeNonPositive: true},
		"ece":          {Direction: exam.Lower, Tasks: classification, ReportOnly: true},
		"rmse":         {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}},
		"max_error":    {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}, ReportOnly: true},
		"pinball_0.9":  {Direction: exam.Lower, Tasks: []exam.Task{exam.Regression}},
		"top_3_hits.x": {Direction: exam.Higher, Tasks: []exam.Task{exam.Multiclass}},
	}
)

// A new case is two files: testdata/bad/name.yaml and name.golden.
func TestBad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, err = config.Parse("dosirak.yaml", data, catalogue)
			require.Error(t, err)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			var problems *config.Problems
			require.ErrorAs(t, err, &problems)
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, err2 := os.ReadFile(golden)
			require.NoError(t, err2)
			assert.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load("testdata/good/minimal.yaml", catalogue)
	require.NoError(t, err)
	assert.Equal(t, &config.Config{
		Version: 1, Model: "flights-delay", Mode: config.Gate, Task: exam.Binary,
		Train: config.Train{
			Command: "go run ./train --seed {seed} --data {data} --out {out}",
			Seeds:   []int64{1, 2, 3, 4, 5}, Parallel: 2, Timeout: config.Duration(30 * time.Minute),
			Reproduce: config.Reproduce{Mode: config.ReproduceBitwise}, Baseline: config.Stored,
		},
		Data:       config.Data{Train: "data/train.csv.gz", Eval: "data/eval.csv.gz", Label: "delayed", Positive: "1"},
		Metrics:    []config.Metric{{Name: "roc_auc", Direction: exam.Higher, Margin: &exam.Margin{Value: 0.01}, Primary: true}},
		Confidence: 0.95,
		Serve:      config.Serve{Engine: "auto", Golden: config.Golden{Rows: 32, From: "eval"}},
		Smoke:      config.Smoke{Profile: "quick"},
		Promote:    config.Promote{Environments: []string{"production"}, Manifest: "deploy/{environment}.yaml", When: exam.NotWorse},
	}, c)
}

// The design's example uses keys whose rooms are not there yet, and is right
// in all else.
func TestDesignExample(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/design.yaml", catalogue)
	require.Error(t, err)
	var problems *config.Problems
	require.ErrorAs(t, err, &problems)
	for _, p := range problems.List {
		assert.Contains(t, p.Message, "is not supported by this release", p.Path)
	}
	assert.Len(t, problems.List, 2)

	c, err := config.Load("testdata/good/design.yaml", catalogue)
	require.NoError(t, err)
	assert.Equal(t, []string{"train/**", "data/train.csv.gz"}, c.Train.Inputs)
	assert.Equal(t, 30*time.Minute, c.Train.Timeout.Std())
	assert.Equal(t, exam.Direction("lower"), c.Metrics[3].Direction, "the catalogue knows the direction of ece")
	path, err := c.ManifestPath("staging")
	require.NoError(t, err)
	assert.Equal(t, "deploy/staging.yaml", path)
	_, err = c.ManifestPath("prod")
	assert.EqualError(t, err, `environment "prod" is not one of staging, production (promote.environments)`)
}

func TestExam(t *testing.T) {
	t.Parallel()
	c, err := config.Load("testdata/good/design.yaml", catalogue)
	require.NoError(t, err)
	absolute, relative, floor := exam.Margin{Value: 0.01}, exam.Margin{Value: 0.02, Relative: true}, 0.7
	e := c.Exam("sha256:abc")
	assert.Equal(t, exam.Exam{
		Schema: exam.Schema, Task: exam.Binary,
		Data: exam.Data{Eval: "sha256:abc", Label: "delayed", Positive: "1", Features: []string{}},
		Metrics: []exam.Metric{
			{Name: "roc_auc", Direction: exam.Higher, Margin: &absolute, Primary: true},
			{Name: "log_loss", Direction: exam.Lower, Margin: &relative},
			{Name: "accuracy", Direction: exam.Higher, Margin: &absolute, Floor: &floor},
			{Name: "ece", Direction: exam.Lower},
		},
		Slices: []exam.Slice{
			{Name: "origin", Column: "origin", Mode: exam.Alarm, Metric: "roc_auc", Margin: absolute, MinN: 100},
			{Name: "long-haul", Where: "distance > 1500 and origin != 'LGA'", Mode: exam.Alarm, Metric: "roc_auc", Margin: exam.Margin{Value: 0.03}, MinN: 100},
		},
		Confidence: 0.95, Seeds: []int64{1, 2, 3, 4, 5}, Reproduce: "bitwise",
		SLO:  exam.SLO{RatePerSecond: 200, P99Millis: 20, ReadyMillis: 2000, ImageBytes: 50_000_000, MemoryBytes: 256_000_000},
		When: exam.NotWorse,
	}, e)
	again, err := exam.Parse(e.Canonical())
	require.NoError(t, err)
	assert.Equal(t, e.Digest(), again.Digest())
}

func TestRegressionExample(t *testing.T) {
	t.Parallel()
	c, err := config.Load("testdata/good/regression.yaml", catalogue)
	require.NoError(t, err)
	assert.Equal(t, "tolerance 1e-06", c.Train.Reproduce.String())
	assert.Equal(t, []int64{0, 4294967295}, c.Train.Seeds)
	assert.Contains(t, c.Train.Command, "\n. ./env")
	assert.Equal(t, "street", c.Slices[0].Name)
	assert.Equal(t, "pinball_0.9", c.Slices[0].Metric)
	assert.Equal(t, &exam.Margin{}, c.Slices[0].Margin)
	assert.InDelta(t, 10, float64(*c.Serve.SLO.Rate), 1e-12)
	assert.Equal(t, 1.5, c.Serve.SLO.P99.Millis())
}

// Without a catalogue names and directions are as written.
func TestWithoutCatalogue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/good/minimal.yaml")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(data), "{name: roc_auc, direction: higher, margin: 0.01}", "{name: anything, ceiling: 3}")
	c, err := config.Parse("dosirak.yaml", []byte(text), nil)
	require.NoError(t, err)
	assert.Equal(t, exam.Lower, c.Metrics[0].Direction)
	assert.True(t, c.Metrics[0].Primary)
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := config.Load(filepath.Join(dir, "dosirak.yaml"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "there is no such file; dosirak init writes one")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	_, err = config.Load(dir, nil)
	assert.ErrorContains(t, err, "it is a folder")

	large := filepath.Join(dir, "large.yaml")
	require.NoError(t, os.WriteFile(large, []byte("# "+strings.Repeat("x", config.MaxFileBytes)), 0o600))
	_, err = config.Load(large, nil)
	assert.ErrorContains(t, err, "large.yaml:1:1: the file is larger than 256 KiB")
}

// Whatever the text, there is a config or there are problems with positions
// inside it.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "testdata/design.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f.yaml", data, catalogue)
		if err != nil {
			var problems *config.Problems
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems.List)
			for _, p := range problems.List {
				require.GreaterOrEqual(t, p.Line, 1)
				require.GreaterOrEqual(t, p.Column, 1)
				require.NotEmpty(t, p.Message)
			}
			require.NotContains(t, err.Error(), "breaks the rule")
		} else {
			e := c.Exam("sha256:0")
			_, err := exam.Parse(e.Canonical())
			require.NoError(t, err)
		}
		_, _ = config.ParseCompare("f.yaml", data, catalogue)
		_, _ = codec.Parse("f.yaml", data)
	})
}

// Small files that grow or nest are given up early.
func TestBombs(t *testing.T) {
	t.Parallel()
	const size = config.MaxFileBytes - 100
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		laughs += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "]\n"
	}
	for name, text := range map[string]string{
		"laughs":           laughs,
		"flow lists":       strings.Repeat("[", size),
		"flow mappings":    strings.Repeat("{a: ", size/4),
		"block lists":      strings.Repeat("- ", size/2),
		"keys":             strings.Repeat("? ", size/2),
		"anchors":          strings.Repeat("&a ", size/3),
		"tags":             strings.Repeat("!a ", size/3),
		"colons":           strings.Repeat("a: ", size/3),
		"colons and lines": strings.Repeat(":\n", size/2),
		"quotes":           strings.Repeat(`"`, size),
		"documents":        strings.Repeat("---\n", size/4),
		"indent":           stairs(size),
		"unknown keys":     numbered("k%d: 1\n", size),
		"entries":          "metrics: [" + strings.Repeat("{},", size/3) + "]",
		"seeds":            "train: {seeds: [" + strings.Repeat("1,", size/2) + "]}",
		"comments":         strings.Repeat("#\n", size/2),
		"literal":          "model: |\n" + strings.Repeat(" \n", size/2),
		"lines":            "model: |\n" + strings.Repeat(" "+strings.Repeat("x", 60)+"\n", 4000),
		"blank lines":      "model: |\n" + strings.Repeat(strings.Repeat(" ", 60)+"\n", 4000),
		"folded":           "model: >\n" + strings.Repeat("   x\n\n", 2000),
		"plain lines":      "model: x\n" + strings.Repeat("  "+strings.Repeat("x", 60)+"\n", 3990),
		"quoted lines":     "model: \"x\n" + strings.Repeat("  "+strings.Repeat("x", 60)+"\n", 3990) + "\"",
		"one line of keys": "{" + numbered("k%d: 1,", size) + "}",
		"long text":        "model: " + strings.Repeat("x ", size/2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("bomb.yaml", []byte(text), catalogue)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 64<<10)
		})
	}
}

func stairs(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func numbered(format string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile("testdata/good/design.yaml")
	require.NoError(b, err)
	for b.Loop() {
		_, err := config.Parse("dosirak.yaml", data, catalogue)
		require.NoError(b, err)
	}
}
