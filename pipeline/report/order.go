package report

import (
	"cmp"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Changed reports whether a reader must see m: it does not pass, it changed by
// more than chance, it is the primary one, or there is no baseline and it is
// judged.
func (m *Metric) Changed() bool {
	c := m.Comparison()
	low, high := c.low(), c.high()
	return m.Verdict == verdict.Fail || m.Verdict == verdict.Inconclusive || m.Improved || m.Primary ||
		(low != nil && *low > 0) || (high != nil && *high < 0) ||
		(m.Baseline == nil && m.Verdict != "")
}

// MetricOrder returns the indices of r.Metrics as a reader wants them: what
// fails, what cannot be told, the primary one, what improved, the rest; then
// the same against the anchor.
func (r *Report) MetricOrder() []int {
	rank := func(m *Metric) int {
		k := 4
		switch {
		case m.Verdict == verdict.Fail:
			return 0
		case m.Verdict == verdict.Inconclusive:
			return 1
		case m.Primary:
			k = 2
		case m.Improved:
			k = 3
		case m.Verdict == "":
			k = 5
		}
		if m.Against == AgainstAnchor {
			k += 10
		}
		return k
	}
	return order(len(r.Metrics), func(a, b int) int {
		return cmp.Compare(rank(&r.Metrics[a]), rank(&r.Metrics[b]))
	})
}

// SliceOrder returns the indices of r.Slices, those that matter first, then
// those judged from worst to best in units of their margin, then those only
// listed.
func (r *Report) SliceOrder() []int {
	keys := make([]sliceKey, len(r.Slices))
	for i := range r.Slices {
		keys[i] = r.Slices[i].key()
	}
	return order(len(r.Slices), func(a, b int) int { return keys[a].compare(keys[b]) })
}

// worstSlice returns the first of SliceOrder without sorting, nil if there is
// none.
func (r *Report) worstSlice() *Slice {
	var worst *Slice
	var key sliceKey
	for i := range r.Slices {
		if k := r.Slices[i].key(); worst == nil || k.compare(key) < 0 {
			worst, key = &r.Slices[i], k
		}
	}
	return worst
}

type sliceKey struct {
	rank  int
	worst float64
}

func (k sliceKey) compare(other sliceKey) int {
	if k.rank != other.rank {
		return k.rank - other.rank
	}
	return cmp.Compare(k.worst, other.worst)
}

func (s *Slice) key() sliceKey {
	k := sliceKey{rank: 3}
	switch {
	case s.Verdict == verdict.Fail:
		k.rank = 0
	case s.Matters():
		k.rank = 1
	case s.Verdict != "":
		k.rank = 2
	}
	c := s.Comparison()
	if unit, ok := c.unit(); ok && c.Point != nil && c.Limit != nil {
		k.worst = *c.Point / unit
	}
	return k
}

// order sorts 0..n-1; equal ones keep their order.
func order(n int, compare func(a, b int) int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(a, b int) int {
		if c := compare(a, b); c != 0 {
			return c
		}
		return a - b
	})
	return out
}
