package seal

import (
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// looked is how many rows are searched for rare values: enough to find them,
// and nothing beside the evaluation of a large file.
const looked = 200_000

// choose returns n of the rows of inputs, ascending. See the package's comment
// for which.
func choose(inputs []tensor.Tensor, total, n int) []int {
	if n >= total {
		return evenly(total, total)
	}
	chosen := evenly(total, (n+1)/2)
	taken := make(map[int]bool, n)
	for _, row := range chosen {
		taken[row] = true
	}
	for _, row := range rare(inputs, min(total, looked)) {
		if len(chosen) == n {
			break
		}
		if !taken[row] {
			taken[row] = true
			chosen = append(chosen, row)
		}
	}
	// Where little is rare, further rows of a finer spread.
	for _, row := range evenly(total, min(total, 2*n)) {
		if len(chosen) == n {
			break
		}
		if !taken[row] {
			taken[row] = true
			chosen = append(chosen, row)
		}
	}
	slices.Sort(chosen)
	return chosen
}

// evenly spreads n rows over total, the first and the last included.
func evenly(total, n int) []int {
	out := make([]int, n)
	for i := range out {
		if n > 1 {
			out[i] = i * (total - 1) / (n - 1)
		}
	}
	return out
}

// rare returns first rows of rare values among the first n rows, the rarest
// value first.
func rare(inputs []tensor.Tensor, n int) []int {
	type value struct {
		input, first, count int
	}
	var values []value
	for i := range inputs {
		t := &inputs[i]
		if t.Rows() == 0 {
			continue
		}
		width := t.Len() / t.Rows()
		switch {
		case t.Datatype == tensor.Bytes:
			levels := map[string]int{}
			var mine []value
			for k := range n * width {
				at, ok := levels[t.Strs[k]]
				if !ok {
					at = len(mine)
					levels[t.Strs[k]] = at
					mine = append(mine, value{input: i, first: k / width})
				}
				mine[at].count++
			}
			values = append(values, mine...)
		case t.Datatype.Float():
			missing := value{input: i, first: -1}
			for k := range n * width {
				if v, _ := t.Float(k); v != v {
					if missing.first < 0 {
						missing.first = k / width
					}
					missing.count++
				}
			}
			if missing.first >= 0 {
				values = append(values, missing)
			}
		}
	}
	slices.SortStableFunc(values, func(a, b value) int { return a.count - b.count })
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = v.first
	}
	return out
}
