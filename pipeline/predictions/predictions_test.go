package predictions

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

func read(t *testing.T, task exam.Task, text string) *Set {
	t.Helper()
	s, err := Read(t.Context(), strings.NewReader(text), "f.csv", Options{Task: task})
	require.NoError(t, err)
	return s
}

func TestReadBinary(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Binary, "\uFEFFid,label,prediction,score,weight,group,\"or,igin\"\r\n"+
		"a,0,1.0,0.75,2,g1,\"say \"\"hi\"\"\"\r\n"+
		"b,1,0,1e-3,0.5,g2,\"two\nlines\"\r\n"+
		"\r\n"+
		"c,1,1,1,1,g1,plain")
	assert.Equal(t, 3, s.N)
	assert.Equal(t, []string{"a", "b", "c"}, s.ID)
	assert.Equal(t, []string{"0", "1"}, s.Classes, "1.0 and 1 are one class")
	assert.Equal(t, 1, s.Positive)
	assert.Equal(t, []int32{0, 1, 1}, s.Label)
	assert.Equal(t, []int32{1, 0, 1}, s.Pred)
	assert.Equal(t, []float64{0.75, 1e-3, 1}, s.Score)
	assert.Equal(t, []float64{2, 0.5, 1}, s.Weight)
	assert.Equal(t, []int32{0, 1, 0}, s.Group)
	assert.Equal(t, []string{"g1", "g2"}, s.Groups)
	require.NotNil(t, s.Column("or,igin"))
	assert.Equal(t, []string{`say "hi"`, "two\nlines", "plain"}, s.Column("or,igin").Levels)
}

func TestReadProbabilities(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Multiclass, "id,label,prediction,p_b,p_a,p_c\n1,a,a,0.2,0.7,0.1\n2,b,c,0.3,0.3,0.4\n")
	assert.Equal(t, []string{"a", "b", "c"}, s.Classes)
	assert.Equal(t, [][]float64{{0.7, 0.3}, {0.2, 0.3}, {0.1, 0.4}}, s.Proba)
	s = read(t, exam.Binary, "id,label,prediction,p_no,p_yes\n1,no,no,0.75,0.25\n2,yes,yes,0.5,0.5\n")
	assert.Equal(t, []float64{0.25, 0.5}, s.Score)
	assert.Nil(t, s.Proba)
	s = read(t, exam.Regression, "id,label,prediction\n1,-1.5,.5\n2,+2,1e3\n")
	assert.Equal(t, []float64{-1.5, 2}, s.Target)
	assert.Equal(t, []float64{0.5, 1000}, s.Value)
}

