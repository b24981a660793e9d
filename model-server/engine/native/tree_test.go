package native

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
func randomTrees(rng *rand.Rand, trees, features int, modes []string) *treeList {
	l := &treeList{}
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
			id, at := next, len(l.nodeIDs)
			next++
			l.treeIDs, l.nodeIDs, l.values = append(l.treeIDs, int64(tree)), append(l.nodeIDs, id), append(l.values, value())
			l.featureIDs, l.modes = append(l.featureIDs, int64(rng.IntN(features))), append(l.modes, "LEAF")
			l.yesIDs, l.noIDs, l.missing = append(l.yesIDs, 0), append(l.noIDs, 0), append(l.missing, int64(rng.IntN(2)))
			if depth == 0 || rng.IntN(5) == 0 {
				l.weightTrees, l.weightNodes = append(l.weightTrees, int64(tree)), append(l.weightNodes, id)
				l.weightTargets, l.weights = append(l.weightTargets, 0), append(l.weights, float64(rng.Float32()))
				return id
			}
			l.modes[at] = modes[rng.IntN(len(modes))]
			yes, no := grow(depth-1), grow(depth-1)
			l.yesIDs[at], l.noIDs[at] = yes, no
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
		ordered := []string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"}
		l := randomTrees(rng, 1+rng.IntN(9), features, ordered[:1+rng.IntN(4)])
		if rng.IntN(2) == 0 {
			l.missing = nil
		}
		f, err := newForest[float32](l, 1)
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
			f.visit(x, features, func(row int, leaf int32) { out[row] = append(out[row], leaf) })
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
		change func(*treeList)
		err    string
	}{
		"cycle":           {func(l *treeList) { l.yesIDs[1] = 0 }, "branches to node 0, which another branch leads to already"},
		"itself":          {func(l *treeList) { l.noIDs[1] = 1 }, "branches to node 1, which another"},
		"shared":          {func(l *treeList) { l.noIDs[0] = l.yesIDs[0] }, "which another branch leads to already"},
		"nowhere":         {func(l *treeList) { l.noIDs[0] = 99 }, "branches to node 99, which does not exist"},
		"twice":           {func(l *treeList) { l.nodeIDs[1] = 0 }, "node 0 of tree 7 is there twice"},
		"mode":            {func(l *treeList) { l.modes[0] = "BRANCH_MEMBER" }, `unknown mode "BRANCH_MEMBER"`},
		"column":          {func(l *treeList) { l.featureIDs[0] = -1 }, "looks at column -1"},
		"huge column":     {func(l *treeList) { l.featureIDs[0] = math.MaxInt64 }, "looks at column"},
		"short list":      {func(l *treeList) { l.values = l.values[1:] }, "nodes_values has 4 entries, nodes_nodeids 5"},
		"weight's node":   {func(l *treeList) { l.weightNodes[0] = 50 }, "weight 0 belongs to node 50 of tree 7, which does not exist"},
		"weight's target": {func(l *treeList) { l.weightTargets[0] = 1 }, "weight 0 is for target 1 of 1"},
		"weights short":   {func(l *treeList) { l.weights = nil }, "the lists of weights have 3, 3, 3 and 0 entries"},
		"empty":           {func(l *treeList) { *l = treeList{} }, "has 0 nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &treeList{
				treeIDs: []int64{7, 7, 7, 7, 7}, nodeIDs: []int64{0, 1, 2, 3, 4}, featureIDs: make([]int64, 5), values: make([]float64, 5),
				modes: []string{"BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"}, yesIDs: []int64{1, 3, 0, 0, 0}, noIDs: []int64{2, 4, 0, 0, 0},
				weightTrees: []int64{7, 7, 7}, weightNodes: []int64{2, 3, 4}, weightTargets: []int64{0, 0, 0}, weights: []float64{1, 2, 3},
			}
			c.change(l)
			_, err := newForest[float32](l, 1)
			assert.ErrorContains(t, err, c.err)
		})
	}
}

// A chain of a hundred thousand nodes is laid and walked without recursion.
func TestForestOfOneLongArm(t *testing.T) {
	t.Parallel()
	const depth = 100_000
	l := &treeList{}
	for i := range int64(2*depth + 1) {
		l.treeIDs, l.nodeIDs, l.featureIDs, l.values = append(l.treeIDs, 0), append(l.nodeIDs, i), append(l.featureIDs, 0), append(l.values, float64(i))
		mode := "LEAF"
		if i%2 == 0 && i < 2*depth {
			mode = "BRANCH_LEQ"
		}
		l.modes, l.yesIDs, l.noIDs = append(l.modes, mode), append(l.yesIDs, i+1), append(l.noIDs, i+2)
	}
	f, err := newForest[float32](l, 1)
	require.NoError(t, err)
	var leaves []int32
	f.visit([]float32{-1, 1e9, 10, -1, 5}, 1, func(_ int, leaf int32) { leaves = append(leaves, leaf) })
	assert.Len(t, leaves, 5)
	assert.Equal(t, leaves[0], leaves[3])
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(leaves))), 4)
}
