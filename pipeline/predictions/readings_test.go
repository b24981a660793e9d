package predictions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/pagetest"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// The page's labels are read as it says.
func TestPageLabels(t *testing.T) {
	t.Parallel()
	for _, row := range pagetest.Table(t, "../../docs/data.md", "labels") {
		labels, model, positive, want := row[0].Values, row[1].Values, "", row[3].Text
		if len(row[2].Values) > 0 {
			positive = row[2].Values[0]
		}
		t.Run(strings.Join(labels, " ")+" and "+strings.Join(model, " "), func(t *testing.T) {
			t.Parallel()
			spell, err := OneSpelling(positive, ClassNames{"labels", labels}, ClassNames{"model", model})
			if why, refused := strings.CutPrefix(want, "refused: "); refused {
				for _, word := range strings.Split(why, ", or ") {
					require.ErrorContains(t, err, word)
				}
				return
			}
			require.NoError(t, err)
			var pairs []string
			for _, label := range labels {
				for _, class := range model {
					if spell(label) == spell(class) {
						pairs = append(pairs, label+" is "+class)
					}
				}
			}
			if want == "unknown" {
				assert.Less(t, len(pairs), len(labels), "a label has no class")
				return
			}
			assert.Equal(t, want, strings.Join(pairs, ", "))
		})
	}
}

func TestOneSpellingIsThatOfTheLabels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		positive string
		from     [][]string
		want     []string // of the names in order, distinct
	}{
		{"", [][]string{{"True", "False"}, {"0", "1"}}, []string{"False", "True"}},
		{"", [][]string{{"1.0", "0.0"}, {"true", "false"}}, []string{"0", "1"}},
		{"yes", [][]string{{"yes"}, {"0", "1"}}, []string{"no", "yes"}},
		{"", [][]string{{"yes", "no"}, {"0", "1"}}, []string{"0", "1", "no", "yes"}},
		{"", [][]string{{"TRUE", "true"}}, []string{"TRUE"}},
		{"", [][]string{{"2", "10"}, {"10.0"}}, []string{"2", "10"}},
		{"", [][]string{{"0.5", "0.50"}}, nil},
		{"", [][]string{{"a", "1"}, {"1.0"}}, []string{"1", "1.0", "a"}},
		{"", [][]string{{}, {"True"}}, []string{"True"}},
	} {
		var from []ClassNames
		var all []string
		for _, names := range c.from {
			from = append(from, ClassNames{"here", names})
			all = append(all, names...)
		}
		spell, err := OneSpelling(c.positive, from...)
		if c.want == nil {
			require.ErrorContains(t, err, "which may be one class or two", "%v", c.from)
			continue
		}
		require.NoError(t, err)
		for i, name := range all {
			all[i] = spell(name)
		}
		assert.Equal(t, c.want, SortClasses(all), "%v", c.from)
	}
}

func TestPositiveIsReadLikeALabel(t *testing.T) {
	t.Parallel()
	for positive, at := range map[string]int{"1": 1, "1.0": 1, "true": 1, "True": 1, "0": 0, "0.0": 0, "false": 0} {
		for _, text := range []string{"id,label,prediction,score\na,0,1,0.5\nb,1,0,0.5\n", "id,label,prediction,score\na,False,True,0.5\nb,True,False,0.5\n", "id,label,prediction,score\na,0.0,1.0,0.5\nb,1.0,0.0,0.5\n"} {
			s, err := Read(t.Context(), strings.NewReader(text), "f.csv", Options{Task: exam.Binary, Positive: positive})
			require.NoError(t, err, positive)
			assert.Equal(t, at, s.Positive, "%s in %s", positive, text)
		}
	}
	_, err := Read(t.Context(), strings.NewReader("id,label,prediction\na,0,1\n"), "f.csv", Options{Task: exam.Binary, Positive: "yes"})
	require.ErrorContains(t, err, `the positive class "yes" is not among the classes "0", "1"`)
}

func TestScoresAlone(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Binary, "id,label,score\na,0,0.25\nb,1,0.75\n")
	assert.Nil(t, s.Pred)
	assert.Equal(t, []float64{0.25, 0.75}, s.Score)
	s = read(t, exam.Binary, "id,label,p_0\na,0,0.75\nb,1,0.25\n")
	assert.Equal(t, []float64{0.25, 0.75}, s.Score, "what is left to 1")
	s = read(t, exam.Binary, "id,label,p_1\na,0,0.25\nb,1,0.75\n")
	assert.Equal(t, []float64{0.25, 0.75}, s.Score)
	s = read(t, exam.Multiclass, "id,label,p_a,p_b\na,a,0.25,0.75\nb,b,0.5,0.5\n")
	assert.Nil(t, s.Pred)
	assert.Len(t, s.Proba, 2)
	for _, name := range []string{"s.csv", "s.parquet"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, WriteFile(path, s))
		again, err := ReadFile(t.Context(), path, Options{Task: exam.Multiclass})
		require.NoError(t, err)
		again.Name = s.Name
		assert.Equal(t, s, again)
	}
	_, err := Read(t.Context(), strings.NewReader("id,label\na,0\n"), "f.csv", Options{Task: exam.Binary})
	require.ErrorContains(t, err, `there is no column "prediction"`)
	_, err = Read(t.Context(), strings.NewReader("id,label,p_1,p_1.0\na,0,1,1\n"), "f.csv", Options{Task: exam.Binary})
	require.ErrorContains(t, err, "more than one column holds the probability of class")
}

