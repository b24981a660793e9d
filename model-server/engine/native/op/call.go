package op

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Call is one run through a model, or its loading. It holds what the run may
// still use of its budget; kernels ask it before they allocate and before they
// compute for long. A Call is for one goroutine; Stopped alone is for any.
type Call struct {
	ctx        context.Context
	budget     engine.Budget
	deadline   time.Time
	memory     int64 // bytes in use
	operations int64 // spent
	looked     int64 // operations when ctx was last looked at
	most       int   // elements of a value
}

// NewCall begins a run within budget.
func NewCall(ctx context.Context, budget engine.Budget) *Call {
	budget = budget.WithDefaults()
	return &Call{ctx: ctx, budget: budget, deadline: time.Now().Add(budget.Time), most: MaxElements}
}

// Memory is the number of bytes in use.
func (c *Call) Memory() int64 { return c.memory }

// Release says how many bytes are still in use, now that others are not.
func (c *Call) Release(inUse int64) { c.memory = inUse }

// Take asks for bytes that are about to be allocated.
func (c *Call) Take(bytes int64) error {
	if bytes > c.budget.Memory-c.memory {
		return engine.LimitErrorf("needs more than the %d MiB of memory that a model may use here", c.budget.Memory>>20)
	}
	c.memory += bytes
	return nil
}

// between is how many operations pass before the clock and the caller are
// looked at: some milliseconds.
const between = 1 << 22

// Spend counts operations that are about to be computed: multiplications,
// elements, steps in a tree.
func (c *Call) Spend(operations int64) error {
	if err := c.afford(operations); err != nil {
		return err
	}
	c.operations += operations
	if c.operations-c.looked < between {
		return nil
	}
	c.looked = c.operations
	return c.Stopped()
}

// afford refuses what cannot be spent in the end, before the first of it is.
func (c *Call) afford(operations int64) error {
	if operations > c.budget.Operations-c.operations {
		return c.tooMuch()
	}
	return nil
}

func (c *Call) tooMuch() error {
	return engine.LimitErrorf("needs more than the %.2g operations that a model may use here", float64(c.budget.Operations))
}

// Stopped says whether the caller went away or the time is over.
func (c *Call) Stopped() error {
	err := c.ctx.Err()
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil || time.Now().After(c.deadline) {
		return engine.LimitErrorf("takes longer than the %s that a model may use here", c.budget.Time)
	}
	return nil
}

// width is the size of an element in memory.
func width(kind tensor.Datatype) int64 {
	switch {
	case kind == tensor.Bytes:
		return 32 // a string's header and a short text
	case kind == tensor.FP32:
		return 4
	case kind == tensor.Bool:
		return 1
	}
	return 8
}

// Size is the number of bytes that t's elements have in memory.
func Size(t *tensor.Tensor) int64 { return int64(t.Len()) * width(t.Datatype) }

// positions returns room for n indices.
func (c *Call) positions(n int) ([]int, error) {
	if err := c.Take(8 * int64(n)); err != nil {
		return nil, err
	}
	return make([]int, n), nil
}

// MaxElements bounds every value that a model computes, whatever the budget.
const MaxElements = 1 << 26

// maxRank bounds the dimensions of a value: kernels walk them for each element.
const maxRank = 64

// CheckRank refuses a value of too many dimensions.
func CheckRank(rank int) error {
	if rank > maxRank {
		return engine.LimitErrorf("needs a value of %d dimensions, more than %d", rank, maxRank)
	}
	return nil
}

// ErrLarge says that a value is larger than what Small allows.
var ErrLarge = errors.New("the value is too large to be kept")

// Small does what may fail with ErrLarge, where a value has more elements than
// most: nothing of it is computed then.
func (c *Call) Small(most int, do func() error) error {
	c.most = most
	defer func() { c.most = MaxElements }()
	return do()
}

// elements is the product of shape, which a value may have.
func (c *Call) elements(shape []int64) (int, error) {
	if err := CheckRank(len(shape)); err != nil {
		return 0, err
	}
	n, err := tensor.Elements(shape, MaxElements)
	if err != nil && !slices.ContainsFunc(shape, func(d int64) bool { return d < 0 }) {
		return 0, engine.LimitErrorf("needs a value of shape %v, more than %d elements", shape, MaxElements)
	}
	if err == nil && n > c.most {
		return 0, ErrLarge
	}
	return n, err
}

// newTensor allocates a tensor of zeros after checking its size: a model may
// multiply sizes (Expand, ConstantOfShape, OneHotEncoder), and models come
// from outside.
func (c *Call) newTensor(kind tensor.Datatype, shape []int64) (*tensor.Tensor, error) {
	n, err := c.elements(shape)
	if err != nil {
		return nil, err
	}
	if err := c.Take(int64(n) * width(kind)); err != nil {
		return nil, fmt.Errorf("a value of shape %v: %w", shape, err)
	}
	if err := c.Spend(int64(n)); err != nil {
		return nil, err
	}
	return New(kind, shape, n), nil
}
