package op

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Slice", 1, 5, 1, buildSlice, keeps(anything, integers), 1, 2, 3, 4)
	register("", "Split", 1, 2, variadic, buildSplit, splitTypes, 1)
}

// Slice cuts along axes with Python's rules for bounds; the bounds are
// attributes before opset 10.
func buildSlice(n *Node) (Kernel, error) {
	starts, ends, axesAttribute := n.ints("starts"), n.ints("ends"), n.ints("axes")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		var lists [4][]int64
		for i, attribute := range [][]int64{starts, ends, axesAttribute, nil} {
			var err error
			if lists[i], err = parameter(in, i+1, attribute); err != nil {
				return nil, err
			}
		}
		from, to, axes, stride := lists[0], lists[1], lists[2], lists[3]
		if len(from) != len(to) || axes != nil && len(axes) != len(from) || stride != nil && len(stride) != len(from) {
			return nil, fmt.Errorf("has %d starts, %d ends, %d axes and %d steps", len(from), len(to), len(axes), len(stride))
		}
		shape, move := slices.Clone(t.Shape), fullSteps(t.Shape)
		offset := 0
		for i := range from {
			at, step := i, int64(1)
			var err error
			if axes != nil {
				if at, err = axisOf(axes[i], len(shape)); err != nil {
					return nil, err
				}
			} else if at >= len(shape) {
				return nil, fmt.Errorf("has %d starts for shape %v", len(from), t.Shape)
			}
			if stride != nil {
				step = stride[i]
			}
			if step == 0 {
				return nil, fmt.Errorf("has a step of 0")
			}
			start, count := sliceRange(from[i], to[i], step, t.Shape[at])
			offset += int(start) * move[at]
			shape[at] = count
			move[at] *= int(step)
		}
		return one(c.pickMovingFrom(t, shape, move, offset))
	}, nil
}

// fullSteps are the steps of a shape without broadcasting.
func fullSteps(shape []int64) []int {
	out, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= int(shape[i])
	}
	return out
}

func (c *Call) pickMovingFrom(t *tensor.Tensor, shape []int64, move []int, offset int) (*tensor.Tensor, error) {
	count, err := c.elements(shape)
	if err != nil {
		return nil, err
	}
	at, err := c.positions(count)
	if err != nil {
		return nil, err
	}
	indices(shape, [][]int{move}, func(i int, from []int) { at[i] = from[0] + offset })
	return c.pick(t, shape, func(i int) int { return at[i] })
}

// sliceRange returns the first index and the number of indices.
func sliceRange(start, end, step, size int64) (first, count int64) {
	clamp := func(v, lo, hi int64) int64 {
		if v < 0 {
			v += size
		}
		return min(max(v, lo), hi)
	}
	if size == 0 {
		return 0, 0
	}
	if step > 0 {
		start, end = clamp(start, 0, size), clamp(end, 0, size)
		if end <= start {
			return 0, 0
		}
		return start, (end-start-1)/step + 1
	}
	start, end = clamp(start, 0, size-1), clamp(end, -1, size-1)
	if start <= end {
		return 0, 0
	}
	// -step overflows for the smallest integer; any step beyond size is one element.
	return start, (start-end-1)/-max(step, -size-1) + 1
}

func splitTypes(n *Node, in []tensor.Datatype) ([]tensor.Datatype, error) {
	return typed{[]kinds{anything, integers}, 1, make([]tensor.Datatype, len(n.Outputs))}.rule(n, in)
}

func buildSplit(n *Node) (Kernel, error) {
	axis, attribute := n.int("axis", 0), n.ints("split")
	outputs := int64(len(n.Outputs))
	if declared := n.int("num_outputs", outputs); declared != outputs {
		return nil, fmt.Errorf("has %d outputs and num_outputs %d", outputs, declared)
	}
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		at, err := axisOf(axis, len(t.Shape))
		if err != nil {
			return nil, err
		}
		sizes, err := parameter(in, 1, attribute)
		if err != nil {
			return nil, err
		}
		if sizes == nil {
			each := (t.Shape[at] + outputs - 1) / outputs
			for rest := t.Shape[at]; int64(len(sizes)) < outputs; rest -= each {
				sizes = append(sizes, max(0, min(each, rest)))
			}
		}
		sum := int64(0)
		for _, s := range sizes {
			if s < 0 || s > t.Shape[at] {
				return nil, fmt.Errorf("split %v does not fit dimension %d of shape %v", sizes, at, t.Shape)
			}
			sum += s
		}
		if sum != t.Shape[at] || int64(len(sizes)) != outputs {
			return nil, fmt.Errorf("split %v does not fit dimension %d of shape %v", sizes, at, t.Shape)
		}
		var out []*tensor.Tensor
		move, offset := fullSteps(t.Shape), 0
		for _, size := range sizes {
			shape := slices.Clone(t.Shape)
			shape[at] = size
			part, err := c.pickMovingFrom(t, shape, move, offset)
			if err != nil {
				return nil, err
			}
			out = append(out, part)
			offset += int(size) * move[at]
		}
		return out, nil
	}, nil
}
