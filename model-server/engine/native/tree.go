package native

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// treeList is a tree ensemble as the attributes of ai.onnx.ml describe it:
// parallel lists, one entry for each node and one for each weight of a leaf.
type treeList struct {
	treeIDs, nodeIDs, featureIDs []int64
	yesIDs, noIDs                []int64
	missing                      []int64
	modes                        []string
	values                       []float64

	weightTrees, weightNodes, weightTargets []int64
	weights                                 []float64

	base []float64
}

// readTrees reads the lists; prefix is "class" or "target". Values are float
// attributes or, from version 3 of the operators on, tensors.
func readTrees(n *node, prefix string) *treeList {
	numbers := func(name string) []float64 {
		if list := n.floats(name); list != nil {
			return convert[float64](list)
		}
		if t := n.tensor(name + "_as_tensor"); t != nil {
			list, err := float64s(t)
			if err != nil {
				n.fail("attribute %s_as_tensor: %w", name, err)
			}
			return list
		}
		return nil
	}
	n.ignore("nodes_hitrates", "nodes_hitrates_as_tensor")
	return &treeList{
		treeIDs: n.ints("nodes_treeids"), nodeIDs: n.ints("nodes_nodeids"), featureIDs: n.ints("nodes_featureids"),
		yesIDs: n.ints("nodes_truenodeids"), noIDs: n.ints("nodes_falsenodeids"),
		missing: n.ints("nodes_missing_value_tracks_true"), modes: n.texts("nodes_modes"), values: numbers("nodes_values"),
		weightTrees: n.ints(prefix + "_treeids"), weightNodes: n.ints(prefix + "_nodeids"),
		weightTargets: n.ints(prefix + "_ids"), weights: numbers(prefix + "_weights"),
		base: numbers("base_values"),
	}
}

// The comparison that sends a row to the true branch.
const (
	modeLEQ = iota
	modeLT
	modeGTE
	modeGT
	modeEQ
	modeNEQ
	modeLeaf
)

var modes = map[string]uint8{
	"BRANCH_LEQ": modeLEQ, "BRANCH_LT": modeLT, "BRANCH_GTE": modeGTE,
	"BRANCH_GT": modeGT, "BRANCH_EQ": modeEQ, "BRANCH_NEQ": modeNEQ, "LEAF": modeLeaf,
}

// forest is an ensemble laid out for walking: inner nodes in one flat list, in
// the order in which a walk along the true branches meets them. A child below
// zero is the leaf ^child.
type forest[T float32 | float64] struct {
	nodes []treeNode[T]
	// Where all comparisons are <= and no missing value takes the true branch,
	// both are nil and the walk is the short one.
	modes   []uint8
	missing []bool

	roots    []int32
	features int // columns that a row needs
	// Leaf i adds weights[j] to target targets[j] for j from starts[i] to
	// starts[i+1].
	starts  []int32
	targets []int32
	weights []T
}

type treeNode[T float32 | float64] struct {
	value   T
	feature int32
	yes, no int32
}

// newForest checks the lists and lays them out. targets is the number of
// targets or classes.
func newForest[T float32 | float64](l *treeList, targets int) (*forest[T], error) {
	count := len(l.nodeIDs)
	for name, length := range map[string]int{
		"nodes_treeids": len(l.treeIDs), "nodes_featureids": len(l.featureIDs), "nodes_truenodeids": len(l.yesIDs),
		"nodes_falsenodeids": len(l.noIDs), "nodes_modes": len(l.modes), "nodes_values": len(l.values),
	} {
		if length != count {
			return nil, fmt.Errorf("%s has %d entries, nodes_nodeids %d", name, length, count)
		}
	}
	if count == 0 || count > math.MaxInt32/2 {
		return nil, fmt.Errorf("has %d nodes", count)
	}
	if w := len(l.weights); w != len(l.weightTrees) || w != len(l.weightNodes) || w != len(l.weightTargets) {
		return nil, fmt.Errorf("the lists of weights have %d, %d, %d and %d entries", len(l.weightTrees), len(l.weightNodes), len(l.weightTargets), w)
	}
	b := &forestBuilder[T]{list: l, at: make(map[[2]int64]int32, count), weights: map[int32][]int{}, place: make([]int32, count), state: make([]uint8, count), forest: &forest[T]{starts: []int32{0}}}
	if err := b.index(targets); err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for i := range count {
		if tree := l.treeIDs[i]; !seen[tree] {
			seen[tree] = true
			root, err := b.lay(int32(i))
			if err != nil {
				return nil, err
			}
			b.forest.roots = append(b.forest.roots, root)
		}
	}
	b.simplify()
	return b.forest, nil
}

