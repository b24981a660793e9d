package forest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// awkward are values that a comparison may get wrong.
var awkward = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), 0.1, math.Nextafter32(0.1, 1), math.Nextafter32(0.1, 0),
}

func TestKeyHasTheOrderOfFloats(t *testing.T) {
	t.Parallel()
	for _, x := range awkward {
		for _, y := range awkward {
			assert.Equal(t, x <= y, key(x) <= key(y), "%v <= %v", x, y)
			assert.Equal(t, x < y, key(x) <= key(y)-1, "%v < %v", x, y)
		}
		assert.Less(t, key(x), int32(keyAbove))
		assert.Greater(t, key(x)-1, int32(keyBelow))
	}
}

// randomTrees grows trees of uneven depth with the given modes.
func randomTrees(rng *rand.Rand, trees, features int, modes []Mode) *Trees {
	l := &Trees{}
	value := func() float64 {
		if rng.IntN(3) == 0 {
			return float64(awkward[rng.IntN(len(awkward))])
		}
		return float64(float32(rng.NormFloat64()))
	}
	for tree := range trees {
		next := int64(0)
		var grow func(depth int) int64
		grow = func(depth int) int64 {
			id, at := next, len(l.NodeIDs)
			next++
			l.TreeIDs, l.NodeIDs, l.Values = append(l.TreeIDs, int64(tree)), append(l.NodeIDs, id), append(l.Values, value())
			l.FeatureIDs, l.Modes = append(l.FeatureIDs, int64(rng.IntN(features))), append(l.Modes, Leaf)
			l.YesIDs, l.NoIDs, l.Missing = append(l.YesIDs, 0), append(l.NoIDs, 0), append(l.Missing, int64(rng.IntN(2)))
			if depth == 0 || rng.IntN(5) == 0 {
				l.WeightTrees, l.WeightNodes = append(l.WeightTrees, int64(tree)), append(l.WeightNodes, id)
				l.WeightTargets, l.Weights = append(l.WeightTargets, 0), append(l.Weights, float64(rng.Float32()))
				return id
			}
			l.Modes[at] = modes[rng.IntN(len(modes))]
			yes, no := grow(depth-1), grow(depth-1)
			l.YesIDs[at], l.NoIDs[at] = yes, no
			return id
		}
		grow(rng.IntN(12))
	}
	return l
}

// The quick walk ends in the leaves of the plain one, whatever the modes, the
// depth of the trees and the number of rows.
func TestQuickForestIsTheForest(t *testing.T) {
	t.Parallel()
	const features = 5
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 60 {
		ordered := []Mode{LEQ, LT, GTE, GT}
		l := randomTrees(rng, 1+rng.IntN(9), features, ordered[:1+rng.IntN(4)])
		if rng.IntN(2) == 0 {
			l.Missing = nil
		}
		f, err := New[float32](l, 1)
		require.NoError(t, err)
		require.NotNil(t, f.quick)
		rows := 1 + rng.IntN(11)
		x := make([]float32, rows*features)
		for i := range x {
			switch rng.IntN(4) {
			case 0:
				x[i] = awkward[rng.IntN(len(awkward))]
			case 1:
				x[i] = float32(math.NaN())
			default:
				x[i] = float32(rng.NormFloat64())
			}
		}
		leaves := func() [][]int32 {
			out := make([][]int32, rows)
			f.Visit(x, features, func(row int, leaf int32) { out[row] = append(out[row], leaf) })
			return out
		}
		quick := leaves()
		f.quick = nil
		require.Equal(t, leaves(), quick, "round %d", round)
	}
}

func TestForestRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Trees)
		err    string
	}{
		"cycle":           {func(l *Trees) { l.YesIDs[1] = 0 }, "branches to node 0, which another branch leads to already"},
		"itself":          {func(l *Trees) { l.NoIDs[1] = 1 }, "branches to node 1, which another"},
		"shared":          {func(l *Trees) { l.NoIDs[0] = l.YesIDs[0] }, "which another branch leads to already"},
		"nowhere":         {func(l *Trees) { l.NoIDs[0] = 99 }, "branches to node 99, which does not exist"},
		"twice":           {func(l *Trees) { l.NodeIDs[1] = 0 }, "node 0 of tree 7 is there twice"},
		"mode":            {func(l *Trees) { l.Modes[0] = Leaf + 1 }, "unknown mode 7"},
		"column":          {func(l *Trees) { l.FeatureIDs[0] = -1 }, "looks at column -1"},
		"huge column":     {func(l *Trees) { l.FeatureIDs[0] = math.MaxInt64 }, "looks at column"},
		"short list":      {func(l *Trees) { l.Values = l.Values[1:] }, "has 4 values for 5 nodes"},
		"weight's node":   {func(l *Trees) { l.WeightNodes[0] = 50 }, "weight 0 belongs to node 50 of tree 7, which does not exist"},
		"weight's target": {func(l *Trees) { l.WeightTargets[0] = 1 }, "weight 0 is for target 1 of 1"},
		"weights short":   {func(l *Trees) { l.Weights = nil }, "the lists of weights have 3, 3, 3 and 0 entries"},
		"empty":           {func(l *Trees) { *l = Trees{} }, "has 0 nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &Trees{
				TreeIDs: []int64{7, 7, 7, 7, 7}, NodeIDs: []int64{0, 1, 2, 3, 4}, FeatureIDs: make([]int64, 5), Values: make([]float64, 5),
				Modes: []Mode{LEQ, LEQ, Leaf, Leaf, Leaf}, YesIDs: []int64{1, 3, 0, 0, 0}, NoIDs: []int64{2, 4, 0, 0, 0},
				WeightTrees: []int64{7, 7, 7}, WeightNodes: []int64{2, 3, 4}, WeightTargets: []int64{0, 0, 0}, Weights: []float64{1, 2, 3},
			}
			c.change(l)
			_, err := New[float32](l, 1)
			assert.ErrorContains(t, err, c.err)
		})
	}
}

// A chain of a hundred thousand nodes is laid and walked without recursion.
func TestForestOfOneLongArm(t *testing.T) {
	t.Parallel()
	const depth = 100_000
	l := &Trees{}
	for i := range int64(2*depth + 1) {
		l.TreeIDs, l.NodeIDs, l.FeatureIDs, l.Values = append(l.TreeIDs, 0), append(l.NodeIDs, i), append(l.FeatureIDs, 0), append(l.Values, float64(i))
		mode := Leaf
		if i%2 == 0 && i < 2*depth {
			mode = LEQ
		}
		l.Modes, l.YesIDs, l.NoIDs = append(l.Modes, mode), append(l.YesIDs, i+1), append(l.NoIDs, i+2)
	}
	f, err := New[float32](l, 1)
	require.NoError(t, err)
	var leaves []int32
	f.Visit([]float32{-1, 1e9, 10, -1, 5}, 1, func(_ int, leaf int32) { leaves = append(leaves, leaf) })
	assert.Len(t, leaves, 5)
	assert.Equal(t, leaves[0], leaves[3])
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(leaves))), 4)
}
