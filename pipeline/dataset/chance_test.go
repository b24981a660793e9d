package dataset

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// population draws rows of numbers: levels is how many values each of the
// features has, 0 for a continuous one.
func population(r *rand.Rand, n, features, levels int) []string {
	rows := make([]string, n)
	for i := range rows {
		cells := make([]string, features+1)
		for j := range features {
			if levels == 0 {
				cells[j] = fmt.Sprintf("%.4f", r.NormFloat64())
				continue
			}
			cells[j] = fmt.Sprint(int(r.ExpFloat64()*float64(levels)/4) % levels)
		}
		cells[features] = fmt.Sprint(r.IntN(2))
		rows[i] = strings.Join(cells, ",")
	}
	return rows
}

func tableOfRows(name string, features int, rows []string) *Table {
	head := ""
	for j := range features {
		head += fmt.Sprintf("x%d,", j)
	}
	out, err := ReadBytes(context.Background(), []byte(head+"y\n"+strings.Join(rows, "\n")+"\n"), name, Options{})
	if err != nil {
		panic(err)
	}
	return out
}

func leaks(t testing.TB, features int, train, eval []string) LeakageReport {
	t.Helper()
	got, err := Leakage(t.Context(), tableOfRows("train.csv", features, train), tableOfRows("eval.csv", features, eval), LeakageOptions{Label: "y"})
	require.NoError(t, err)
	return got
}

// Tables that were split at random share the rows that repeat, and are not
// taken for ones that leak, whatever repeats and however: few features, clumps,
// small evaluations.
func TestEqualRowsByChance(t *testing.T) {
	t.Parallel()
	repetitions := 150
	if testing.Short() {
		repetitions = 60
	}
	for _, c := range []struct {
		name                           string
		n, eval, features, levels, dup int
	}{
		{"one feature of two values", 400, 100, 1, 2, 1},
		{"two features of ten values", 1000, 300, 2, 10, 1},
		{"three features of twenty values", 1000, 200, 3, 20, 1},
		{"four features of twenty values", 3000, 1000, 4, 20, 1},
		{"each row twice", 500, 150, 4, 0, 2},
		{"some rows many times", 600, 200, 4, 0, 7},
		{"continuous", 1000, 200, 5, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, uint64(c.n)))
			flagged := 0
			for range repetitions {
				rows := population(r, c.n/c.dup, c.features, c.levels)
				for range c.dup - 1 {
					rows = append(rows, rows[:c.n/c.dup]...)
				}
				r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				if leaks(t, c.features, rows[c.eval:], rows[:c.eval]).BeyondChance {
					flagged++
				}
			}
			assert.LessOrEqual(t, float64(flagged)/float64(repetitions), 0.01)
		})
	}
}

func TestEqualRowsBeyondChance(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rows := population(r, 1000, 4, 0)
	got := leaks(t, 4, rows, rows[:199])
	assert.True(t, got.BeyondChance)
	assert.Equal(t, 199, got.Rows.Rows)
	assert.Zero(t, got.ByChance)
	for _, c := range []struct {
		name string
		n, k int
		want bool
	}{{"ten of 200", 1000, 10, true}, {"five of 200", 1000, 5, true}, {"four of 200", 1000, 4, false}} {
		got = leaks(t, 4, rows, append(population(r, 200-c.k, 4, 0), rows[:c.k]...))
		assert.Equal(t, c.want, got.BeyondChance, c.name)
	}
	// Where rows repeat, a copy of the training table still shows.
	few := population(r, 1000, 3, 20)
	got = leaks(t, 3, few, few[:300])
	assert.Greater(t, got.ByChance, 1.0)
	assert.True(t, got.BeyondChance)
}

// The same rows, written otherwise, are the same rows.
func TestNearCopiesAreEqualRows(t *testing.T) {
	t.Parallel()
	train := tableOf(t, "train.csv", "n,a,b,c,flag,y\n1,1,0.1,x,True,0\n2,2,0.25,NA,False,1\n3,-0,1e3,z,True,0\n4,7,0.3,w,,1\n")
	for name, text := range map[string]string{
		"floats":          "a,b,c,flag,y\n1.0,0.10,x,True,0.0\n2.0,.25,,False,1.0\n0.0,1000,z,True,0\n7.00,3e-1,w,NaN,1\n",
		"another order":   "y,flag,c,b,a\n0,True,x,0.1,1\n1,False,,0.25,2\n0,True,z,1000.0,0\n1,,w,0.3,7\n",
		"through float32": "a,b,c,flag,y\n1,0.10000000149011612,x,1,0\n2,0.25,null,0,1\n0,1000,z,1,0\n7,0.30000001192092896,w,nan,1\n",
		"semicolons":      "a;b;c;flag;y\n1;0.1;x;TRUE;0\n2;0.25;N/A;FALSE;1\n0;1000;z;TRUE;0\n7;0.3;w;;1\n",
	} {
		got, err := Leakage(t.Context(), train, tableOf(t, "eval.csv", text), LeakageOptions{Features: []string{"a", "b", "c", "flag"}, Label: "y"})
		require.NoError(t, err)
		assert.Equal(t, 4, got.Rows.Rows, name)
	}
	got, err := Leakage(t.Context(), train, tableOf(t, "eval.csv", "a,b,c,flag,y\n1,0.1001,x,True,0\n2,0.25,N A,False,1\n"), LeakageOptions{Features: []string{"a", "b", "c", "flag"}, Label: "y"})
	require.NoError(t, err)
	assert.Zero(t, got.Rows.Rows, "other numbers, another text")
}

// A running number is no feature by which rows differ.
func TestRunningNumbersHideNoCopies(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	rows := population(r, 100, 3, 0)
	number := func(rows []string, from int) []string {
		out := make([]string, len(rows))
		for i, row := range rows {
			out[i] = fmt.Sprint(from+i) + "," + row
		}
		return out
	}
	got := leaks(t, 4, number(rows, 0), number(rows[50:], 0))
	assert.Equal(t, 50, got.Rows.Rows)
	assert.True(t, got.BeyondChance)
}

func TestIDsThatWereMadeFloatsAreShared(t *testing.T) {
	t.Parallel()
	got, err := Leakage(t.Context(), tableOf(t, "train.csv", "id,g,x,y\n1,a,5,0\n2,b,6,1\n,c,7,0\n"),
		tableOf(t, "eval.csv", "id,g,x,y\n1.0,NA,9,0\n3.0,b,8,1\nN/A,,1,1\n"), LeakageOptions{Label: "y", ID: "id", Group: "g"})
	require.NoError(t, err)
	assert.Equal(t, &Overlap{Rows: 1, Levels: 1, Examples: []Example{{2, 2, "1.0"}}}, got.IDs)
	assert.Equal(t, 1, got.Groups.Rows, "missing groups are none")
	assert.Equal(t, "1.05", Name("1.05"))
	assert.Equal(t, "v1.0", Name("v1.0"))
	assert.Equal(t, "-3", Name("-3.00"))
}