type forestBuilder[T float32 | float64] struct {
	list    *treeList
	forest  *forest[T]
	at      map[[2]int64]int32 // tree and node id -> position in the lists
	weights map[int32][]int    // position -> weights
	place   []int32            // position -> place in the forest
	state   []uint8            // position -> not laid, being laid, laid
}

func (b *forestBuilder[T]) index(targets int) error {
	l := b.list
	for i := range l.nodeIDs {
		key := [2]int64{l.treeIDs[i], l.nodeIDs[i]}
		if _, twice := b.at[key]; twice {
			return fmt.Errorf("node %d of tree %d is there twice", key[1], key[0])
		}
		b.at[key] = int32(i)
		mode, ok := modes[l.modes[i]]
		if !ok {
			return fmt.Errorf("node %d of tree %d has the unknown mode %q", key[1], key[0], l.modes[i])
		}
		if f := l.featureIDs[i]; mode != modeLeaf {
			if f < 0 || f >= maxElements {
				return fmt.Errorf("node %d of tree %d looks at column %d", key[1], key[0], f)
			}
			b.forest.features = max(b.forest.features, int(f)+1)
		}
	}
	for i := range l.weights {
		at, ok := b.at[[2]int64{l.weightTrees[i], l.weightNodes[i]}]
		if !ok {
			return fmt.Errorf("weight %d belongs to node %d of tree %d, which does not exist", i, l.weightNodes[i], l.weightTrees[i])
		}
		if t := l.weightTargets[i]; t < 0 || t >= int64(targets) {
			return fmt.Errorf("weight %d is for target %d of %d", i, t, targets)
		}
		b.weights[at] = append(b.weights[at], i)
	}
	return nil
}

const (
	notLaid = iota
	beingLaid
	laid
)