func TestGroupAndWeightByName(t *testing.T) {
	t.Parallel()
	text := "id,label,prediction,customer,w\n1,0,1,c1,2\n2,1,1,c2,3\n"
	s, err := Read(t.Context(), strings.NewReader(text), "f.csv", Options{Task: exam.Binary, Group: "customer", Weight: "w", Columns: []string{}})
	require.NoError(t, err)
	assert.Equal(t, []string{"c1", "c2"}, s.Groups)
	assert.Equal(t, []float64{2, 3}, s.Weight)
	_, err = Read(t.Context(), strings.NewReader(text), "f.csv", Options{Task: exam.Binary, Group: "patient"})
	require.ErrorContains(t, err, `f.csv: there is no column "patient", which the config names as group`)
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	const head = "id,label,prediction,score\n"
	for _, c := range []struct {
		name, text, want string
		task             exam.Task
	}{
		{"empty", "", "f.csv:1: the file is empty", exam.Binary},
		{"header only", head, "f.csv: there are no rows", exam.Binary},
		{"ragged", head + "1,0,0,0.5\n2,0,0\n", `f.csv:3: row has 3 fields, header has 4: nothing stands for column "score"`, exam.Binary},
		{"missing column", "id,label\n1,0\n", `f.csv: there is no column "prediction"; the header has "id", "label"`, exam.Binary},
		{"column twice", "id,label,label\n", `f.csv:1: columns 2 and 3 are both named "label"`, exam.Binary},
		{"NaN", head + "1,0,0,NaN\n", `f.csv:2: column "score": the value is NaN, which is none`, exam.Binary},
		{"infinite", head + "1,0,0,0.5\n2,0,0,-Inf\n", `f.csv:3: column "score": the value is -Inf`, exam.Binary},
		{"too large", "id,label,prediction\n1,1,1e999\n", `f.csv:2: column "prediction": "1e999" is not a number`, exam.Regression},
		{"no number", head + "1,0,0,x\n", `f.csv:2: column "score": "x" is not a number`, exam.Binary},
		{"hexadecimal", head + "1,0,0,0x1p-2\n", "is not a number", exam.Binary},
		{"empty number", head + "1,0,0,\n", `f.csv:2: column "score": the value is empty`, exam.Binary},
		{"empty class", head + "1,,0,0.1\n", `f.csv:2: column "label": the class is empty`, exam.Binary},
		{"empty id", head + ",1,0,0.1\n", `f.csv:2: column "id": the id is empty`, exam.Binary},
		{"score over 1", head + "1,0,0,1.01\n", `f.csv:2: column "score": 1.01 is not a probability`, exam.Binary},
		{"score under 0", head + "1,0,0,-0.01\n", "is not a probability", exam.Binary},
		{"no sum of 1", "id,label,prediction,p_a,p_b\n1,a,b,0.5,0.5\n2,b,b,0.5,0.6\n", `f.csv:3: column "p_a": the probabilities p_<class> sum to 1.1`, exam.Multiclass},
		{"class without column", "id,label,prediction,p_a,p_b\n1,a,b,0.5,0.5\n2,c,b,0.5,0.5\n", `f.csv:3: column "label": class "c" has no column "p_c"`, exam.Multiclass},
		{"duplicate id", head + "x,0,0,0.1\ny,1,0,0.1\nx,1,0,0.1\n", `f.csv:4: column "id": id "x" stands at f.csv:2 already`, exam.Binary},
		{"third class", head + "1,0,0,0.1\n2,1,2,0.1\n", `f.csv:3: column "prediction": 3 classes ("0", "1", "2") in a binary task`, exam.Binary},
		{"negative weight", "id,label,prediction,weight\n1,0,0,-1\n", `f.csv:2: column "weight": the weight -1 is negative`, exam.Binary},
		{"no weight", "id,label,prediction,weight\n1,0,0,0\n2,0,0,0\n", `f.csv: column "weight": all weights are zero`, exam.Binary},
		{"open quote", head + "1,0,0,\"0.1\n", `f.csv:2: column "score": the cell begins with a quote that is never closed`, exam.Binary},
		{"quote inside", head + "1,0,0,0\".1\n", `f.csv:2: column "score": the cell has a quote but does not begin with one`, exam.Binary},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(t.Context(), strings.NewReader(c.text), "f.csv", Options{Task: c.task})
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
	_, err := Read(t.Context(), strings.NewReader(head+"1,0,1,.5\n"), "f.csv", Options{Task: exam.Binary, Positive: "yes"})
	require.ErrorContains(t, err, `the positive class "yes" is not among the classes`)
	_, err = Read(t.Context(), strings.NewReader(head+"1,0,1,.5\n"), "f.csv", Options{Task: exam.Binary, Columns: []string{"origin"}})
	require.ErrorContains(t, err, `there is no column "origin", which a slice of the config names`)
	_, err = ReadFile(t.Context(), filepath.Join(t.TempDir(), "none.csv"), Options{Task: exam.Binary})
	require.Error(t, err)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	path := filepath.Join(t.TempDir(), "x.txt")
	require.NoError(t, os.WriteFile(path, []byte("id"), 0o600))
	_, err = ReadFile(t.Context(), path, Options{Task: exam.Binary})
	require.ErrorContains(t, err, "the format is told by the name")
	path = filepath.Join(t.TempDir(), "x.csv.gz")
	require.NoError(t, os.WriteFile(path, []byte("no gzip"), 0o600))
	_, err = ReadFile(t.Context(), path, Options{Task: exam.Binary})
	require.ErrorContains(t, err, "it is no whole gzip file")
	path = filepath.Join(t.TempDir(), "x.parquet")
	require.NoError(t, os.WriteFile(path, []byte("no parquet"), 0o600))
	_, err = ReadFile(t.Context(), path, Options{Task: exam.Binary})
	require.ErrorContains(t, err, "it is no Parquet file")
}

func TestOneClass(t *testing.T) {
	t.Parallel()
	s := read(t, exam.Binary, "id,label,prediction,score\n1,0,0,0.1\n2,0,0,0.2\n")
	assert.Equal(t, []string{"0", "(other)"}, s.Classes)
	assert.Equal(t, 1, s.Positive)
	s = read(t, exam.Binary, "id,label,prediction,score\n1,1,1,0.1\n")
	assert.Equal(t, 0, s.Positive)
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	opts := Options{Task: exam.Binary}
	s, err := readJSONL(strings.NewReader(`{"id": 1, "label": "no", "prediction": "y\u0065s", "score": 0.5, "origin": null}
{"score":1e-2,"prediction":"no","label":"yes","id":"2","origin":true}

`), "f.jsonl", opts)
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, s.ID)
	assert.Equal(t, []string{"no", "yes"}, s.Classes)
	assert.Equal(t, []int32{1, 0}, s.Pred)
	assert.Equal(t, []float64{0.5, 0.01}, s.Score)
	assert.Equal(t, []string{"", "true"}, s.Columns[0].Levels)
	for text, want := range map[string]string{
		"":                                    "the file is empty",
		"[1]":                                 "f.jsonl:1: not a JSON object",
		`{"id"`:                               "f.jsonl:1: not a JSON object",
		`{"id":[1],"label":1,"prediction":1}`: `key "id" holds a list`,
		"{\"label\":1,\"prediction\":1}\n{\"label\":1}":             "f.jsonl:2: the line has 1 keys, the first has 2",
		"{\"label\":1,\"prediction\":1}\n{\"label\":1,\"x\":1}":     `key "x" is not among`,
		"{\"label\":1,\"prediction\":1}\n{\"label\":1,\"label\":1}": "is missing or stands there twice",
		"{\"label\":1,\"prediction\":1,\"score\":null}":             "the value is empty",
		"{\"label\":1,\"prediction\":1,\"score\":2}\n":              "not a probability",
		"{\"label\":{},\"prediction\":1,\"score\":2}\n":             "holds a list or an object",
		"{\"label\":1,\"label\":2,\"prediction\":1}\n":              "stands there twice",
	} {
		_, err := readJSONL(strings.NewReader(text), "f.jsonl", opts)
		require.ErrorContains(t, err, want, text)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
}

// randomSet draws a set with everything in it.
func randomSet(r *rand.Rand, task exam.Task, n int) *Set {
	s := &Set{Task: task, N: n, Positive: 1}
	number := func() float64 { return r.NormFloat64() * 1e3 }
	values := make([]string, n)
	groups := make([]string, n)
	for i := range n {
		s.ID = append(s.ID, fmt.Sprintf("%x-%d", r.Uint32(), i))
		s.Weight = append(s.Weight, r.Float64()+0.1)
		values[i] = []string{"a", "b,c", "d\"e", "", "f\ng"}[r.IntN(5)]
		groups[i] = fmt.Sprint("g", r.IntN(5))
	}
	s.Columns = []Column{NewColumn("where, from", values)}
	g := NewColumn("group", groups)
	s.Group, s.Groups = g.Code, g.Levels
	switch task {
	case exam.Regression:
		s.Positive = 0
		for range n {
			s.Target = append(s.Target, number())
			s.Value = append(s.Value, number())
		}
	case exam.Binary:
		s.Classes = []string{"no", "yes"}
		for i := range n {
			s.Label = append(s.Label, int32(i%2))
			s.Pred = append(s.Pred, int32(r.IntN(2)))
			s.Score = append(s.Score, r.Float64())
		}
	case exam.Multiclass:
		s.Positive = 0
		s.Classes = []string{"a", "b", "x,y"}
		s.Proba = make([][]float64, 3)
		for i := range n {
			s.Label = append(s.Label, int32(i%3))
			s.Pred = append(s.Pred, int32(r.IntN(3)))
			p := r.Float64()
			for k, v := range []float64{p, (1 - p) / 4, (1 - p) * 3 / 4} {
				s.Proba[k] = append(s.Proba[k], v)
			}
		}
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, task := range []exam.Task{exam.Binary, exam.Multiclass, exam.Regression} {
		for _, name := range []string{"f.csv", "f.csv.gz", "f.parquet"} {
			t.Run(string(task)+" "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), name)
				s := randomSet(rand.New(rand.NewPCG(1, 2)), task, 3000)
				require.NoError(t, WriteFile(path, s))
				first, err := os.ReadFile(path)
				require.NoError(t, err)
				require.NoError(t, WriteFile(path, s))
				again, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(first, again), "the same set gives the same bytes")
				got, err := ReadFile(t.Context(), path, Options{Task: task})
				require.NoError(t, err)
				got.Name = ""
				assert.Equal(t, s, got)
			})
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "v")
		got, ok := table.Number(appendNumber(nil, v))
		if !ok || got != v {
			t.Fatalf("%v comes back as %v", v, got)
		}
	})
}