// Probabilities in float32 leave 0 to 1 by a rounding.
func TestProbabilitiesAreClipped(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Binary, "id,label,prediction,score\na,0,0,-1e-7\nb,1,1,1.0000001192092896\nc,1,1,1\n")
	assert.Equal(t, []float64{0, 1, 1}, s.Score)
	for _, text := range []string{"1.00001", "-0.00001"} {
		_, err := Read(t.Context(), strings.NewReader("id,label,prediction,score\na,0,0,"+text+"\n"), "f.csv", Options{Task: exam.Binary})
		require.ErrorContains(t, err, "is not a probability")
	}
}

func TestIDsThatWereMadeFloats(t *testing.T) {
	t.Parallel()
	whole := read(t, exam.Binary, "id,label,prediction,score\n1,0,1,0.1\n2,1,1,0.2\n")
	float := read(t, exam.Binary, "id,label,prediction,score\n2.0,1,0,0.4\n1.0,0,0,0.3\n")
	got, err := Align(whole, float)
	require.NoError(t, err)
	assert.Equal(t, []float64{0.3, 0.4}, got.Score)
	assert.Equal(t, []string{"1.0", "1.5"}, IDs([]string{"1.0", "1.5"}), "a version is no whole number")
	assert.Equal(t, []string{"a", "1.0"}, IDs([]string{"a", "1.0"}))
	assert.Equal(t, []string{"-1", "007"}, IDs([]string{"-1.0", "007"}))
	_, err = Read(t.Context(), strings.NewReader("id,label,prediction\n1,0,1\n1.0,1,1\n"), "f.csv", Options{Task: exam.Binary})
	require.ErrorContains(t, err, `f.csv:3: column "id": id "1" stands at f.csv:2 already`)
}

// One tool writes True to CSV, another a boolean to Parquet, a third true to
// JSON: the files hold the same rows.
func TestBooleansPairAcrossFormats(t *testing.T) {
	t.Parallel()
	type row struct {
		ID         int64   `parquet:"id"`
		Label      bool    `parquet:"label"`
		Prediction bool    `parquet:"prediction"`
		Score      float32 `parquet:"score"`
		Night      bool    `parquet:"night"`
	}
	dir := t.TempDir()
	require.NoError(t, parquet.WriteFile(filepath.Join(dir, "a.parquet"), []row{{1, true, true, 0.5, true}, {2, false, true, 0.25, false}}))
	for name, text := range map[string]string{
		"b.csv":   "id,label,prediction,score,night\n1.0,True,False,0.5,True\n2.0,False,False,0.25,False\n",
		"c.jsonl": "{\"id\":1,\"label\":true,\"prediction\":true,\"score\":0.5,\"night\":true}\n{\"id\":2,\"label\":false,\"prediction\":true,\"score\":0.5,\"night\":false}\n",
		"d.csv":   "id,label,prediction,score,night\n1,1,1,0.5,true\n2,0,0,0.25,false\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	a, err := ReadFile(t.Context(), filepath.Join(dir, "a.parquet"), Options{Task: exam.Binary})
	require.NoError(t, err)
	assert.Equal(t, []string{"False", "True"}, a.Classes)
	for _, name := range []string{"b.csv", "c.jsonl", "d.csv"} {
		b, err := ReadFile(t.Context(), filepath.Join(dir, name), Options{Task: exam.Binary})
		require.NoError(t, err, name)
		got, err := Align(a, b)
		require.NoError(t, err, name)
		assert.Equal(t, a.Label, got.Label, name)
		assert.Equal(t, a.Classes, got.Classes, name)
		assert.Equal(t, a.Positive, got.Positive, name)
	}
}

func TestTablesOfOtherTools(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Binary, "id;label;prediction;score\na;0;1;0.5\nb;1;1;0.75\n")
	assert.Equal(t, []float64{0.5, 0.75}, s.Score, "semicolons are found")
	s = read(t, exam.Binary, ",id,label,prediction,score,\n0,a,0,1,0.5,\n1,b,1,1,0.75,\n")
	assert.Empty(t, s.Columns, "columns without a name are left alone")
	_, err := ReadFile(t.Context(), "../table/testdata/nested.parquet", Options{Task: exam.Binary})
	require.ErrorContains(t, err, `there is no column "label"`)
	_, err = Read(t.Context(), strings.NewReader("id;label;prediction\na;1;2,5\n"), "f.csv", Options{Task: exam.Regression})
	require.ErrorContains(t, err, `f.csv:2: column "prediction": "2,5" is not a number: it has a decimal comma`)
}

// Which of two bad files is named is no chance: both, in the order asked.
func TestEveryBadFileIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 20 {
		_, err := ReadFiles(t.Context(), Options{Task: exam.Binary}, filepath.Join(dir, "b.csv"), "", filepath.Join(dir, "a.csv"))
		require.Error(t, err)
		b, a := strings.Index(err.Error(), "b.csv"), strings.Index(err.Error(), "a.csv")
		assert.True(t, b >= 0 && a > b, err.Error())
	}
}
