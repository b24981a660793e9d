package op

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "TopK", 1, 2, 2, buildTopK, topKTypes, 1)
	register("", "CumSum", 2, 2, 1, buildCumSum, keeps(signed, integers), 1)
}

// TopK returns the k largest (or smallest) along an axis, sorted, with their
// positions; of equals the earlier comes first.
func buildTopK(n *Node) (Kernel, error) {
	axis, fixed := n.int("axis", -1), n.int("k", 0)
	largest := n.int("largest", 1) != 0
	n.ignore("sorted") // always sorted: that is allowed and deterministic
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t, k := in[0], fixed
		if len(in) > 1 {
			list, err := intList(in[1])
			if err != nil {
				return nil, err
			}
			if len(list) != 1 {
				return nil, fmt.Errorf("k has %d elements, expected 1", len(list))
			}
			k = list[0]
		}
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		outer, size, inner := around(t.Shape, at)
		if k < 0 || k > int64(size) {
			return nil, fmt.Errorf("k is %d, the dimension has %d", k, size)
		}
		x, err := c.float64s(t)
		if err != nil {
			return nil, err
		}
		shape := slices.Clone(t.Shape)
		shape[at] = k
		positions, err := c.newTensor(tensor.Int64, shape)
		if err != nil {
			return nil, err
		}
		from, err := c.positions(len(positions.I64))
		if err != nil {
			return nil, err
		}
		order, err := c.positions(size)
		if err != nil {
			return nil, err
		}
		for o := range outer {
			for i := range inner {
				// Sorting takes size·log(size) comparisons.
				if err := c.Spend(int64(size) * int64(bits.Len(uint(size)))); err != nil {
					return nil, err
				}
				value := func(j int) float64 { return x[(o*size+order[j])*inner+i] }
				for j := range order {
					order[j] = j
				}
				sort.SliceStable(order, func(a, b int) bool {
					if va, vb := value(a), value(b); largest {
						return va > vb || math.IsNaN(va) && !math.IsNaN(vb)
					} else {
						return va < vb || math.IsNaN(vb) && !math.IsNaN(va)
					}
				})
				for j := range int(k) {
					to := (o*int(k)+j)*inner + i
					positions.I64[to] = int64(order[j])
					from[to] = (o*size+order[j])*inner + i
				}
			}
		}
		values, err := c.pick(t, shape, func(i int) int { return from[i] })
		if err != nil {
			return nil, err
		}
		return []*tensor.Tensor{values, positions}, nil
	}, nil
}

func topKTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return typed{[]kinds{numbers, integers}, 1, []tensor.Datatype{"", tensor.Int64}}.rule(n, in)
}

func buildCumSum(n *Node) (Kernel, error) {
	exclusive, reverse := n.int("exclusive", 0) != 0, n.int("reverse", 0) != 0
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		list, err := intList(in[1])
		if err != nil {
			return nil, err
		}
		if len(list) != 1 {
			return nil, fmt.Errorf("axis has %d elements, expected 1", len(list))
		}
		at, err := axisOf(list[0], len(t.Shape))
		if err != nil {
			return nil, err
		}
		if !t.Datatype.Float() && !t.Datatype.Signed() {
			return nil, wrongType(t, "floats or signed integers")
		}
		out, err := c.newTensor(t.Datatype, t.Shape)
		if err != nil {
			return nil, err
		}
		outer, size, inner := around(t.Shape, at)
		for o := range outer {
			for i := range inner {
				var f32 float32
				var f64 float64
				var i64 int64
				for j := range size {
					k := j
					if reverse {
						k = size - 1 - j
					}
					p := (o*size+k)*inner + i
					switch {
					case out.F32 != nil:
						before := f32
						f32 += t.F32[p]
						out.F32[p] = choose(exclusive, before, f32)
					case out.F64 != nil:
						before := f64
						f64 += t.F64[p]
						out.F64[p] = choose(exclusive, before, f64)
					default:
						before := i64
						i64 += t.I64[p]
						out.I64[p] = wrapSigned(choose(exclusive, before, i64), t.Datatype)
					}
				}
			}
		}
		return []*tensor.Tensor{out}, nil
	}, nil
}

func choose[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}