func TestAlign(t *testing.T) {
	t.Parallel()
	a := read(t, exam.Binary, "id,label,prediction,score,origin\nx,0,1,0.1,EWR\ny,1,1,0.2,JFK\nz,1,0,0.3,EWR\n")
	same := read(t, exam.Binary, "id,label,prediction,score\nx,0,0,0.7\ny,1,1,0.8\nz,1,0,0.9\n")
	got, err := Align(a, same)
	require.NoError(t, err)
	assert.Same(t, same, got, "the same order is taken as it is")
	shuffled := read(t, exam.Binary, "id,label,prediction,score,origin\nz,1,0,0.9,EWR\nx,0,0,0.7,EWR\ny,1,1,0.8,JFK\n")
	got, err = Align(a, shuffled)
	require.NoError(t, err)
	assert.Equal(t, []float64{0.7, 0.8, 0.9}, got.Score)
	assert.Equal(t, a.ID, got.ID)
	oneClass := read(t, exam.Binary, "id,label,prediction,score\nx,0,0,0.7\ny,0,0,0.8\n")
	other := read(t, exam.Binary, "id,label,prediction,score\nx,0,1,0.7\ny,0,0,0.8\n")
	for _, pair := range [][2]*Set{{oneClass, other}} {
		got, err = Align(pair[0], pair[1])
		require.NoError(t, err)
		assert.Equal(t, []string{"0", "1"}, pair[0].Classes)
		assert.Equal(t, []string{"0", "1"}, got.Classes)
	}

	for _, c := range []struct{ name, text, want string }{
		{"no ids", "label,prediction,score\n0,1,0.1\n", `b.csv: there is no column "id"`},
		{"another id", "id,label,prediction,score\nx,0,0,0.7\ny,1,1,0.8\nw,1,0,0.9\n", `a.csv: row 3, column "id": id "z" is not in b.csv`},
		{"more rows", "id,label,prediction,score\nx,0,0,0.7\ny,1,1,0.8\nz,1,0,0.9\nw,1,1,0.1\n", `b.csv: row 4, column "id": id "w" is not in a.csv`},
		{"fewer rows", "id,label,prediction,score\nx,0,0,0.7\ny,1,1,0.8\n", `a.csv: row 3, column "id": id "z" is not in b.csv`},
		{"label", "id,label,prediction,score\nx,1,0,0.7\ny,1,1,0.8\nz,1,0,0.9\n", `a.csv: row 1 (id "x"), column "label": 0, but b.csv has 1`},
		{"class", "id,label,prediction,score\nx,no,no,0.7\ny,yes,yes,0.8\nz,yes,no,0.9\n", `class "0" is unknown in b.csv`},
		{"slice", "id,label,prediction,score,origin\nx,0,0,0.7,LGA\ny,1,1,0.8,JFK\nz,1,0,0.9,EWR\n", `column "origin": EWR, but b.csv has LGA`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := Read(t.Context(), strings.NewReader(c.text), "b.csv", Options{Task: exam.Binary})
			require.NoError(t, err)
			mine := *a
			mine.Name = "a.csv"
			_, err = Align(&mine, b)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

// limit on what a fuzzed reader may hold is the input's own size: every cell
// of the set stands for a byte of the text at least.
func checkSet(t *testing.T, s *Set, size int) {
	if s.N > size {
		t.Fatalf("%d rows of %d bytes", s.N, size)
	}
	for _, column := range [][]int32{s.Label, s.Pred} {
		for _, k := range column {
			if int(k) >= len(s.Classes) {
				t.Fatalf("class %d of %d", k, len(s.Classes))
			}
		}
	}
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	again, err := Read(t.Context(), &b, "again.csv", Options{Task: s.Task})
	if err != nil {
		// One class and a stand-in are read back without positive class.
		if strings.Contains(err.Error(), "(other)") {
			return
		}
		t.Fatalf("what was read cannot be read back: %v", err)
	}
	if again.N != s.N {
		t.Fatalf("%d rows came back as %d", s.N, again.N)
	}
}

var tasks = []exam.Task{exam.Binary, exam.Multiclass, exam.Regression}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,label,prediction,score\n1,0,1,0.5\n\"2\",1,0,1e-3\r\n"), uint8(0))
	f.Add([]byte("id,label,prediction,p_a,p_b,w\n1,a,b,0.5,0.5,\"x\"\"y\"\n"), uint8(1))
	f.Add([]byte("id,label,prediction,weight,group\n1,1.5,2,3,g\n"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, task uint8) {
		if s, err := Read(t.Context(), bytes.NewReader(data), "f.csv", Options{Task: tasks[task%3]}); err == nil {
			checkSet(t, s, len(data))
		}
	})
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte("{\"id\":1,\"label\":0,\"prediction\":\"1\",\"score\":0.5}\n{\"id\":2,\"label\":0,\"prediction\":\"\\u0031\",\"score\":1}"), uint8(0))
	f.Add([]byte("{\"id\":\"a\",\"label\":1,\"prediction\":2}"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, task uint8) {
		if s, err := readJSONL(bytes.NewReader(data), "f.jsonl", Options{Task: tasks[task%3]}); err == nil {
			checkSet(t, s, len(data))
		}
	})
}

