package export

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func trainTable(t *testing.T, text string) *dataset.Table {
	t.Helper()
	out, err := dataset.Read(t.Context(), write(t, "train.csv", text), dataset.Options{})
	require.NoError(t, err)
	return out
}

// Whatever is wrong with the file is an error that names the place.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	plain := "a,y\n1,0\n2,1\n3,0\n"
	for name, c := range map[string]struct {
		train, id string
		task      exam.Task
		file      string
		says      string
	}{
		"no prediction":      {plain, "", exam.Binary, "row,predction\n1,0\n", `did you mean "predction"?`},
		"no rows":            {plain, "", exam.Binary, "row,prediction\n", "has a header and no rows"},
		"a row twice":        {plain, "", exam.Binary, "row,prediction\n1,0\n1,0\n", `line 3, column "row": "1" stands on line 2 already`},
		"a row too many":     {plain, "", exam.Binary, "row,prediction\n4,0\n", `"4" is no number of a row of`},
		"no number":          {plain, "", exam.Binary, "row,prediction\nx,0\n", `"x" is no number of a row`},
		"an id without one":  {plain, "", exam.Binary, "id,prediction\nk7,0\n", "set data.id in the config"},
		"from 0 to the end":  {plain, "", exam.Binary, "row,prediction\n0,0\n3,1\n", "counted from 0 here"},
		"rows without names": {plain, "", exam.Binary, "prediction\n0\n1\n", "no column that names them: write the column row"},
		"more than there is": {plain, "", exam.Binary, "prediction\n0\n1\n0\n1\n", "has 4 rows, and"},
		"unknown id":         {"k,a,y\nu,1,0\nv,2,1\n", "k", exam.Binary, "id,prediction\nw,0\n", `"w" is no k of`},
		"an id twice":        {"k,a,y\nu,1,0\nu,2,1\n", "k", exam.Binary, "k,prediction\nu,0\n", "nobody can tell which one is meant"},
		"an empty class":     {plain, "", exam.Binary, "row,prediction\n1,\n", `"" is no class`},
		"NaN score":          {plain, "", exam.Binary, "row,prediction,score\n1,0,nan\n", `"nan" is no finite number`},
		"a decision":         {plain, "", exam.Binary, "row,prediction,score\n1,0,-2.5\n", "not a decision function or a logit"},
		"NaN":                {plain, "", exam.Regression, "row,prediction\n1,\n", "is no finite number"},
		"infinity":           {plain, "", exam.Regression, "row,prediction\n1,inf\n", "is no finite number"},
		"a ragged line":      {plain, "", exam.Regression, "row,prediction\n1,2,3\n", "predictions.csv:2"},
		"another encoding":   {plain, "", exam.Binary, "row,prediction\n1,caf\xe9\n", "UTF-8"},
		"UTF-16":             {plain, "", exam.Binary, "\xff\xfer\x00o\x00w\x00", "predictions.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(t.Context(), write(t, File, c.file), trainTable(t, c.train), c.task, exam.Data{Label: "y", ID: c.id})
			require.ErrorContains(t, err, c.says)
			assert.NotZero(t, fault.ExitCode(err))
			assert.NotEqual(t, fault.CodeEnvironment, fault.ExitCode(err))
		})
	}
	_, err := Read(t.Context(), t.TempDir(), trainTable(t, plain), exam.Binary, exam.Data{Label: "y"})
	assert.ErrorContains(t, err, "no regular file")
}

