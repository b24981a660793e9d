package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func TestCompareConfig(t *testing.T) {
	t.Parallel()
	c, err := config.ParseCompare("compare.yaml", []byte(`task: binary
metrics:
  - {name: accuracy, direction: higher, margin: 0.01}
  - {name: ece}
slices:
  - {column: origin}
confidence: 0.9
group: airline
weight: w
`), catalogue)
	require.NoError(t, err)
	margin := exam.Margin{Value: 0.01}
	want := exam.Exam{
		Schema: exam.Schema, Task: exam.Binary, Data: exam.Data{Group: "airline", Weight: "w"},
		Metrics:    []exam.Metric{{Name: "accuracy", Direction: exam.Higher, Margin: &margin, Primary: true}, {Name: "ece", Direction: exam.Lower}},
		Slices:     []exam.Slice{{Name: "origin", Column: "origin", Mode: exam.Alarm, Metric: "accuracy", Margin: margin, MinN: 100}},
		Confidence: 0.9, When: exam.NotWorse,
	}
	assert.Equal(t, want, c.Exam())
}

// A whole config serves too, also one whose other keys this release refuses;
// group, weight and positive then stand under data.
func TestCompareConfigOfAWholeConfig(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	require.NoError(t, err)
	for _, file := range append(files, "testdata/design.yaml") {
		c, err := config.LoadCompare(file, catalogue)
		require.NoError(t, err, file)
		assert.NotEmpty(t, c.Metrics, file)
	}
	c, err := config.LoadCompare("testdata/good/regression.yaml", catalogue)
	require.NoError(t, err)
	assert.Equal(t, "street", c.Group)
	assert.Equal(t, "w", c.Weight)
	c, err = config.LoadCompare("testdata/design.yaml", catalogue)
	require.NoError(t, err)
	assert.Equal(t, "1", c.Positive)
}

func TestCompareConfigErrors(t *testing.T) {
	t.Parallel()
	const good = "task: binary\nmetrics:\n  - {name: accuracy, direction: higher, margin: 0.01}\n"
	for _, c := range []struct{ text, want string }{
		{"confidence: 0.9\n", "c.yaml:1:1: metrics: is missing\nc.yaml:1:1: task: is missing"},
		{good + "gruop: a\n", `c.yaml:4:1: unknown key "gruop"; did you mean "group"?`},
		{good + "confidence: 2\n", "c.yaml:4:13: confidence: is 2; it must be less than 1"},
		{good + "group: a\ndata: {group: b}\n", `c.yaml:4:8: group: is "a", but data.group is "b"; write one of them`},
		{good + "version: 3\n", "c.yaml:4:10: version: is 3; this release knows 1"},
		{good + "train: {parallel: many}\n", `c.yaml:4:19: train.parallel: is the text "many", expected a whole number in decimal digits`},
		{good + "slices:\n  - {name: x, where: a =}\n", "c.yaml:5:22: slices[0].where: cannot be read at its character 4: a number or a text is expected, not the end"},
		{"task: binary\nmetrics:\n  - {name: ece, margin: 1}\n", "c.yaml:3:25: metrics[0].margin: cannot stand here: ece cannot be bounded honestly and is only reported; remove the margin"},
	} {
		_, err := config.ParseCompare("c.yaml", []byte(c.text), catalogue)
		assert.EqualError(t, err, c.want, c.text)
	}
	_, err := config.ParseCompare("c.yaml", []byte(good+"train: {parallel: 0}\nserve: {engine: onnxruntime}\n"), catalogue)
	assert.NoError(t, err, "what a comparison does not read is not its business")
	_, err = config.LoadCompare(filepath.Join(t.TempDir(), "c.yaml"), catalogue)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
