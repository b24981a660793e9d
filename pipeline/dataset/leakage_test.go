package dataset

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func tableOf(t testing.TB, name, content string) *Table {
	t.Helper()
	out, err := ReadBytes(t.Context(), []byte(content), name, Options{})
	require.NoError(t, err)
	return out
}

func TestLeakage(t *testing.T) {
	t.Parallel()
	train := tableOf(t, "train.csv", "id,user,day,x,y\n1,u1,2013-01-01,5,0\n2,u2,2013-01-03,6,1\n3,u2,2013-01-02,6,1\n,,2013-01-01,7,0\n")
	eval := tableOf(t, "eval.csv", "y,x,id,user,day\n1,6,2,u2,2013-01-02\n0,6,9,u9,2013-02-01\n0,5,8,u1,2013-01-09\n1,7,,,2013-03-01\n1,6,7,u2,2013-01-05\n")
	got, err := Leakage(t.Context(), train, eval, LeakageOptions{Features: []string{"x"}, Label: "y", ID: "id", Group: "user", Time: "day"})
	require.NoError(t, err)
	assert.True(t, got.Found())
	assert.Equal(t, LeakageReport{
		TrainRows: 4, EvalRows: 5, TrainUnit: "line", EvalUnit: "line",
		Rows:         Overlap{Rows: 3, Levels: 2, Examples: []Example{{3, 2, ""}, {2, 4, ""}, {3, 6, ""}}},
		TrainRepeats: 2, ByChance: 2.5,
		IDs:    &Overlap{Rows: 1, Levels: 1, Examples: []Example{{3, 2, "2"}}},
		Groups: &Overlap{Rows: 3, Levels: 2, Examples: []Example{{3, 2, "u2"}, {2, 4, "u1"}, {3, 6, "u2"}}},
		Time:   &TimeOrder{After: 1, FirstEval: "2013-01-02", FirstLine: 2, LastTrain: "2013-01-03", LastLine: 3, ExampleLines: []int{3}},
	}, got)
}

func TestLeakageFindsNothing(t *testing.T) {
	t.Parallel()
	train := tableOf(t, "train.csv", "x,z,y\n1,a,0\n2,b,1\n")
	eval := tableOf(t, "eval.csv", "x,z,y\n1,a,1\n2,a,1\n,b,1\n")
	got, err := Leakage(t.Context(), train, eval, LeakageOptions{Label: "y"})
	require.NoError(t, err)
	assert.False(t, got.Found())
	assert.Equal(t, LeakageReport{TrainRows: 2, EvalRows: 3, TrainUnit: "line", EvalUnit: "line"}, got)

	// The end of a cell is part of the key.
	a := tableOf(t, "a.csv", "p,q\nab,c\n")
	b := tableOf(t, "b.csv", "p,q\na,bc\n")
	got, err = Leakage(t.Context(), a, b, LeakageOptions{})
	require.NoError(t, err)
	assert.Zero(t, got.Rows.Rows)
}

// Ids, groups and slices are the evaluation's: a training table without them
// is the rule, and what both have is compared all the same.
func TestLeakageColumnsOfTheEvaluationAlone(t *testing.T) {
	t.Parallel()
	train := tableOf(t, "train.csv", "x,y\n1,0\n2,1\n")
	eval := tableOf(t, "eval.csv", "id,user,segment,x,y\n1,u1,a,2,1\n2,u2,b,3,1\n")
	got, err := Leakage(t.Context(), train, eval, LeakageOptions{Label: "y", ID: "id", Group: "user"})
	require.NoError(t, err)
	assert.Equal(t, LeakageReport{
		TrainRows: 2, EvalRows: 2, TrainUnit: "line", EvalUnit: "line", Unchecked: []string{"id", "user"},
		Rows: Overlap{Rows: 1, Levels: 1, Examples: []Example{{3, 2, ""}}},
	}, got)
}

func TestLeakageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, train, eval string
		o                 LeakageOptions
		want              string
	}{
		{"feature", "x,y\n1,0\n", "z,y\n1,0\n", LeakageOptions{Features: []string{"x"}, Label: "y"}, `eval.csv has no column "x"`},
		{"label", "x\n1\n", "x,y\n1,0\n", LeakageOptions{Features: []string{"x"}, Label: "y"}, `train.csv has no column "y"`},
		{"id", "x,y\n1,0\n", "x,y\n1,0\n", LeakageOptions{Label: "y", ID: "id"}, `eval.csv has no column "id"`},
		{"missing time", "x,t\n1,\n", "x,t\n1,2\n", LeakageOptions{Time: "t"}, `train.csv:2: column "t": the time is missing`},
		{"mixed time", "x,t\n1,2013-01-01\n", "x,t\n1,2\n", LeakageOptions{Time: "t"}, `train.csv:2: column "t": "2013-01-01" is a timestamp, where earlier cells are a number`},
		{"odd time", "x,t\n1,2\n", "x,t\n1,1/2/2013\n", LeakageOptions{Time: "t"}, `eval.csv:2: column "t": "1/2/2013" is neither a number nor a timestamp such as`},
	} {
		_, err := Leakage(t.Context(), tableOf(t, "train.csv", c.train), tableOf(t, "eval.csv", c.eval), c.o)
		if assert.ErrorContains(t, err, c.want, c.name) {
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), c.name)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	inOrder := []string{"2013-01-01", "2013-01-01 00:00:01", "2013-01-01T00:00:01.5", "2013-01-01T01:00:00Z", "2013-01-01T01:00:00-02:00", "2013-01-01 04:00", "2013/01/02", "20130103T000000Z"}
	var c clock
	var last instant
	for i, cell := range inOrder {
		at, err := c.read(cell)
		require.NoError(t, err, cell)
		if i > 0 {
			assert.True(t, last.before(at), cell)
			assert.False(t, at.before(last), cell)
		}
		last = at
	}
	train := tableOf(t, "train.csv", "t\n2012\n2013.5\n")
	eval := tableOf(t, "eval.csv", "t\n2013.5\n2014\n")
	got, err := Leakage(t.Context(), train, eval, LeakageOptions{Time: "t"})
	require.NoError(t, err)
	assert.Equal(t, &TimeOrder{FirstEval: "2013.5", FirstLine: 2, LastTrain: "2013.5", LastLine: 3}, got.Time, "the same instant is not later")
}

func TestLooksLikeGroup(t *testing.T) {
	t.Parallel()
	var train, eval strings.Builder
	train.WriteString("customer_id,tail,x,y\n")
	eval.WriteString("customer_id,tail,hour,price,x,y,row_id,when,sessionId\n")
	for i := range 200 {
		fmt.Fprintf(&train, "%d,N%03d,%d,0\n", i%50, i%30, i)
		fmt.Fprintf(&eval, "%d,N%03d,%d,%d.5,%d,1,%d,2013-01-%02dT00:00:00Z,%d\n", 25+i%50, i%40, i%24, i%60, i, i, 1+i%28, i%3)
	}
	a, b := tableOf(t, "train.csv", train.String()), tableOf(t, "eval.csv", eval.String())
	got, err := Leakage(t.Context(), a, b, LeakageOptions{Features: []string{"x"}, Label: "y"})
	require.NoError(t, err)
	assert.Equal(t, []GroupLike{
		{Column: "customer_id", Because: "name", Levels: 50, Shared: 25},
		{Column: "tail", Because: "values", Levels: 40, Shared: 30},
	}, got.LooksLikeGroup, "unique ids, few levels, numbers and times do not look like groups")

	got, err = Leakage(t.Context(), a, b, LeakageOptions{Features: []string{"x"}, Label: "y", Group: "customer_id"})
	require.NoError(t, err)
	assert.Empty(t, got.LooksLikeGroup)
	assert.Equal(t, 25, got.Groups.Levels)
	assert.Len(t, got.Groups.Examples, maxExamples)
}

func TestIDNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"id", "customer_id", "userId", "UserID", "patientid", "session", "account no", "device.key", "order-uuid", "client_number"} {
		assert.True(t, idName(name), name)
	}
	for _, name := range []string{"", "hour", "paid", "humid", "customer_age", "session_length", "distance", "num_rooms", "userscore", "zip_code", "flight"} {
		assert.False(t, idName(name), name)
	}
}

// The counts equal those of a map, whatever repeats.
func TestOverlapEqualsReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) ([]string, *Table) {
			rows := rapid.SliceOfN(rapid.StringMatching("[ab]{0,2},[ab]{0,2}"), 0, 60).Draw(t, name)
			table, err := ReadBytes(context.Background(), []byte("p,q\n"+strings.Join(rows, "\n")+"\n"), name+".csv", Options{})
			require.NoError(t, err)
			return rows, table
		}
		trainRows, train := draw("train")
		evalRows, eval := draw("eval")
		got, err := Leakage(context.Background(), train, eval, LeakageOptions{})
		require.NoError(t, err)
		known, met, want, repeats := map[string]int{}, map[string]bool{}, 0, 0
		for _, row := range trainRows {
			known[row]++
		}
		for _, row := range trainRows {
			if known[row] > 1 {
				repeats++
			}
		}
		for _, row := range evalRows {
			if known[row] > 0 {
				want++
				met[row] = true
			}
		}
		require.Equal(t, want, got.Rows.Rows)
		require.Equal(t, len(met), got.Rows.Levels)
		require.Equal(t, repeats, got.TrainRepeats)
	})
}

func BenchmarkLeakage(b *testing.B) {
	train := tableOf(b, "train.csv", string(flights(1_000_000)))
	eval := tableOf(b, "eval.csv", string(flights(1_000_000)))
	b.ReportAllocs()
	for b.Loop() {
		got, err := Leakage(b.Context(), train, eval, LeakageOptions{Label: "delayed", ID: "id", Time: "month"})
		require.NoError(b, err)
		require.NotEmpty(b, got.LooksLikeGroup)
	}
}
