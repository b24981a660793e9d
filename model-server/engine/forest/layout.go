package forest

import (
	"fmt"
	"math"
)

// Trees is an ensemble as parallel lists, one entry for each node and one for
// each weight of a leaf. The first node of a tree is its root. A format that
// keeps its trees otherwise writes them down like this.
type Trees struct {
	TreeIDs, NodeIDs, FeatureIDs []int64
	YesIDs, NoIDs                []int64
	Missing                      []int64 // 1: a NaN takes the true branch; may be shorter than the rest
	Modes                        []Mode
	Values                       []float64

	WeightTrees, WeightNodes, WeightTargets []int64
	Weights                                 []float64
}

// maxColumns bounds the column that a node may look at.
const maxColumns = 1 << 26

// New checks the lists and lays them out for walking in T's precision. targets
// is the number of targets or classes.
func New[T float32 | float64](l *Trees, targets int) (*Forest[T], error) {
	b := &layout[T]{list: l, forest: &Forest[T]{Starts: []int32{0}}}
	if err := b.index(targets); err != nil {
		return nil, err
	}
	trees := map[int64]bool{}
	for i, tree := range l.TreeIDs {
		if trees[tree] {
			continue
		}
		trees[tree] = true
		if err := b.lay(int32(i)); err != nil {
			return nil, err
		}
	}
	f := b.forest
	if narrow, ok := any(f).(*Forest[float32]); ok {
		narrow.quick = newQuick(narrow)
	}
	return f, nil
}

type layout[T float32 | float64] struct {
	list    *Trees
	forest  *Forest[T]
	at      map[[2]int64]int32 // tree and node id -> position in the lists
	weights [][]int32          // by position
	taken   []bool             // by position: it has its place
}

// index finds every node by its id and checks what each says.
func (b *layout[T]) index(targets int) error {
	l := b.list
	count := len(l.NodeIDs)
	for _, list := range []struct {
		name   string
		length int
	}{
		{"tree ids", len(l.TreeIDs)}, {"feature ids", len(l.FeatureIDs)}, {"true branches", len(l.YesIDs)},
		{"false branches", len(l.NoIDs)}, {"modes", len(l.Modes)}, {"values", len(l.Values)},
	} {
		if list.length != count {
			return fmt.Errorf("has %d %s for %d nodes", list.length, list.name, count)
		}
	}
	if count == 0 || count > math.MaxInt32/2 {
		return fmt.Errorf("has %d nodes", count)
	}
	if w := len(l.Weights); w != len(l.WeightTrees) || w != len(l.WeightNodes) || w != len(l.WeightTargets) {
		return fmt.Errorf("the lists of weights have %d, %d, %d and %d entries", len(l.WeightTrees), len(l.WeightNodes), len(l.WeightTargets), w)
	}
	b.at, b.weights, b.taken = make(map[[2]int64]int32, count), make([][]int32, count), make([]bool, count)
	for i := range count {
		key := [2]int64{l.TreeIDs[i], l.NodeIDs[i]}
		if _, twice := b.at[key]; twice {
			return fmt.Errorf("node %d of tree %d is there twice", key[1], key[0])
		}
		b.at[key] = int32(i)
		mode := l.Modes[i]
		if mode > Leaf {
			return fmt.Errorf("node %d of tree %d has the unknown mode %d", key[1], key[0], mode)
		}
		if f := l.FeatureIDs[i]; mode != Leaf {
			if f < 0 || f >= maxColumns {
				return fmt.Errorf("node %d of tree %d looks at column %d", key[1], key[0], f)
			}
			b.forest.Features = max(b.forest.Features, int(f)+1)
		}
	}
	for i := range l.Weights {
		at, ok := b.at[[2]int64{l.WeightTrees[i], l.WeightNodes[i]}]
		if !ok {
			return fmt.Errorf("weight %d belongs to node %d of tree %d, which does not exist", i, l.WeightNodes[i], l.WeightTrees[i])
		}
		if t := l.WeightTargets[i]; t < 0 || t >= int64(targets) {
			return fmt.Errorf("weight %d is for target %d of %d", i, t, targets)
		}
		b.weights[at] = append(b.weights[at], int32(i))
	}
	return nil
}

// lay places one tree level by level, so that siblings are neighbours. A node
// that two branches lead to, or one of its own, is refused: the one is no
// tree, the other would be walked for ever.
func (b *layout[T]) lay(root int32) error {
	l, f := b.list, b.forest
	type placed struct{ position, at, depth int32 }
	reserve := func(count int) int32 {
		at := int32(len(f.nodes))
		f.nodes = append(f.nodes, make([]treeNode[T], count)...)
		f.modes = append(f.modes, make([]Mode, count)...)
		f.missing = append(f.missing, make([]bool, count)...)
		return at
	}
	if b.taken[root] {
		return fmt.Errorf("tree %d begins inside itself", l.TreeIDs[root])
	}
	b.taken[root] = true
	queue := []placed{{root, reserve(1), 0}}
	f.roots = append(f.roots, queue[0].at)
	for k := 0; k < len(queue); k++ {
		p := queue[k]
		i := p.position
		mode := l.Modes[i]
		f.modes[p.at] = mode
		if mode == Leaf {
			f.nodes[p.at] = treeNode[T]{feature: -1, child: b.leaf(i)}
			continue
		}
		sides := [2][]int64{l.YesIDs, l.NoIDs}
		if reversed(mode) {
			sides[0], sides[1] = sides[1], sides[0]
		}
		child := reserve(2)
		for s, ids := range sides {
			next, ok := b.at[[2]int64{l.TreeIDs[i], ids[i]}]
			switch {
			case !ok:
				return fmt.Errorf("node %d of tree %d branches to node %d, which does not exist", l.NodeIDs[i], l.TreeIDs[i], ids[i])
			case b.taken[next]:
				return fmt.Errorf("node %d of tree %d branches to node %d, which another branch leads to already", l.NodeIDs[i], l.TreeIDs[i], ids[i])
			}
			b.taken[next] = true
			queue = append(queue, placed{next, child + int32(s), p.depth + 1})
		}
		f.nodes[p.at] = treeNode[T]{value: T(l.Values[i]), feature: int32(l.FeatureIDs[i]), child: child}
		f.missing[p.at] = int(i) < len(l.Missing) && l.Missing[i] == 1
	}
	f.depths = append(f.depths, queue[len(queue)-1].depth)
	f.steps += int64(queue[len(queue)-1].depth) + 1
	return nil
}

// leaf places the weights of a leaf and returns its number.
func (b *layout[T]) leaf(i int32) int32 {
	f := b.forest
	for _, w := range b.weights[i] {
		f.Targets = append(f.Targets, int32(b.list.WeightTargets[w]))
		f.Weights = append(f.Weights, T(b.list.Weights[w]))
	}
	f.Starts = append(f.Starts, int32(len(f.Weights)))
	return int32(len(f.Starts) - 2)
}
