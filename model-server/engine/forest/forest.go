package forest

import (
	"math"
	"runtime"
	"sync"
)

// Forest is an ensemble laid out for walking: nodes in one flat list, the two
// children of a node beside each other.
type Forest[T float32 | float64] struct {
	nodes    []treeNode[T]
	modes    []Mode // by node
	missing  []bool // by node: a NaN takes the true branch
	roots    []int32
	depths   []int32 // by tree: of its deepest leaf
	steps    int64   // their sum, and one for each tree
	Features int     // columns that a row needs
	// Leaf i adds Weights[j] to target Targets[j] for j from Starts[i] to
	// Starts[i+1].
	Starts  []int32
	Targets []int32
	Weights []T
	// quick is a second form for the usual float32 ensembles, nil where a mode
	// or the type has none.
	quick *quickForest
}

// treeNode: the children are nodes child and child+1. A leaf has the feature
// -1 and its number in child.
type treeNode[T float32 | float64] struct {
	value   T
	feature int32
	child   int32
}

// Mode is the comparison that sends a row to the true branch.
type Mode uint8

const (
	LEQ Mode = iota // not greater than the node's value
	LT
	GTE
	GT
	EQ
	NEQ
	Leaf // none: the row ends here
)

// reversed: the false child comes first, so that "first child" means "not
// greater" in every ordered mode.
func reversed(mode Mode) bool { return mode == GTE || mode == GT }

// Trees is the number of trees.
func (f *Forest[T]) Trees() int { return len(f.roots) }

// leaf walks one tree and returns the number of the leaf that row ends in.
func (f *Forest[T]) leaf(at int32, row []T) int32 {
	for {
		n := &f.nodes[at]
		if n.feature < 0 {
			return n.child
		}
		x, yes := row[n.feature], false
		mode := f.modes[at]
		switch mode {
		case LEQ:
			yes = x <= n.value
		case LT:
			yes = x < n.value
		case GTE:
			yes = x >= n.value
		case GT:
			yes = x > n.value
		case EQ:
			yes = x == n.value
		case NEQ:
			yes = x != n.value
		}
		yes = yes || f.missing[at] && x != x
		at = n.child
		if yes == reversed(mode) {
			at++
		}
	}
}

// blockRows is how many rows walk a tree before the next tree's turn: the
// tree stays in the cache, and so do the rows.
const blockRows = 64

// parallelFrom is the number of walks from which a second core is worth its
// start.
const parallelFrom = 50_000

// Steps is the number of steps that a row takes at most, through all trees.
func (f *Forest[T]) Steps() int64 { return f.steps }

// Scratch is how many rows are in work at a time, at most.
func (f *Forest[T]) Scratch(rows int) int { return min(rows, blockRows*runtime.GOMAXPROCS(0)) }

