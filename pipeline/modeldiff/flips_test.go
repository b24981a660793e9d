package modeldiff

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

func read(t testing.TB, task exam.Task, text string) *predictions.Set {
	t.Helper()
	set, err := predictions.Read(t.Context(), strings.NewReader(strings.ReplaceAll(strings.TrimSpace(text), " ", "\n")), "x.csv", predictions.Options{Task: task})
	require.NoError(t, err)
	return set
}

func TestFlipsOfClasses(t *testing.T) {
	t.Parallel()
	// The baseline's rows stand in another order.
	baseline := read(t, exam.Multiclass, "id,label,prediction,p_a,p_b,p_c,origin e,a,c,.3,.3,.4,Y d,c,a,.4,.3,.3,Y c,b,b,.1,.8,.1,X b,a,b,.2,.7,.1,X a,a,a,.8,.1,.1,X")
	candidate := read(t, exam.Multiclass, "id,label,prediction,p_a,p_b,p_c,origin a,a,a,.7,.2,.1,X b,a,a,.6,.3,.1,X c,b,c,.1,.1,.8,X d,c,b,.3,.4,.3,Y e,a,c,.3,.3,.4,Y")
	f, err := FlipsOf(candidate, baseline, []string{"origin", "none", "origin"})
	require.NoError(t, err)
	assert.Equal(t, Flips{
		N: 3, Of: 5, Fixed: 1, Regressed: 1, Complete: true,
		Rows:    []Flip{{"b", "a", "b", "a"}, {"c", "b", "b", "c"}, {"d", "c", "a", "b"}},
		BySlice: []SliceFlip{{"origin", "X", 2, 3}, {"origin", "Y", 1, 2}},
	}, f)

	f, err = FlipsOf(candidate, candidate, nil)
	require.NoError(t, err)
	assert.Equal(t, Flips{Of: 5, Complete: true}, f)

	_, err = FlipsOf(candidate, read(t, exam.Multiclass, "id,label,prediction z,a,b y,b,c x,c,a"), nil)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	assert.Error(t, err)
}

func TestFlipsOfValues(t *testing.T) {
	t.Parallel()
	// The baseline's absolute errors are 1, 1, 2, 3: their median is 1.5.
	baseline := read(t, exam.Regression, "id,label,prediction,origin a,10,11,X b,20,19,X c,30,32,Y d,40,43,Y")
	candidate := read(t, exam.Regression, "id,label,prediction,origin a,10,12.5,X b,20,15,X c,30,30.25,Y d,40,43.000001,Y")
	f, err := FlipsOf(candidate, baseline, []string{"origin"})
	require.NoError(t, err)
	assert.Equal(t, Flips{
		N: 2, Of: 4, Fixed: 1, Regressed: 1, Moved: 1.5, Complete: true,
		Rows:    []Flip{{"b", "20", "19", "15"}, {"c", "30", "32", "30.25"}},
		BySlice: []SliceFlip{{"origin", "X", 1, 2}, {"origin", "Y", 1, 2}},
	}, f)

	exact := read(t, exam.Regression, "id,label,prediction a,10,10 b,2000000000,2000000000")
	near := read(t, exam.Regression, "id,label,prediction a,10,10 b,2000000000,2000000001")
	f, err = FlipsOf(near, exact, nil)
	require.NoError(t, err)
	assert.Equal(t, []Flip{{"b", "2e+09", "2e+09", "2.000000001e+09"}}, f.Rows, "against a perfect baseline any change counts, and is seen")
}

// Of many rows those are named that changed the most, and of many levels those
// with the most flips.
func TestFlipsAreBounded(t *testing.T) {
	t.Parallel()
	var was, is strings.Builder
	for _, b := range []*strings.Builder{&was, &is} {
		b.WriteString("id,label,prediction,score,city")
	}
	for i := range 200 {
		fmt.Fprintf(&was, " r%03d,1,0,0.4,c%02d", i, i%60)
		flipped, score := 0, 0.4
		if i%2 == 1 {
			flipped, score = 1, 0.5+float64(i)/1000
		}
		fmt.Fprintf(&is, " r%03d,1,%d,%g,c%02d", i, flipped, score, i%60)
	}
	f, err := FlipsOf(read(t, exam.Binary, is.String()), read(t, exam.Binary, was.String()), []string{"city"})
	require.NoError(t, err)
	assert.Equal(t, int64(100), f.N)
	assert.Equal(t, int64(100), f.Fixed)
	assert.False(t, f.Complete)
	require.Len(t, f.Rows, MaxRows)
	assert.Equal(t, "r101", f.Rows[0].ID)
	assert.Equal(t, "r199", f.Rows[MaxRows-1].ID)
	require.Len(t, f.BySlice, MaxLevels)
	assert.Equal(t, SliceFlip{"city", "c01", 4, 4}, f.BySlice[0], "levels without a flip are left out first")
}

func BenchmarkFlips(b *testing.B) {
	const n = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	make := func() *predictions.Set {
		s := &predictions.Set{Task: exam.Binary, N: n, Classes: []string{"0", "1"}, Positive: 1}
		for range n {
			score := r.Float64()
			s.Score = append(s.Score, score)
			s.Pred = append(s.Pred, int32(score+0.5))
			s.Label = append(s.Label, 0)
		}
		return s
	}
	x, y := make(), make()
	for i := range n {
		x.ID = append(x.ID, fmt.Sprint(i))
	}
	y.ID = x.ID
	b.ResetTimer()
	for range b.N {
		if _, err := FlipsOf(x, y, nil); err != nil {
			b.Fatal(err)
		}
	}
}
