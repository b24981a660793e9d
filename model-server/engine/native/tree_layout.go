package native

import (
	"fmt"
	"math"
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

// newForest checks the lists and lays them out. targets is the number of
// targets or classes.
func newForest[T float32 | float64](l *treeList, targets int) (*forest[T], error) {
	b := &layout[T]{list: l, forest: &forest[T]{starts: []int32{0}}}
	if err := b.index(targets); err != nil {
		return nil, err
	}
	trees := map[int64]bool{}
	for i, tree := range l.treeIDs {
		// The first node of a tree is its root.
		if trees[tree] {
			continue
		}
		trees[tree] = true
		if err := b.lay(int32(i)); err != nil {
			return nil, err
		}
	}
	f := b.forest
	if narrow, ok := any(f).(*forest[float32]); ok {
		narrow.quick = newQuick(narrow)
	}
	return f, nil
}

type layout[T float32 | float64] struct {
	list    *treeList
	forest  *forest[T]
	at      map[[2]int64]int32 // tree and node id -> position in the lists
	weights [][]int32          // by position
	taken   []bool             // by position: it has its place
}

// index finds every node by its id and checks what each says.
func (b *layout[T]) index(targets int) error {
	l := b.list
	count := len(l.nodeIDs)
	for _, list := range []struct {
		name   string
		length int
	}{
		{"nodes_treeids", len(l.treeIDs)}, {"nodes_featureids", len(l.featureIDs)}, {"nodes_truenodeids", len(l.yesIDs)},
		{"nodes_falsenodeids", len(l.noIDs)}, {"nodes_modes", len(l.modes)}, {"nodes_values", len(l.values)},
	} {
		if list.length != count {
			return fmt.Errorf("%s has %d entries, nodes_nodeids %d", list.name, list.length, count)
		}
	}
	if count == 0 || count > math.MaxInt32/2 {
		return fmt.Errorf("has %d nodes", count)
	}
	if w := len(l.weights); w != len(l.weightTrees) || w != len(l.weightNodes) || w != len(l.weightTargets) {
		return fmt.Errorf("the lists of weights have %d, %d, %d and %d entries", len(l.weightTrees), len(l.weightNodes), len(l.weightTargets), w)
	}
	b.at, b.weights, b.taken = make(map[[2]int64]int32, count), make([][]int32, count), make([]bool, count)
	for i := range count {
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
		f.modes = append(f.modes, make([]uint8, count)...)
		f.missing = append(f.missing, make([]bool, count)...)
		return at
	}
	if b.taken[root] {
		return fmt.Errorf("tree %d begins inside itself", l.treeIDs[root])
	}
	b.taken[root] = true
	queue := []placed{{root, reserve(1), 0}}
	f.roots = append(f.roots, queue[0].at)
	for k := 0; k < len(queue); k++ {
		p := queue[k]
		i := p.position
		mode := modes[l.modes[i]]
		f.modes[p.at] = mode
		if mode == modeLeaf {
			f.nodes[p.at] = treeNode[T]{feature: -1, child: b.leaf(i)}
			continue
		}
		sides := [2][]int64{l.yesIDs, l.noIDs}
		if reversed(mode) {
			sides[0], sides[1] = sides[1], sides[0]
		}
		child := reserve(2)
		for s, ids := range sides {
			next, ok := b.at[[2]int64{l.treeIDs[i], ids[i]}]
			switch {
			case !ok:
				return fmt.Errorf("node %d of tree %d branches to node %d, which does not exist", l.nodeIDs[i], l.treeIDs[i], ids[i])
			case b.taken[next]:
				return fmt.Errorf("node %d of tree %d branches to node %d, which another branch leads to already", l.nodeIDs[i], l.treeIDs[i], ids[i])
			}
			b.taken[next] = true
			queue = append(queue, placed{next, child + int32(s), p.depth + 1})
		}
		f.nodes[p.at] = treeNode[T]{value: T(l.values[i]), feature: int32(l.featureIDs[i]), child: child}
		f.missing[p.at] = int(i) < len(l.missing) && l.missing[i] == 1
	}
	f.depths = append(f.depths, queue[len(queue)-1].depth)
	return nil
}

// leaf places the weights of a leaf and returns its number.
func (b *layout[T]) leaf(i int32) int32 {
	f := b.forest
	for _, w := range b.weights[i] {
		f.targets = append(f.targets, int32(b.list.weightTargets[w]))
		f.weights = append(f.weights, T(b.list.weights[w]))
	}
	f.starts = append(f.starts, int32(len(f.weights)))
	return int32(len(f.starts) - 2)
}
