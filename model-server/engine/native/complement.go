package native

import (
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// Exporters write the first of two classes as 1 - p beside p = sigmoid(z), in
// operators of their own: scikit-learn's networks and SGDClassifier as
// Sub(1, Sigmoid(z)), calibrated models as Sub(1, Div(1, Add(1, Exp(t)))). In
// float32 the difference is 0 from p = 1 - 3e-8 on. So a difference from 1 of
// what is a sigmoid is computed as what it is, sigmoid(-z).

// logistic is a value that is a sigmoid.
type logistic struct {
	slot    int  // of the score
	negated bool // it is the sigmoid of minus the score
}

// complements follows sigmoids through a graph, by slot.
type complements struct {
	sigmoids map[int]logistic
	exps     map[int]int // e^t: the slot of t
	onePlus  map[int]int // 1 + e^t: the slot of t
}

func newComplements() *complements {
	return &complements{map[int]logistic{}, map[int]int{}, map[int]int{}}
}

// isOne: a single 1 that adds no dimension.
func isOne(t *tensor.Tensor) bool {
	if t == nil || t.Len() != 1 || len(t.Shape) > 1 || !t.Datatype.Float() {
		return false
	}
	v, _ := t.Float(0)
	return v == 1
}

// trace notes what a step computes, and rewrites one that takes a sigmoid from
// 1.
func (c *complements) trace(opType string, s *step, values []*tensor.Tensor) {
	if len(s.out) != 1 || s.out[0] < 0 {
		return
	}
	out := s.out[0]
	one := func(i int) bool { return i < len(values) && isOne(values[i]) }
	switch opType {
	case "Identity":
		if l, ok := c.sigmoids[s.in[0]]; ok {
			c.sigmoids[out] = l
		}
	case "Sigmoid":
		c.sigmoids[out] = logistic{s.in[0], false}
	case "Exp":
		c.exps[out] = s.in[0]
	case "Add":
		for i := range 2 {
			if t, ok := c.exps[s.in[1-i]]; ok && one(i) {
				c.onePlus[out] = t
			}
		}
	case "Div":
		if t, ok := c.onePlus[s.in[1]]; ok && one(0) {
			c.sigmoids[out] = logistic{t, true}
		}
	case "Sub":
		if l, ok := c.sigmoids[s.in[1]]; ok && one(0) {
			s.run, s.in = op.Sigmoid(!l.negated), []int{s.in[0], l.slot}
		}
	}
}
