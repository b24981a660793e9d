package op

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// New allocates a tensor of n zeros, the product of shape.
func New(kind tensor.Datatype, shape []int64, n int) *tensor.Tensor {
	t := &tensor.Tensor{Datatype: kind, Shape: slices.Clone(shape)}
	switch {
	case kind == tensor.FP32:
		t.F32 = make([]float32, n)
	case kind == tensor.FP64:
		t.F64 = make([]float64, n)
	case kind == tensor.Bool:
		t.Bools = make([]bool, n)
	case kind == tensor.Bytes:
		t.Strs = make([]string, n)
	case kind.Unsigned():
		t.U64 = make([]uint64, n)
	default:
		t.I64 = make([]int64, n)
	}
	return t
}

// reshaped returns t's data under another shape of equally many elements.
func reshaped(t *tensor.Tensor, shape []int64) *tensor.Tensor {
	out := *t
	out.Shape = slices.Clone(shape)
	return &out
}

// one returns a kernel's only output.
func one(t *tensor.Tensor, err error) ([]*tensor.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return []*tensor.Tensor{t}, nil
}

// Matrix returns the rows and columns of a feature tensor as the ai.onnx.ml
// operators read it: [C] is one row, [N, C] is N of them.
func Matrix(t *tensor.Tensor) (rows, columns int, err error) {
	switch len(t.Shape) {
	case 1:
		return 1, int(t.Shape[0]), nil
	case 2:
		return int(t.Shape[0]), int(t.Shape[1]), nil
	}
	return 0, 0, fmt.Errorf("input has shape %v, expected [C] or [N, C]", t.Shape)
}

// float32s returns the elements as float32, converting other numbers.
func (c *Call) float32s(t *tensor.Tensor) ([]float32, error) {
	switch {
	case t.Datatype == tensor.FP32:
		return t.F32, nil
	case t.Datatype == tensor.FP64:
		return converted[float32](c, t.F64, 4)
	case t.Datatype.Signed():
		return converted[float32](c, t.I64, 4)
	case t.Datatype.Unsigned():
		return converted[float32](c, t.U64, 4)
	}
	return nil, wrongType(t, "numbers")
}

// float64s returns the elements as float64, converting other numbers.
func (c *Call) float64s(t *tensor.Tensor) ([]float64, error) {
	switch {
	case t.Datatype == tensor.FP64:
		return t.F64, nil
	case t.Datatype == tensor.FP32:
		return converted[float64](c, t.F32, 8)
	case t.Datatype.Signed():
		return converted[float64](c, t.I64, 8)
	case t.Datatype.Unsigned():
		return converted[float64](c, t.U64, 8)
	}
	return nil, wrongType(t, "numbers")
}

type number interface {
	~float32 | ~float64 | ~int64 | ~uint64
}

// converted is convert within the budget.
func converted[To, From number](c *Call, from []From, size int64) ([]To, error) {
	if err := c.Take(size * int64(len(from))); err != nil {
		return nil, err
	}
	return convert[To](from), nil
}

func convert[To, From number](from []From) []To {
	out := make([]To, len(from))
	for i, v := range from {
		out[i] = To(v)
	}
	return out
}

func wrongType(t *tensor.Tensor, want string) error {
	return fmt.Errorf("input is %s, expected %s", t.Datatype, want)
}

// intList returns an INT64 or INT32 tensor's elements: axes, shapes, indices.
func intList(t *tensor.Tensor) ([]int64, error) {
	if !t.Datatype.Signed() {
		return nil, wrongType(t, "integers")
	}
	return t.I64, nil
}

// axisOf turns an axis that may count from the end into an index below rank.
func axisOf(axis int64, rank int) (int, error) {
	if axis < 0 {
		axis += int64(rank)
	}
	if axis < 0 || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside a tensor of %d dimensions", axis, rank)
	}
	return int(axis), nil
}

// around returns the products of the dimensions before axis, at it and after.
func around(shape []int64, axis int) (outer, size, inner int) {
	outer, inner = 1, 1
	for _, d := range shape[:axis] {
		outer *= int(d)
	}
	for _, d := range shape[axis+1:] {
		inner *= int(d)
	}
	return outer, int(shape[axis]), inner
}

// broadcast returns the shape of a and b together, by numpy's rules.
func broadcast(a, b []int64) ([]int64, error) {
	out := make([]int64, max(len(a), len(b)))
	for i := range out {
		x, y := int64(1), int64(1)
		if k := i - len(out) + len(a); k >= 0 {
			x = a[k]
		}
		if k := i - len(out) + len(b); k >= 0 {
			y = b[k]
		}
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			return nil, fmt.Errorf("shapes %v and %v do not fit each other", a, b)
		}
	}
	return out, nil
}

// steps returns, for a tensor of shape broadcast to out, how far its flat
// index moves with each dimension of out: 0 along broadcast ones.
func steps(shape, out []int64) []int {
	s := make([]int, len(out))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if k := len(out) - len(shape) + i; shape[i] != 1 {
			s[k] = n
		}
		n *= int(shape[i])
	}
	return s
}

// indices calls do with the flat indices into each of several tensors, for
// every element of shape in row-major order; moves are their steps.
func indices(shape []int64, moves [][]int, do func(i int, at []int)) {
	// Dimensions of 1 move nothing; walking them for every element would cost
	// more than the element.
	n := 1
	var dims []int64
	kept := make([][]int, len(moves))
	for d, size := range shape {
		if n *= int(size); size == 1 {
			continue
		}
		dims = append(dims, size)
		for k := range moves {
			kept[k] = append(kept[k], moves[k][d])
		}
	}
	shape, moves = dims, kept
	at := make([]int, len(moves))
	count := make([]int64, len(shape))
	for i := range n {
		do(i, at)
		for d := len(shape) - 1; d >= 0; d-- {
			count[d]++
			for k := range at {
				at[k] += moves[k][d]
			}
			if count[d] < shape[d] {
				break
			}
			for k := range at {
				at[k] -= moves[k][d] * int(shape[d])
			}
			count[d] = 0
		}
	}
}

// pick copies elements of from to a new tensor of shape: do gives the flat
// index of each.
func (c *Call) pick(from *tensor.Tensor, shape []int64, index func(i int) int) (*tensor.Tensor, error) {
	out, err := c.newTensor(from.Datatype, shape)
	if err != nil {
		return nil, err
	}
	switch {
	case from.Datatype == tensor.FP32:
		pickInto(out.F32, from.F32, index)
	case from.Datatype == tensor.FP64:
		pickInto(out.F64, from.F64, index)
	case from.Datatype == tensor.Bool:
		pickInto(out.Bools, from.Bools, index)
	case from.Datatype == tensor.Bytes:
		pickInto(out.Strs, from.Strs, index)
	case from.Datatype.Unsigned():
		pickInto(out.U64, from.U64, index)
	default:
		pickInto(out.I64, from.I64, index)
	}
	return out, nil
}

func pickInto[T any](to, from []T, index func(i int) int) {
	for i := range to {
		to[i] = from[index(i)]
	}
}