// Rows are named in whatever way tables name them.
func TestReadFindsRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		id, file string
		rows     []int
		names    []string
	}{
		"numbers":           {"", "row,prediction\n3,1\n1,1\n", []int{2, 0}, []string{"3", "1"}},
		"from 0":            {"", "id,prediction\n2,1\n0,1\n", []int{2, 0}, []string{"2", "0"}},
		"pandas' index":     {"", ",prediction\n0,1\n2,1\n", []int{0, 2}, []string{"0", "2"}},
		"order":             {"", "prediction\n1\n2\n3\n", []int{0, 1, 2}, []string{"1", "2", "3"}},
		"ids":               {"k", "id,prediction\n30.0,1\n10,1\n", []int{2, 0}, []string{"30", "10"}},
		"ids by their name": {"k", "k,prediction\n20,1\n", []int{1}, []string{"20"}},
		"a semicolon":       {"", "row;prediction\n2;0,5\n", []int{1}, []string{"2"}},
		"a byte order mark": {"", "\ufeffrow,prediction\n2,5\n", []int{1}, []string{"2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c2, err := Read(t.Context(), write(t, File, c.file), trainTable(t, "k,a,y\n10,1,2\n20,2,3\n30,3,4\n"), exam.Binary, exam.Data{Label: "y", ID: c.id})
			require.NoError(t, err)
			assert.Equal(t, c.rows, c2.Rows)
			assert.Equal(t, c.names, c2.Names)
		})
	}
}

// A file of many rows is sampled, and both ends are in it.
func TestReadSamples(t *testing.T) {
	t.Parallel()
	var train, file strings.Builder
	train.WriteString("a,y\n")
	file.WriteString("row,prediction\n")
	for i := range 3 * mostRows {
		fmt.Fprintf(&train, "%d,0\n", i)
		fmt.Fprintf(&file, "%d,%d\n", i+1, i)
	}
	c, err := Read(t.Context(), write(t, File, file.String()), trainTable(t, train.String()), exam.Regression, exam.Data{Label: "y"})
	require.NoError(t, err)
	assert.Len(t, c.Rows, mostRows)
	assert.Equal(t, 3*mostRows, c.Of)
	assert.Equal(t, 0, c.Rows[0])
	assert.Equal(t, 3*mostRows-1, c.Rows[mostRows-1])
	assert.EqualValues(t, c.Rows[100], c.value[100])
	assert.IsIncreasing(t, c.Rows)
}

// oracle answers rows of a table by a function of the row.
type oracle struct {
	classes  []string
	positive int
	score    func(row int) float64
	proba    func(row, class int) float64
	value    func(row int) float64
	pred     func(row int) int
}

func (o oracle) ask(_ context.Context, rows []int, _ func([]tensor.Tensor)) (*predictions.Set, error) {
	s := &predictions.Set{N: len(rows), Classes: o.classes, Positive: o.positive}
	if o.proba != nil {
		s.Proba = make([][]float64, len(o.classes))
	}
	for _, row := range rows {
		if o.value != nil {
			s.Value = append(s.Value, o.value(row))
		}
		if o.score != nil {
			s.Score = append(s.Score, o.score(row))
		}
		if o.proba != nil {
			for k := range o.classes {
				s.Proba[k] = append(s.Proba[k], o.proba(row, k))
			}
		}
		switch {
		case o.pred != nil:
			s.Pred = append(s.Pred, int32(o.pred(row)))
		case o.score != nil:
			at := 1 - o.positive
			if o.score(row) >= 0.5 {
				at = o.positive
			}
			s.Pred = append(s.Pred, int32(at))
		case o.proba != nil:
			best := 0
			for k := range o.classes {
				if o.proba(row, k) > o.proba(row, best) {
					best = k
				}
			}
			s.Pred = append(s.Pred, int32(best))
		}
	}
	return s, nil
}

// judged holds a file against an oracle.
func judged(t *testing.T, train, file string, task exam.Task, o oracle, inputs ...bundle.TensorSpec) (Result, error) {
	t.Helper()
	table := trainTable(t, train)
	c, err := Read(t.Context(), write(t, File, file), table, task, exam.Data{Label: "y"})
	require.NoError(t, err)
	return c.Judge(t.Context(), Options{Train: table, Inputs: inputs, Ask: o.ask})
}

// rows is a table of n rows by a format of the row's index, under a header.
func rows(header string, n int, line func(i int) string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range n {
		b.WriteString(line(i) + "\n")
	}
	return b.String()
}

func share(i int) float64 { return float64(i*37%100) / 100 }