// lay places a node and all below it and returns its place. It keeps its own
// stack: a hostile model may be a million nodes deep. A node that is its own
// descendant would be walked for ever and is refused.
func (b *forestBuilder[T]) lay(root int32) (int32, error) {
	l, f := b.list, b.forest
	type frame struct {
		position int32
		children int
	}
	stack := []frame{{root, 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		i := top.position
		if top.children == 0 {
			b.state[i] = beingLaid
			if modes[l.modes[i]] == modeLeaf {
				b.place[i] = b.leaf(i)
				b.state[i] = laid
				stack = stack[:len(stack)-1]
				continue
			}
			b.place[i] = int32(len(f.nodes))
			f.nodes = append(f.nodes, treeNode[T]{value: T(l.values[i]), feature: int32(l.featureIDs[i])})
			f.modes = append(f.modes, modes[l.modes[i]])
			f.missing = append(f.missing, int(i) < len(l.missing) && l.missing[i] == 1)
		}
		if top.children == 2 {
			n := &f.nodes[b.place[i]]
			n.yes, n.no = b.place[b.child(i, l.yesIDs)], b.place[b.child(i, l.noIDs)]
			b.state[i] = laid
			stack = stack[:len(stack)-1]
			continue
		}
		side := l.yesIDs
		if top.children == 1 {
			side = l.noIDs
		}
		top.children++
		next := b.child(i, side)
		switch {
		case next < 0:
			return 0, fmt.Errorf("node %d of tree %d branches to node %d, which does not exist", l.nodeIDs[i], l.treeIDs[i], side[i])
		case b.state[next] == beingLaid:
			return 0, fmt.Errorf("node %d of tree %d branches back to node %d above it", l.nodeIDs[i], l.treeIDs[i], side[i])
		case b.state[next] == notLaid:
			stack = append(stack, frame{next, 0})
		}
	}
	return b.place[root], nil
}

func (b *forestBuilder[T]) child(i int32, ids []int64) int32 {
	if at, ok := b.at[[2]int64{b.list.treeIDs[i], ids[i]}]; ok {
		return at
	}
	return -1
}

func (b *forestBuilder[T]) leaf(i int32) int32 {
	f := b.forest
	for _, w := range b.weights[i] {
		f.targets = append(f.targets, int32(b.list.weightTargets[w]))
		f.weights = append(f.weights, T(b.list.weights[w]))
	}
	f.starts = append(f.starts, int32(len(f.weights)))
	return ^int32(len(f.starts) - 2)
}

func (b *forestBuilder[T]) simplify() {
	f := b.forest
	for i := range f.nodes {
		if f.modes[i] != modeLEQ || f.missing[i] {
			return
		}
	}
	f.modes, f.missing = nil, nil
}

// leaf walks one tree and returns the number of the leaf that row ends in.
func (f *forest[T]) leaf(at int32, row []T) int32 {
	if f.modes != nil {
		return f.anyLeaf(at, row)
	}
	for at >= 0 {
		n := &f.nodes[at]
		if row[n.feature] <= n.value { // a NaN is not, and takes the other branch
			at = n.yes
		} else {
			at = n.no
		}
	}
	return ^at
}

func (f *forest[T]) anyLeaf(at int32, row []T) int32 {
	for at >= 0 {
		n := &f.nodes[at]
		x, yes := row[n.feature], false
		switch f.modes[at] {
		case modeLEQ:
			yes = x <= n.value
		case modeLT:
			yes = x < n.value
		case modeGTE:
			yes = x >= n.value
		case modeGT:
			yes = x > n.value
		case modeEQ:
			yes = x == n.value
		case modeNEQ:
			yes = x != n.value
		}
		if yes || f.missing[at] && x != x {
			at = n.yes
		} else {
			at = n.no
		}
	}
	return ^at
}

// blockRows is how many rows walk a tree before the next tree's turn: the
// tree stays in the cache, and so do the rows.
const blockRows = 64

// parallelFrom is the number of walks from which a second core is worth its
// start.
const parallelFrom = 20_000

// each calls do for blocks of rows, on several cores where there is enough to
// do. Rows are independent: the result is the same on any number of cores.
func (f *forest[T]) each(rows int, do func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), (rows+blockRows-1)/blockRows)
	if workers < 2 || rows*len(f.roots) < parallelFrom {
		for from := 0; from < rows; from += blockRows {
			do(from, min(from+blockRows, rows))
		}
		return
	}
	var wait sync.WaitGroup
	share := (rows/workers + blockRows) / blockRows * blockRows
	for start := 0; start < rows; start += share {
		wait.Go(func() {
			for from := start; from < min(start+share, rows); from += blockRows {
				do(from, min(from+blockRows, min(start+share, rows)))
			}
		})
	}
	wait.Wait()
}

// input returns the rows of t as T.
func (f *forest[T]) input(t *tensor.Tensor) (x []T, rows, columns int, err error) {
	if rows, columns, err = matrix(t); err != nil {
		return nil, 0, 0, err
	}
	if columns < f.features {
		return nil, 0, 0, fmt.Errorf("input has %d columns, the trees look at %d", columns, f.features)
	}
	switch any(x).(type) {
	case []float32:
		var list []float32
		list, err = float32s(t)
		x = any(list).([]T)
	default:
		var list []float64
		list, err = float64s(t)
		x = any(list).([]T)
	}
	return x, rows, columns, err
}
