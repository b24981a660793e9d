package metric

import (
	"math"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// Data is one model's answers on N rows, by column. Slices that the task does
// not have are nil. Classes are indices into Classes; a Data is not changed
// once it is in use.
type Data struct {
	Task     exam.Task
	N        int
	Classes  []string
	Positive int         // index of the positive class (binary)
	Label    []int32     // class index by row
	Pred     []int32     // class index by row
	Target   []float64   // regression
	Value    []float64   // regression
	Score    []float64   // binary: probability of the positive class
	Proba    [][]float64 // multiclass: [class][row]
	Weight   []float64   // sampling weights; nil means 1 each
	// Custom holds the numbers of custom metrics by name: one per row, or one.
	Custom map[string][]float64

	total      float64
	totalOnce  sync.Once
	order      []int32
	orderOnce  sync.Once
	counts     *Counts
	countsOnce sync.Once
}

// W returns the weight of row i.
func (d *Data) W(i int) float64 {
	if d.Weight == nil {
		return 1
	}
	return d.Weight[i]
}

// TotalWeight returns the sum of the weights.
func (d *Data) TotalWeight() float64 {
	d.totalOnce.Do(func() {
		if d.Weight == nil {
			d.total = float64(d.N)
			return
		}
		for _, w := range d.Weight {
			d.total += w
		}
	})
	return d.total
}

// Mean returns the weighted mean of x, which has a value per row.
func (d *Data) Mean(x []float64) float64 {
	var sum float64
	if d.Weight == nil {
		// Four sums let the additions overlap and lose fewer digits than one.
		var s0, s1, s2, s3 float64
		i := 0
		for ; i+4 <= len(x); i += 4 {
			s0 += x[i]
			s1 += x[i+1]
			s2 += x[i+2]
			s3 += x[i+3]
		}
		for ; i < len(x); i++ {
			s0 += x[i]
		}
		return (s0 + s1 + s2 + s3) / float64(d.N)
	}
	for i, v := range x {
		sum += d.Weight[i] * v
	}
	return sum / d.TotalWeight()
}

// Order returns the rows of a binary task by ascending score.
func (d *Data) Order() []int32 {
	d.orderOnce.Do(func() { d.order = SortedOrder(d.Score) })
	return d.order
}

// Rows returns the data of some rows, in the given order.
func (d *Data) Rows(rows []int32) *Data {
	s := &Data{Task: d.Task, N: len(rows), Classes: d.Classes, Positive: d.Positive}
	s.Label, s.Pred = pick(d.Label, rows), pick(d.Pred, rows)
	s.Target, s.Value = pick(d.Target, rows), pick(d.Value, rows)
	s.Score, s.Weight = pick(d.Score, rows), pick(d.Weight, rows)
	if d.Proba != nil {
		s.Proba = make([][]float64, len(d.Proba))
		for k := range d.Proba {
			s.Proba[k] = pick(d.Proba[k], rows)
		}
	}
	if d.Custom != nil {
		s.Custom = make(map[string][]float64, len(d.Custom))
		for name, x := range d.Custom {
			if len(x) == d.N { // one for all rows is not one for some
				s.Custom[name] = pick(x, rows)
			}
		}
	}
	return s
}

func pick[T any](x []T, rows []int32) []T {
	if x == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = x[r]
	}
	return out
}

// SortedOrder returns the indices of x (no NaN) in ascending order; equal
// values keep their order. It is a radix sort on the bits, O(len(x)).
func SortedOrder(x []float64) []int32 {
	n := len(x)
	keys := make([]uint64, n)
	var first, differ uint64 // differ: bits in which some key is not the first
	for i, v := range x {
		b := math.Float64bits(v + 0) // -0 becomes +0: equal values, equal keys
		if b>>63 != 0 {
			b = ^b
		} else {
			b |= 1 << 63
		}
		keys[i] = b
		if i == 0 {
			first = b
		}
		differ |= b ^ first
	}
	order, other := make([]int32, n), make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	const bits = 11
	var count [1 << bits]int32
	for shift := 0; shift < 64; shift += bits {
		if (differ>>shift)&(1<<bits-1) == 0 {
			continue
		}
		clear(count[:])
		for _, i := range order {
			count[(keys[i]>>shift)&(1<<bits-1)]++
		}
		var at int32
		for j, c := range count {
			count[j], at = at, at+c
		}
		for _, i := range order {
			digit := (keys[i] >> shift) & (1<<bits - 1)
			other[count[digit]] = i
			count[digit]++
		}
		order, other = other, order
	}
	return order
}