func TestJudge(t *testing.T) {
	t.Parallel()
	const n = 40
	noYes := []string{"0", "1"}
	train := rows("colour,x,y", n, func(i int) string { return fmt.Sprintf("%s,%d,%d", []string{"red", "Blue", "green"}[i%3], i, i%2) })
	scored := func(f func(i int) (label int, score float64)) string {
		return rows("row,prediction,score", n, func(i int) string {
			label, score := f(i)
			return fmt.Sprintf("%d,%d,%.9g", i+1, label, score)
		})
	}
	label := func(p float64) int {
		if p >= 0.5 {
			return 1
		}
		return 0
	}
	honest := scored(func(i int) (int, float64) { return label(share(i)), share(i) })
	values := func(f func(i int) float64) string {
		return rows("row,prediction", n, func(i int) string { return fmt.Sprintf("%d,%.9g", i+1, f(i)) })
	}
	colour := bundle.TensorSpec{Name: "colour", Datatype: tensor.Bytes, Shape: []int64{-1, 1}, Columns: []string{"colour"}}
	three := []string{"a", "b", "c"}
	proba := func(row, class int) float64 {
		return []float64{share(row), (1 - share(row)) / 4, (1 - share(row)) * 3 / 4}[class]
	}
	of := func(row, class int) float64 { return proba(row, []int{1, 2, 0}[class]) }
	probas := rows("row,prediction,p_a,p_b,p_c", n, func(i int) string {
		best := "a"
		if proba(i, 2) > proba(i, 0) {
			best = "c"
		}
		return fmt.Sprintf("%d,%s,%.9g,%.9g,%.9g", i+1, best, proba(i, 0), proba(i, 1), proba(i, 2))
	})
	for name, c := range map[string]struct {
		file   string
		task   exam.Task
		of     oracle
		inputs []bundle.TensorSpec
		differ int
		cause  string
	}{
		"the same":                     {honest, exam.Binary, oracle{classes: noYes, positive: 1, score: share}, nil, 0, ""},
		"single precision":             {honest, exam.Binary, oracle{classes: noYes, positive: 1, score: func(i int) float64 { return float64(float32(share(i))) }}, nil, 0, ""},
		"classes as booleans":          {strings.NewReplacer(",0,", ",False,", ",1,", ",True,").Replace(honest), exam.Binary, oracle{classes: noYes, positive: 1, score: share}, nil, 0, ""},
		"one row":                      {honest, exam.Binary, oracle{classes: noYes, positive: 1, score: func(i int) float64 { return share(i) + map[bool]float64{true: 0.001}[i == 7] }}, nil, 1, ""},
		"few digits":                   {scored(func(i int) (int, float64) { return label(share(i)), share(i) }), exam.Binary, oracle{classes: noYes, positive: 1, score: func(i int) float64 { return share(i) + 0.004 }}, nil, n, "a constant"},
		"swapped":                      {honest, exam.Binary, oracle{classes: noYes, positive: 1, score: func(i int) float64 { return 1 - share(i) }}, nil, n, "the classes are swapped"},
		"a category":                   {honest, exam.Binary, oracle{classes: noYes, positive: 1, score: func(i int) float64 { return min(1, share(i)+float64(i%3)*float64(2-i%3)*0.2) }}, []bundle.TensorSpec{colour}, 13, `have "Blue" in the column "colour"`},
		"labels only":                  {rows("row,prediction", n, func(i int) string { return fmt.Sprintf("%d,%d", i+1, label(share(i))) }), exam.Binary, oracle{classes: noYes, pred: func(i int) int { return label(share(i)) }}, nil, 0, ""},
		"a label":                      {rows("row,prediction", n, func(i int) string { return fmt.Sprintf("%d,%d", i+1, label(share(i))) }), exam.Binary, oracle{classes: noYes, pred: func(i int) int { return label(share(i)) ^ map[bool]int{true: 1}[i == 3] }}, nil, 1, ""},
		"at another threshold":         {scored(func(i int) (int, float64) { return label(share(i) + 0.3), share(i) }), exam.Binary, oracle{classes: noYes, positive: 1, score: share, pred: func(i int) int { return label(share(i) + 0.3) }}, nil, 0, ""},
		"a threshold was lost":         {scored(func(i int) (int, float64) { return label(share(i) + 0.3), share(i) }), exam.Binary, oracle{classes: noYes, positive: 1, score: share}, nil, 12, "threshold, between 0.18 and 0.21, was not exported"},
		"a tie":                        {scored(func(int) (int, float64) { return 0, 0.5 }), exam.Binary, oracle{classes: noYes, positive: 1, score: func(int) float64 { return 0.5 }}, nil, 0, ""},
		"three classes":                {probas, exam.Multiclass, oracle{classes: three, proba: proba}, nil, 0, ""},
		"three, in each other's place": {probas, exam.Multiclass, oracle{classes: three, proba: of}, nil, n, "p_a is served as p_c"},
		"p_ of two":                    {rows("row,prediction,p_0,p_1", n, func(i int) string { return fmt.Sprintf("%d,%d,%.9g,%.9g", i+1, label(share(i)), 1-share(i), share(i)) }), exam.Binary, oracle{classes: noYes, positive: 1, score: share}, nil, 0, ""},
		"numbers":                      {values(func(i int) float64 { return 1e6 * share(i) }), exam.Regression, oracle{value: func(i int) float64 { return float64(float32(1e6 * share(i))) }}, nil, 0, ""},
		"small numbers":                {values(func(i int) float64 { return 1e-6 * share(i) }), exam.Regression, oracle{value: func(i int) float64 { return 1e-6 * (share(i) + 0.01) }}, nil, n, "a constant"},
		"a factor":                     {values(func(i int) float64 { return 3 + share(i) }), exam.Regression, oracle{value: func(i int) float64 { return 50 * (3 + share(i)) }}, nil, n, "50 trees became their sum"},
		"a line":                       {values(share), exam.Regression, oracle{value: func(i int) float64 { return 2.5*share(i) - 7 }}, nil, n, "the scaling of the target was lost"},
		"counted from 0":               {values(func(i int) float64 { return share(i + 1) }), exam.Regression, oracle{value: share}, nil, n, "count from 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := judged(t, train, c.file, c.task, c.of, c.inputs...)
			require.NoError(t, err)
			assert.Equal(t, c.differ, r.Differ, r)
			assert.Equal(t, n, r.Compared)
			assert.Equal(t, c.differ == 0, r.Verdict == verdict.Pass)
			assert.Contains(t, r.Cause, c.cause)
			if c.cause == "" {
				assert.Empty(t, r.Cause)
			}
			assert.Len(t, r.Differences, min(c.differ, mostShown))
		})
	}
}

