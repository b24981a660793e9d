package predictions

import (
	"fmt"
	"math"
	"strconv"
)

// sameAnswer is how far, relative to the larger, two writings of one answer
// may lie apart: what another processor's arithmetic may change.
const sameAnswer = 1e-6

// Differ says where two sets that should be the same answers first differ, ""
// where they are the same.
func Differ(a, b *Set) string {
	if a.N != b.N {
		return fmt.Sprintf("%d rows and %d", a.N, b.N)
	}
	for _, c := range []struct {
		what string
		a, b func(i int) string
	}{
		{"id", a.idAt, b.idAt}, {"label", a.labelAt, b.labelAt}, {"prediction", a.predictionAt, b.predictionAt},
	} {
		for i := range a.N {
			if x, y := c.a(i), c.b(i); x != y {
				return fmt.Sprintf("row %d has the %s %s and %s", i+1, c.what, x, y)
			}
		}
	}
	for _, c := range a.numbers(b) {
		if len(c.a) != len(c.b) {
			return fmt.Sprintf("one has no %s", c.what)
		}
		for i := range c.a {
			if x, y := c.a[i], c.b[i]; math.Abs(x-y) > sameAnswer*max(1, math.Abs(x), math.Abs(y)) {
				return fmt.Sprintf("row %d has the %s %s and %s", i+1, c.what, strconv.FormatFloat(x, 'g', 9, 64), strconv.FormatFloat(y, 'g', 9, 64))
			}
		}
	}
	return ""
}

func (s *Set) idAt(i int) string {
	if s.ID == nil {
		return strconv.Quote(strconv.Itoa(i + 1))
	}
	return strconv.Quote(s.ID[i])
}

func (s *Set) labelAt(i int) string { return s.class(s.Label, i) }

func (s *Set) predictionAt(i int) string { return s.class(s.Pred, i) }

func (s *Set) class(codes []int32, i int) string {
	if codes == nil {
		return "none"
	}
	return strconv.Quote(s.Classes[codes[i]])
}

type numberPair struct {
	what string
	a, b []float64
}

func (s *Set) numbers(other *Set) []numberPair {
	list := []numberPair{{"target", s.Target, other.Target}, {"value", s.Value, other.Value}, {"score", s.Score, other.Score}}
	for k, class := range s.Classes {
		if k < len(s.Proba) && k < len(other.Proba) {
			list = append(list, numberPair{"probability of " + strconv.Quote(class), s.Proba[k], other.Proba[k]})
		}
	}
	return list
}