// Each calls do for blocks of rows, on several cores where there is enough to
// do. Rows are independent: the result is the same on any number of cores.
// Before a block it asks stopped, from any of them, and ends with its error.
func (f *Forest[T]) Each(rows int, stopped func() error, do func(from, to int)) error {
	workers := min(runtime.GOMAXPROCS(0), (rows+blockRows-1)/blockRows)
	if workers < 2 || rows*len(f.roots) < parallelFrom {
		for from := 0; from < rows; from += blockRows {
			if err := stopped(); err != nil {
				return err
			}
			do(from, min(from+blockRows, rows))
		}
		return nil
	}
	share := (rows/workers + blockRows) / blockRows * blockRows
	var wait sync.WaitGroup
	failed := make([]error, workers)
	for worker, start := 0, 0; start < rows; worker, start = worker+1, start+share {
		wait.Go(func() {
			for from := start; from < min(start+share, rows); from += blockRows {
				if failed[worker] = stopped(); failed[worker] != nil {
					return
				}
				do(from, min(from+blockRows, min(start+share, rows)))
			}
		})
	}
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// Visit calls add with the leaf of every tree for the rows of a block, for
// each row in the order of the trees. x has the given number of columns; rows
// are counted from 0 within it.
func (f *Forest[T]) Visit(x []T, columns int, add func(row int, leaf int32)) {
	if f.quick != nil {
		f.quick.Visit(any(x).([]float32), columns, add)
		return
	}
	rows := len(x) / columns
	for _, root := range f.roots {
		for r := range rows {
			add(r, f.leaf(root, x[r*columns:(r+1)*columns]))
		}
	}
}

// quickForest walks with integers and without branches. A comparison of floats
// is a branch that goes either way, and guessing wrong costs more than the
// rest of the step; integers with the order of the floats give the child's
// place by subtraction. Four walks run side by side, so that the memory
// accesses of one overlap those of the others.
//
// A NaN is above everything, so that it takes the second child. Where it must
// take the first, the node looks at a second copy of the columns in which a
// NaN is below everything.
type quickForest struct {
	nodes  []quickNode
	leaves []int32 // by node: the number of a leaf
	roots  []int32
	depths []int32
	width  int  // columns of the keys
	copies bool // the second half of the keys is the second copy
}

type quickNode struct {
	key     int32
	feature int32
	child   int32 // a leaf's own place: a walk may stay there
}

const (
	keyAbove = math.MaxInt32
	keyBelow = math.MinInt32
)

// key has the order of float32: key(x) <= key(y) just when x <= y. Both zeros
// are 0, infinities are inside the bounds that a NaN gets.
func key(x float32) int32 {
	bits := int32(math.Float32bits(x + 0)) // -0 + 0 is +0
	return bits ^ (bits >> 31 & math.MaxInt32)
}

// newQuick returns nil where the ensemble has a mode that is no order.
func newQuick(f *Forest[float32]) *quickForest {
	q := &quickForest{nodes: make([]quickNode, len(f.nodes)), leaves: make([]int32, len(f.nodes)), roots: f.roots, depths: f.depths, width: f.Features}
	for i := range f.nodes {
		n := &f.nodes[i]
		if n.feature < 0 {
			q.nodes[i] = quickNode{keyAbove, 0, int32(i)}
			q.leaves[i] = n.child
			continue
		}
		mode := f.modes[i]
		k := key(n.value)
		switch {
		case mode == EQ || mode == NEQ || n.value != n.value:
			return nil
		case mode == LT || mode == GTE:
			k-- // not x <= v but x < v; no float32 has a key at either bound
		}
		feature := n.feature
		// A NaN holds no comparison and takes the false branch, the second one
		// unless the node is reversed.
		if f.missing[i] != reversed(mode) {
			feature += int32(f.Features)
			q.copies = true
		}
		q.nodes[i] = quickNode{k, feature, n.child}
	}
	if q.copies {
		q.width *= 2
	}
	q.width = max(q.width, 1) // a lone leaf looks at column 0
	return q
}

// keys writes the keys of one row.
func (q *quickForest) keys(row []float32, out []int32) {
	if q.copies {
		half := len(out) / 2
		for i, x := range row[:half] {
			k := key(x)
			out[i], out[half+i] = k, k
			if x != x {
				out[i], out[half+i] = keyAbove, keyBelow
			}
		}
		return
	}
	for i, x := range row[:len(out)] {
		out[i] = key(x)
		if x != x {
			out[i] = keyAbove
		}
	}
}

// next is the child that row goes to: the second where its key is greater.
func (q *quickForest) next(at int32, row []int32) int32 {
	n := &q.nodes[at]
	return n.child + int32(uint64(int64(n.key)-int64(row[n.feature]))>>63)
}

// walk takes one step after the other until a leaf.
func (q *quickForest) walk(at int32, row []int32) int32 {
	for q.nodes[at].child != at {
		at = q.next(at, row)
	}
	return q.leaves[at]
}

// walk4 walks side by side. Leaves wait for the others; every few steps it
// looks whether all have arrived, since some trees have one long arm.
func (q *quickForest) walk4(depth int32, at *[4]int32, r0, r1, r2, r3 []int32) {
	a, b, c, d := at[0], at[1], at[2], at[3]
	for depth > 0 {
		for range min(depth, 8) {
			a, b, c, d = q.next(a, r0), q.next(b, r1), q.next(c, r2), q.next(d, r3)
		}
		depth -= 8
		if q.nodes[a].child == a && q.nodes[b].child == b && q.nodes[c].child == c && q.nodes[d].child == d {
			break
		}
	}
	at[0], at[1], at[2], at[3] = q.leaves[a], q.leaves[b], q.leaves[c], q.leaves[d]
}

func (q *quickForest) Visit(x []float32, columns int, add func(row int, leaf int32)) {
	rows := len(x) / columns
	keys := make([]int32, rows*q.width)
	row := func(r int) []int32 { return keys[r*q.width : (r+1)*q.width] }
	for r := range rows {
		q.keys(x[r*columns:(r+1)*columns], row(r))
	}
	four := rows / 4 * 4
	var at [4]int32
	for t, root := range q.roots {
		for r := 0; r < four; r += 4 {
			at = [4]int32{root, root, root, root}
			q.walk4(q.depths[t], &at, row(r), row(r+1), row(r+2), row(r+3))
			for k, leaf := range at {
				add(r+k, leaf)
			}
		}
	}
	// The rows that are left: four trees side by side.
	for r := four; r < rows; r++ {
		k, trees := row(r), len(q.roots)/4*4
		for t := 0; t < trees; t += 4 {
			copy(at[:], q.roots[t:t+4])
			q.walk4(max(q.depths[t], q.depths[t+1], q.depths[t+2], q.depths[t+3]), &at, k, k, k, k)
			for _, leaf := range at {
				add(r, leaf)
			}
		}
		for _, root := range q.roots[trees:] {
			add(r, q.walk(root, k))
		}
	}
}