func TestRoundedNumbers(t *testing.T) {
	t.Parallel()
	train := rows("x,y", 20, func(i int) string { return fmt.Sprintf("%d,%d", i, i%2) })
	exact := func(i int) float64 { return 0.1 + float64(i)*0.0123457 }
	for digits, want := range map[int]verdict.Verdict{2: verdict.Fail, 3: verdict.Pass, 5: verdict.Pass} {
		file := rows("row,prediction,score", 20, func(i int) string { return fmt.Sprintf("%d,0,%.*f", i+1, digits, exact(i)) })
		r, err := judged(t, train, file, exam.Binary, oracle{classes: []string{"0", "1"}, positive: 1, score: exact})
		require.NoError(t, err)
		assert.Equal(t, want, r.Verdict, digits)
	}
}

func TestJudgeRefuses(t *testing.T) {
	t.Parallel()
	train := "x,y\n1,0\n2,1\n"
	for name, c := range map[string]struct{ file, says string }{
		"another class":  {"row,prediction\n1,7\n", `has the prediction "7" for row 1`},
		"another column": {"row,prediction,p_0,p_7\n1,0,0.5,0.5\n", "has the column p_7"},
	} {
		_, err := judged(t, train, c.file, exam.Binary, oracle{classes: []string{"0", "1"}, positive: 1, score: share})
		require.ErrorContains(t, err, c.says, name)
		assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
	}
}