func FuzzParquet(f *testing.F) {
	for i, task := range tasks {
		var b bytes.Buffer
		if err := WriteParquet(&b, randomSet(rand.New(rand.NewPCG(1, 2)), task, 5)); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, task uint8) {
		// A damaged file must be an error; runs of equal values make rows that
		// have no bytes of their own, so their number is not checked here.
		_, _ = ReadBytes(t.Context(), data, "f.parquet", Options{Task: tasks[task%3]})
	})
}

func BenchmarkReadCSV(b *testing.B) {
	var buf bytes.Buffer
	require.NoError(b, Write(&buf, randomSet(rand.New(rand.NewPCG(1, 2)), exam.Binary, 100_000)))
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		if _, err := Read(b.Context(), bytes.NewReader(buf.Bytes()), "f.csv", Options{Task: exam.Binary}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadGzip(b *testing.B) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	require.NoError(b, Write(z, randomSet(rand.New(rand.NewPCG(1, 2)), exam.Binary, 100_000)))
	require.NoError(b, z.Close())
	for b.Loop() {
		if _, err := ReadBytes(b.Context(), buf.Bytes(), "f.csv.gz", Options{Task: exam.Binary}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadParquet(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f.parquet")
	require.NoError(b, WriteFile(path, randomSet(rand.New(rand.NewPCG(1, 2)), exam.Binary, 100_000)))
	for b.Loop() {
		if _, err := ReadFile(b.Context(), path, Options{Task: exam.Binary}); err != nil {
			b.Fatal(err)
		}
	}
}
