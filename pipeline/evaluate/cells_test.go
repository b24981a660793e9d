package evaluate

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/pagetest"
	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// column asks for one input of a table's column a.
func column(t *testing.T, table *dataset.Table, d tensor.Datatype) (tensor.Tensor, error) {
	t.Helper()
	got, err := Rows(table, bundle.Signature{Inputs: []bundle.TensorSpec{spec("a", d, -1, 1)}}, exam.Data{Label: "y"}, nil)
	if err != nil {
		return tensor.Tensor{}, err
	}
	return got[0], nil
}

// quoted is a table of one column of these cells.
func quotedColumn(t *testing.T, cells ...string) *dataset.Table {
	t.Helper()
	text := "a,y\n"
	for _, cell := range cells {
		text += `"` + strings.ReplaceAll(cell, `"`, `""`) + "\",0\n"
	}
	return tableOf(t, text)
}

// Every spelling of "missing" is the empty cell, to each type of input.
func TestMissingCells(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, "../../docs/data.md", "missing") {
		table := quotedColumn(t, row[0].Values[0])
		for _, d := range []tensor.Datatype{tensor.FP32, tensor.FP64} {
			got, err := column(t, table, d)
			require.NoError(t, err, row[0].Text)
			v, _ := got.Float(0)
			assert.True(t, math.IsNaN(v), row[0].Text)
		}
		got, err := column(t, table, tensor.Bytes)
		require.NoError(t, err)
		assert.Equal(t, []string{""}, got.Strs, row[0].Text)
		for _, d := range []tensor.Datatype{tensor.Int64, tensor.Uint8, tensor.Bool} {
			_, err := column(t, table, d)
			require.ErrorContains(t, err, "it is a missing value, and only FP32 and FP64 inputs take one", row[0].Text)
		}
	}
}

func TestPageIntegersAsInputs(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, "../../docs/data.md", "integers") {
		got, err := column(t, quotedColumn(t, "1", row[0].Values[0]), tensor.Int64)
		if row[1].Text == "refused" {
			require.ErrorContains(t, err, `eval.csv:3: column "a": `, row[0].Text)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, row[1].Text, strconv.FormatInt(got.I64[1], 10), row[0].Text)
	}
	for cell, d := range map[string]tensor.Datatype{"128": tensor.Int8, "-129.0": tensor.Int8, "256": tensor.Uint8, "-1": tensor.Uint64, "3e9": tensor.Int32} {
		_, err := column(t, quotedColumn(t, cell), d)
		require.Error(t, err, cell)
	}
	got, err := column(t, quotedColumn(t, "-128.0", "127"), tensor.Int8)
	require.NoError(t, err)
	assert.Equal(t, []int64{-128, 127}, got.I64)
	got, err = column(t, quotedColumn(t, "-9223372036854775808", "9223372036854775807.0"), tensor.Int64)
	require.NoError(t, err)
	assert.Equal(t, []int64{math.MinInt64, math.MaxInt64}, got.I64)
	got, err = column(t, quotedColumn(t, "18446744073709551615", "255.0"), tensor.Uint64)
	require.NoError(t, err)
	assert.Equal(t, []uint64{math.MaxUint64, 255}, got.U64)
}

func TestPageTruthAsInputs(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, "../../docs/data.md", "truth") {
		for _, cell := range row[0].Values {
			got, err := column(t, quotedColumn(t, cell), tensor.Bool)
			if row[1].Text == "refused" {
				require.ErrorContains(t, err, "it takes true or false, yes or no, 1 or 0", cell)
			} else {
				require.NoError(t, err, cell)
				assert.Equal(t, row[1].Text, strconv.FormatBool(got.Bools[0]), cell)
			}
			for _, d := range []tensor.Datatype{tensor.FP32, tensor.FP64, tensor.Int64, tensor.Uint8} {
				got, err := column(t, quotedColumn(t, cell), d)
				if row[2].Text == "refused" {
					require.Error(t, err, cell)
					continue
				}
				require.NoError(t, err, cell)
				v, ok := got.Float(0)
				require.True(t, ok)
				assert.Equal(t, row[2].Text, strconv.FormatFloat(v, 'g', -1, 64), cell)
			}
		}
	}
	_, err := column(t, quotedColumn(t, "True", "", "0", "3.5"), tensor.FP32)
	require.ErrorContains(t, err, `eval.csv:5: column "a": "3.5" is a number where line 2 has "True"; write one of them throughout`)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

