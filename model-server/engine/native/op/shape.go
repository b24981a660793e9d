package op

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	register("", "Reshape", 1, 2, 1, buildReshape, keeps(anything, integers), 1)
	register("", "Flatten", 1, 1, 1, buildFlatten, sameType(anything))
	register("", "Squeeze", 1, 2, 1, buildSqueeze, keeps(anything, integers), 1)
	register("", "Unsqueeze", 1, 2, 1, buildUnsqueeze, keeps(anything, integers), 1)
	register("", "Shape", 1, 1, 1, buildShape, gives(anything, tensor.Int64))
	register("", "Size", 1, 1, 1, buildSize, gives(anything, tensor.Int64))
	register("", "Transpose", 1, 1, 1, buildTranspose, sameType(anything))
	register("", "Expand", 2, 2, 1, buildExpand, keeps(anything, integers), 1)
}

// parameter is a list that is an attribute in old operator sets and an input
// in later ones; nil where neither is there.
func parameter(in []*tensor.Tensor, i int, attribute []int64) ([]int64, error) {
	if i < len(in) && in[i] != nil {
		return intList(in[i])
	}
	return attribute, nil
}

func buildReshape(n *Node) (Kernel, error) {
	attribute, allowZero := n.ints("shape"), n.int("allowzero", 0) != 0
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		want, err := parameter(in, 1, attribute)
		if err != nil {
			return nil, err
		}
		if err := CheckRank(len(want)); err != nil {
			return nil, err
		}
		t, shape := in[0], slices.Clone(want)
		open, known := -1, int64(1)
		for i, d := range shape {
			switch {
			case d == 0 && !allowZero:
				if i >= len(t.Shape) {
					return nil, fmt.Errorf("shape %v copies dimension %d, the input has shape %v", want, i, t.Shape)
				}
				shape[i] = t.Shape[i]
			case d == -1 && open < 0:
				open = i
				continue
			case d < 0:
				return nil, fmt.Errorf("shape %v leaves more than one dimension open", want)
			}
			known *= shape[i]
		}
		if open >= 0 {
			shape[open] = 0
			if known != 0 {
				shape[open] = int64(t.Len()) / known
			}
		}
		if count, err := c.elements(shape); err != nil || count != t.Len() {
			return nil, fmt.Errorf("input of shape %v has no form %v", t.Shape, want)
		}
		return []*tensor.Tensor{reshaped(t, shape)}, nil
	}, nil
}

func buildFlatten(n *Node) (Kernel, error) {
	axis := n.int("axis", 1)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t, at := in[0], axis
		if at < 0 {
			at += int64(len(t.Shape))
		}
		if at < 0 || at > int64(len(t.Shape)) {
			return nil, fmt.Errorf("axis %d is outside shape %v", axis, t.Shape)
		}
		outer, inner := int64(1), int64(1)
		for i, d := range t.Shape {
			if int64(i) < at {
				outer *= d
			} else {
				inner *= d
			}
		}
		return []*tensor.Tensor{reshaped(t, []int64{outer, inner})}, nil
	}, nil
}

func buildSqueeze(n *Node) (Kernel, error) {
	attribute := n.ints("axes")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		axes, err := parameter(in, 1, attribute)
		if err != nil {
			return nil, err
		}
		t := in[0]
		drop := make([]bool, len(t.Shape))
		for _, a := range axes {
			i, err := axisOf(a, len(t.Shape))
			if err != nil {
				return nil, err
			}
			if t.Shape[i] != 1 {
				return nil, fmt.Errorf("dimension %d of shape %v is not 1", i, t.Shape)
			}
			drop[i] = true
		}
		shape := []int64{}
		for i, d := range t.Shape {
			if !drop[i] && (axes != nil || d != 1) {
				shape = append(shape, d)
			}
		}
		return []*tensor.Tensor{reshaped(t, shape)}, nil
	}, nil
}

func buildUnsqueeze(n *Node) (Kernel, error) {
	attribute := n.ints("axes")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		axes, err := parameter(in, 1, attribute)
		if err != nil {
			return nil, err
		}
		t := in[0]
		if len(axes) > 16 {
			return nil, fmt.Errorf("adds %d dimensions", len(axes))
		}
		added := make([]bool, len(t.Shape)+len(axes))
		for _, a := range axes {
			i, err := axisOf(a, len(added))
			if err != nil {
				return nil, err
			}
			if added[i] {
				return nil, fmt.Errorf("axes %v name dimension %d twice", axes, i)
			}
			added[i] = true
		}
		shape, rest := make([]int64, len(added)), t.Shape
		for i := range shape {
			if added[i] {
				shape[i] = 1
				continue
			}
			shape[i], rest = rest[0], rest[1:]
		}
		return []*tensor.Tensor{reshaped(t, shape)}, nil
	}, nil
}

func buildShape(n *Node) (Kernel, error) {
	start, end := n.int("start", 0), n.int("end", 1<<31)
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		rank := int64(len(in[0].Shape))
		bound := func(v int64) int64 {
			if v < 0 {
				v += rank
			}
			return min(max(v, 0), rank)
		}
		from, to := bound(start), bound(end)
		part := slices.Clone(in[0].Shape[from:max(from, to)])
		return []*tensor.Tensor{{Datatype: tensor.Int64, Shape: []int64{int64(len(part))}, I64: part}}, nil
	}, nil
}

func buildSize(*Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		return []*tensor.Tensor{{Datatype: tensor.Int64, I64: []int64{int64(in[0].Len())}}}, nil
	}, nil
}

func buildTranspose(n *Node) (Kernel, error) {
	perm := n.ints("perm")
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		order := perm
		if order == nil {
			for i := len(t.Shape) - 1; i >= 0; i-- {
				order = append(order, int64(i))
			}
		}
		if len(order) != len(t.Shape) {
			return nil, fmt.Errorf("perm %v does not fit shape %v", perm, t.Shape)
		}
		from := steps(t.Shape, t.Shape)
		shape, move, seen := make([]int64, len(order)), make([]int, len(order)), make([]bool, len(order))
		for i, p := range order {
			if p < 0 || int(p) >= len(order) || seen[p] {
				return nil, fmt.Errorf("perm %v is no permutation", perm)
			}
			seen[p] = true
			shape[i], move[i] = t.Shape[p], from[p]
		}
		return one(c.pickMoving(t, shape, move))
	}, nil
}

// pickMoving picks elements by walking t with the given steps.
func (c *Call) pickMoving(t *tensor.Tensor, shape []int64, move []int) (*tensor.Tensor, error) {
	count, err := c.elements(shape)
	if err != nil {
		return nil, err
	}
	at, err := c.positions(count)
	if err != nil {
		return nil, err
	}
	indices(shape, [][]int{move}, func(i int, from []int) { at[i] = from[0] })
	return c.pick(t, shape, func(i int) int { return at[i] })
}

func buildExpand(*Node) (Kernel, error) {
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		want, err := intList(in[1])
		if err == nil {
			err = CheckRank(len(want))
		}
		if err != nil {
			return nil, err
		}
		shape, err := broadcast(in[0].Shape, want)
		if err != nil {
			return nil, err
		}
		return one(c.pickMoving(in[0], shape, steps(in[0].Shape, shape)))
	}, nil
}
