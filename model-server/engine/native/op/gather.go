package op

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Gather", 2, 2, 1, buildGather, keeps(anything, integers))
	register("", "GatherElements", 2, 2, 1, buildGatherElements, keeps(anything, integers))
	register("", "Compress", 2, 2, 1, buildCompress, keeps(anything, bools), 1)
}

// index counts from the end where it is negative.
func (n *Node) indexIn(v int64, size int) (int, error) {
	if v < 0 {
		v += int64(size)
	}
	if v < 0 || v >= int64(size) {
		return 0, n.outside(1, "index %d is outside a dimension of %d", v, size)
	}
	return int(v), nil
}

func buildGather(n *Node) (Kernel, error) {
	axis := n.int("axis", 0)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		wanted, err := intList(in[1])
		if err != nil {
			return nil, err
		}
		_, size, inner := around(t.Shape, at)
		index, err := c.positions(len(wanted))
		if err != nil {
			return nil, err
		}
		for i, v := range wanted {
			if index[i], err = n.indexIn(v, size); err != nil {
				return nil, err
			}
		}
		shape := slices.Concat(t.Shape[:at], in[1].Shape, t.Shape[at+1:])
		block := len(index) * inner
		return one(c.pick(t, shape, func(i int) int {
			return i/block*size*inner + index[i%block/inner]*inner + i%inner
		}))
	}, nil
}

func buildGatherElements(n *Node) (Kernel, error) {
	axis := n.int("axis", 0)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t, wanted := in[0], in[1]
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		index, err := intList(wanted)
		if err != nil {
			return nil, err
		}
		if len(wanted.Shape) != len(t.Shape) {
			return nil, fmt.Errorf("indices have shape %v, data %v", wanted.Shape, t.Shape)
		}
		for d, size := range wanted.Shape {
			if d != at && size > t.Shape[d] {
				return nil, fmt.Errorf("indices have shape %v, data %v", wanted.Shape, t.Shape)
			}
		}
		move := steps(t.Shape, t.Shape)
		along := 1
		for _, d := range t.Shape[at+1:] {
			along *= int(d)
		}
		move[at] = 0
		from, err := c.positions(len(index))
		if err != nil {
			return nil, err
		}
		var failed error
		indices(wanted.Shape, [][]int{move}, func(i int, base []int) {
			k, err := n.indexIn(index[i], int(t.Shape[at]))
			if err != nil {
				failed = err
			}
			from[i] = base[0] + k*along
		})
		if failed != nil {
			return nil, failed
		}
		return one(c.pick(t, wanted.Shape, func(i int) int { return from[i] }))
	}, nil
}

// Compress keeps the entries along an axis, or of the flat tensor, for which
// the condition is true.
func buildCompress(n *Node) (Kernel, error) {
	flat := !n.has("axis")
	axis := n.int("axis", 0)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t, condition := in[0], in[1]
		if condition.Datatype != tensor.Bool {
			return nil, wrongType(condition, "BOOL")
		}
		if flat {
			t = reshaped(t, []int64{int64(t.Len())})
		}
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		_, size, inner := around(t.Shape, at)
		var index []int
		for i, keep := range condition.Bools {
			if keep && i < size {
				index = append(index, i)
			}
		}
		shape := slices.Clone(t.Shape)
		shape[at] = int64(len(index))
		block := len(index) * inner
		return one(c.pick(t, shape, func(i int) int {
			return i/block*size*inner + index[i%block/inner]*inner + i%inner
		}))
	}, nil
}