// A cell that is no number says what it looks like.
func TestCellsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"1,234": "thousands separator", "12,5": "decimal comma", "0x10": "hexadecimal", "1e400": "larger than a 64-bit number", "NAN": "missing value", "34.5": "it has a fraction",
	} {
		_, err := column(t, quotedColumn(t, "1", cell), tensor.Int64)
		require.ErrorContains(t, err, `eval.csv:3: column "a": "`+cell+`" is no INT64`)
		require.ErrorContains(t, err, want, cell)
	}
}

// The same values from Parquet are the same inputs, a float32 exactly.
func TestInputsFromParquet(t *testing.T) {
	t.Parallel()
	type row struct {
		A *float32 `parquet:"a,optional"`
		B bool     `parquet:"b"`
		C *string  `parquet:"c,optional"`
		Y int64    `parquet:"y"`
	}
	tenth, na := float32(0.1), "N/A"
	path := filepath.Join(t.TempDir(), "eval.parquet")
	require.NoError(t, parquet.WriteFile(path, []row{{&tenth, true, &na, 0}, {nil, false, nil, 1}}))
	table, err := dataset.Read(t.Context(), path, dataset.Options{})
	require.NoError(t, err)
	got, err := Rows(table, bundle.Signature{Inputs: []bundle.TensorSpec{
		spec("a", tensor.FP64, -1, 1), spec("b", tensor.Bool, -1, 1), spec("c", tensor.Bytes, -1, 1),
	}}, exam.Data{Label: "y"}, nil)
	require.NoError(t, err)
	assert.Equal(t, float64(float32(0.1)), got[0].F64[0])
	assert.True(t, math.IsNaN(got[0].F64[1]))
	assert.Equal(t, []bool{true, false}, got[1].Bools)
	assert.Equal(t, []string{"", ""}, got[2].Strs)
	_, err = column(t, table, tensor.Int64)
	require.ErrorContains(t, err, `eval.parquet: row 1: column "a": "0.1" is no INT64`)
}

// A column without a name is left alone, and can be had by pandas' name for it.
func TestColumnsWithoutNames(t *testing.T) {
	t.Parallel()
	table := tableOf(t, ",a,,b,y\n0,1,x,2,0\n1,3,x,4,1\n")
	matrix := bundle.Signature{Inputs: []bundle.TensorSpec{spec("X", tensor.FP32, -1, 2)}}
	got, err := Rows(table, matrix, exam.Data{Label: "y"}, nil)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3, 4}, got[0].F32)
	got, err = Rows(table, matrix, exam.Data{Label: "y", Features: []string{"Unnamed: 0", "b"}}, nil)
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 2, 1, 4}, got[0].F32)
}

func TestCheckListsAllProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name, text string) *dataset.Table {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		table, err := dataset.Read(t.Context(), path, dataset.Options{})
		require.NoError(t, err)
		return table
	}
	const train, eval = "x,y\n1,0\n2,1\n", "id,x,y,w,g,t\na,1,0,1,g,1\nb,2,1,1,g,2\n"
	for name, c := range map[string]struct {
		train, eval string
		task        exam.Task
		data        exam.Data
		columns     []string
		want        []string
	}{
		"nothing":            {},
		"yes and no":         {eval: "x,y\n1,no\n2,yes\n", data: exam.Data{Positive: "yes"}},
		"floats":             {train: "x,y\n1,0.0\n2,1.0\n", data: exam.Data{Positive: "true"}},
		"ids made floats":    {eval: "id,x,y\n1.0,1,0\n2.0,2,1\n", data: exam.Data{ID: "id"}},
		"duplicate ids":      {eval: "id,x,y\na,1,0\na,2,1\n", data: exam.Data{ID: "id"}, want: []string{`eval.csv:3: column "id": "a" stands on line 2 already`}},
		"duplicates by zero": {eval: "id,x,y\n1,1,0\n1.0,2,1\n", data: exam.Data{ID: "id"}, want: []string{`eval.csv:3: column "id": "1.0" stands on line 2 already`}},
		"missing id":         {eval: "id,x,y\n,1,0\nb,2,1\n", data: exam.Data{ID: "id"}, want: []string{`eval.csv:2: column "id": "" is no id`}},
		"positive":           {data: exam.Data{Positive: "2"}, want: []string{`data.positive is "2", and the labels in column "y" of`, `are "0", "1"; write one of them`}},
		"third class":        {train: "x,y\n1,0\n2,1\n3,2\n", want: []string{`train.csv:4: column "y": "2" is a third class in a binary task, beside "0", "1"`}},
		"third in eval":      {eval: "x,y\n1,0\n2,1\n3,maybe\n", want: []string{`eval.csv:4: column "y": "maybe" is a third class`}},
		"empty label":        {eval: "x,y\n1,0\n2,\n", want: []string{`eval.csv:3: column "y": "" is no class`}},
		"other classes":      {train: "x,y\n1,cat\n2,dog\n", eval: "x,y\n1,bird\n2,fish\n", task: exam.Multiclass, want: []string{`eval.csv:2: column "y": "bird" is none of the training table's classes "cat", "dog"`}},
		"one new class":      {train: "x,y\n1,cat\n2,dog\n", eval: "x,y\n1,cat\n2,fish\n", task: exam.Multiclass},
		"labels in training": {train: "x,y\n1,0\n2,\n3,1\n"},
		"target":             {eval: "x,y\n1,0.5\n2,x\n", task: exam.Regression, want: []string{`eval.csv:3: column "y": "x" is no finite number`}},
		"training target":    {train: "x,y\n1,0.5\n2,far\n", task: exam.Regression, want: []string{`train.csv:3: column "y": "far" is no finite number`}},
		"no training label":  {train: "x,z\n1,0\n2,1\n", want: []string{`train.csv has no column "y"`}},
		"no rows":            {train: "x,y\n", eval: "x,y\n", want: []string{"train.csv has a header and no rows: there is nothing to train on", "eval.csv has a header and no rows: there is nothing to evaluate on"}},
		"times":              {train: "x,y,t\n1,0,1\n2,1,soon\n", data: exam.Data{Time: "t"}, want: []string{`train.csv:3: column "t": "soon" is neither a number nor a timestamp`}},
		"all at once": {data: exam.Data{ID: "key", Weight: "x2", Group: "grp", Time: "when", Positive: "yes", Features: []string{"x", "z", "y"}}, columns: []string{"origin"}, want: []string{
			"the data have 10 problems:", `has no column "key"`, `has no column "x2"`, `has no column "grp"`, `has no column "when"`, `has no column "origin"`, `has no column "z"`, `data.features names the label "y"`, `data.positive is "yes"`,
		}},
		"missing weight": {eval: "x,y,w\n1,0,1\n2,1,NA\n", data: exam.Data{Weight: "w"}, want: []string{`eval.csv:3: column "w": "NA" is a missing value, and every row needs a number`}},
		"weights":        {eval: "x,y,w\n1,0,1\n2,1,heavy\n", data: exam.Data{Weight: "w"}, want: []string{`eval.csv:3: column "w": "heavy" is no finite number`}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.train == "" {
				c.train = train
			}
			if c.eval == "" {
				c.eval = eval
			}
			if c.task == "" {
				c.task = exam.Binary
			}
			c.data.Label = "y"
			err := Check(t.Context(), open("train.csv", c.train), open("eval.csv", c.eval), c.task, c.data, c.columns)
			if len(c.want) == 0 {
				require.NoError(t, err)
				return
			}
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}
