package op

import (
	"math"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

func init() {
	sum := func(values []float64) float64 {
		total := 0.0
		for _, v := range values {
			total += v
		}
		return total
	}
	mapped := func(f func(float64) float64) func([]float64) float64 {
		return func(values []float64) float64 {
			total := 0.0
			for _, v := range values {
				total += f(v)
			}
			return total
		}
	}
	square := func(v float64) float64 { return float64(v * v) }
	for name, reduce := range map[string]func([]float64) float64{
		"ReduceSum":       sum,
		"ReduceMean":      func(v []float64) float64 { return sum(v) / float64(len(v)) },
		"ReduceSumSquare": mapped(square),
		"ReduceL1":        mapped(math.Abs),
		"ReduceL2":        func(v []float64) float64 { return math.Sqrt(mapped(square)(v)) },
		"ReduceLogSum":    func(v []float64) float64 { return log(sum(v)) },
		"ReduceLogSumExp": logSumExp,
		"ReduceProd": func(values []float64) float64 {
			total := 1.0
			for _, v := range values {
				total *= v
			}
			return total
		},
		"ReduceMax": extreme(math.Inf(-1), maximum),
		"ReduceMin": extreme(math.Inf(1), minimum),
	} {
		types := keeps(numbers, integers)
		if name == "ReduceMax" || name == "ReduceMin" {
			types = keeps(numbersBools, integers) // of BOOL: any, all
		}
		register("", name, 1, 2, 1, func(n *Node) (Kernel, error) { return buildReduce(n, reduce) }, types, 1)
	}
}

func extreme(start float64, better func(a, b float64) float64) func([]float64) float64 {
	return func(values []float64) float64 {
		best := start
		for _, v := range values {
			best = better(best, v)
		}
		return best
	}
}

func logSumExp(values []float64) float64 {
	top := extreme(math.Inf(-1), maximum)(values)
	if math.IsInf(top, 0) || math.IsNaN(top) {
		return top
	}
	total := 0.0
	for _, v := range values {
		total += exp(v - top)
	}
	return top + log(total)
}

// buildReduce computes in float64 and rounds once. Integers up to 2^53 are
// exact in it.
func buildReduce(n *Node, reduce func([]float64) float64) (Kernel, error) {
	attribute, keep := n.ints("axes"), n.int("keepdims", 1) != 0
	nothing := n.int("noop_with_empty_axes", 0) != 0
	return func(c *Call, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
		t := in[0]
		axes, err := parameter(in, 1, attribute)
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 && nothing {
			return in[:1], nil
		}
		over := make([]bool, len(t.Shape))
		for i := range over {
			over[i] = len(axes) == 0
		}
		for _, a := range axes {
			i, err := axisOf(a, len(t.Shape))
			if err != nil {
				return nil, err
			}
			over[i] = true
		}
		if t.Datatype == tensor.Bool {
			if t, err = c.cast(t, tensor.Uint8); err != nil {
				return nil, err
			}
		}
		if err := c.Spend(int64(t.Len())); err != nil {
			return nil, err
		}
		x, err := c.float64s(t)
		if err != nil {
			return nil, err
		}
		var shape, outer, inner []int64
		var outerMove, innerMove []int
		for i, step := range fullSteps(t.Shape) {
			if over[i] {
				inner, innerMove = append(inner, t.Shape[i]), append(innerMove, step)
				if keep {
					shape = append(shape, 1)
				}
				continue
			}
			outer, outerMove = append(outer, t.Shape[i]), append(outerMove, step)
			shape = append(shape, t.Shape[i])
		}
		wide, err := c.newTensor(tensor.FP64, shape)
		if err != nil {
			return nil, err
		}
		count, err := c.elements(inner)
		if err != nil {
			return nil, err
		}
		if err := c.Take(8 * int64(count)); err != nil {
			return nil, err
		}
		values := make([]float64, count)
		indices(outer, [][]int{outerMove}, func(i int, base []int) {
			indices(inner, [][]int{innerMove}, func(k int, at []int) { values[k] = x[base[0]+at[0]] })
			wide.F64[i] = reduce(values)
		})
		if in[0].Datatype == tensor.Bool { // the maximum of nothing, -Inf, is false
			for i, v := range wide.F64 {
				wide.F64[i] = max(v, 0)
			}
		}
		return one(c.cast(wide, in[0].Datatype))
	}, nil
}
