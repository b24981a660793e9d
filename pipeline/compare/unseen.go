package compare

import (
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// littleMoved is the part of what a row could do under which the largest move
// seen says nothing of the largest there is.
const littleMoved = 0.25

// unseenRows returns what the worst and the best row that was not seen would
// contribute, on the scale of the influences x. What is observed is no evidence
// of rows that were not:
//
//   - Of ranks, a row may sink from the top to the bottom. Where no row moved
//     by more than a quarter of that, the models are all but equal on what was
//     seen, and any row may; else the rows' own tail says how far, at most that,
//     and of many rows the worst seen is enough.
//   - Of a mean of losses, the tail of the differences says how far (tail).
//   - Where the metric reads the same of both models on all rows, there is no
//     tail to ask: a row may get any answer that some row got.
//
// Shares of hits and counts know their worst cell themselves (counts.go).
//
// parts and n say how many rows of each class, and of all, tell as much.
func (p *pair) unseenRows(m metric.Metric, c contrast, x []float64, parts []class, n, scale float64) (low, high unseen) {
	if m.Family == metric.Rank || m.Needs&metric.NeedProba != 0 && m.Family == metric.Smooth {
		down, up := p.furthest(c, parts, n, scale)
		movedDown, movedUp := moved(-slices.Min(x), -down.value), moved(slices.Max(x), up.value)
		if m.Name == "pr_auc" {
			down, up = p.furthestPrecision(c, parts, n, scale)
		}
		if movedDown {
			down.value = -down.seenMost(m, -down.value, negated(x))
		}
		if movedUp {
			up.value = up.seenMost(m, up.value, x)
		}
		return down, up
	}
	if c.same {
		most := p.mostOfARow(m) / scale
		return unseen{-most, n}, unseen{most, n}
	}
	low, high = unseen{-tail(negated(x)), n}, unseen{tail(x), n}
	if m.BoundedLoss {
		most := p.mostOfARow(m) / scale
		low.value, high.value = math.Max(low.value, -most), math.Min(high.value, most)
	}
	return low, high
}

func allZero(x []float64) bool {
	return !slices.ContainsFunc(x, func(v float64) bool { return v != 0 })
}

// moved reports whether the largest move seen says something of those that were
// not.
func moved(largest, most float64) bool { return largest >= littleMoved*most }

// manyOfClass rows of a class, of which some moved far, need no row worse than
// the worst of them for an area under the ROC curve, where each counts alike.
const manyOfClass = 100

// seenMost is how far an unseen row may go where others were seen to go far.
func (u unseen) seenMost(m metric.Metric, most float64, x []float64) float64 {
	if m.Family == metric.Rank && u.of >= manyOfClass {
		return 0
	}
	return math.Min(most, tail(x))
}

func negated(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = -v
	}
	return out
}

// furthest returns what a row does that sinks from the top to the bottom, or
// rises: the most that a row of any class can.
func (p *pair) furthest(c contrast, parts []class, n, scale float64) (down, up unseen) {
	vc, vb := c.diff+c.base, c.base
	if p.base == nil {
		vc, vb = c.diff, 1 // of one model: what it has to lose, and to win
	}
	worst := func(value float64, of class, unit float64) {
		if of.nEff <= 0 {
			return
		}
		// As many rows of the class as it effectively has, not of all.
		unit *= of.share * n / of.nEff / scale
		if v := -value * unit; v < down.value {
			down = unseen{v, of.nEff}
		}
	}
	best := func(value float64, of class, unit float64) {
		if of.nEff <= 0 {
			return
		}
		unit *= of.share * n / of.nEff / scale
		if v := value * unit; v > up.value {
			up = unseen{v, of.nEff}
		}
	}
	k := float64(len(parts))
	for _, part := range parts {
		if part.rows == 0 || part.share <= 0 {
			continue
		}
		unit := 1 / part.share
		if len(parts) > 2 { // the mean of one-against-rest areas
			for _, other := range parts {
				if other.share < 1 {
					unit += 1 / (1 - other.share)
				}
			}
			unit = (unit - 1/(1-part.share)) / k
		}
		worst(vc+1-vb, part, unit)
		best(1-vc+vb, part, unit)
		if p.base == nil {
			best(1-vc, part, unit)
		}
	}
	return down, up
}

// furthestPrecision does the same for average precision, whose influence has no
// bound: the slope over as many unseen rows as there may be.
func (p *pair) furthestPrecision(c contrast, parts []class, n, scale float64) (down, up unseen) {
	const rows = 3
	share := rows / n
	pos := parts[p.cand.Positive]
	mass := share / (1 + share)
	rise := func(v float64) float64 { return (1 - v) * share / (pos.share + share) }
	lost := c.diff + c.base - metric.LeastPrecision(p.cand, share)
	if p.base == nil {
		lost = c.diff - metric.LeastPrecision(p.cand, share)
		return unseen{-lost / mass / scale, pos.nEff}, unseen{rise(c.diff) / mass / scale, pos.nEff}
	}
	won := c.base - metric.LeastPrecision(p.base, share)
	return unseen{-(lost + rise(c.base)) / mass / scale, pos.nEff}, unseen{(won + rise(c.diff+c.base)) / mass / scale, pos.nEff}
}

// mostOfARow returns by how much one row's part of the metric can change, when
// a row may get any answer that some row got.
func (p *pair) mostOfARow(m metric.Metric) float64 {
	d := p.cand
	of := m
	if m.Loss == nil { // a function of squared errors
		var err error
		if of, err = metric.Lookup("mse"); err != nil {
			return math.Inf(1)
		}
	}
	if m.Needs == 0 { // custom: its numbers are all that is known of it
		x := d.Custom[m.Name]
		return slices.Max(x) - slices.Min(x)
	}
	e := extremeAnswers(d)
	loss := make([]float64, e.N)
	if why := of.Loss(e, loss); why != "" {
		return math.Inf(1)
	}
	most := slices.Max(loss) - slices.Min(loss)
	if m.Loss != nil {
		return most
	}
	if m.Name == "rmse" {
		// A root has no slope at 0: over as many unseen rows as there may be.
		const rows = 3
		v, share := m.Compute(d).V, rows/(rows+p.effective())
		return (math.Sqrt(v*v+share*most) - v) / share
	}
	mean := d.Mean(d.Target)
	square := make([]float64, d.N)
	for i, y := range d.Target {
		square[i] = (y - mean) * (y - mean)
	}
	return most / d.Mean(square)
}

// extremeAnswers returns rows that pair every kind of label with the most extreme
// answers that some row got.
func extremeAnswers(d *metric.Data) *metric.Data {
	e := &metric.Data{Task: d.Task, Classes: d.Classes, Positive: d.Positive}
	if d.Task == exam.Regression {
		for _, y := range []float64{slices.Min(d.Target), slices.Max(d.Target)} {
			for _, v := range []float64{slices.Min(d.Value), slices.Max(d.Value)} {
				e.Target, e.Value = append(e.Target, y), append(e.Value, v)
			}
		}
		// The best answer: none is off.
		e.Target, e.Value = append(e.Target, e.Target[0]), append(e.Value, e.Target[0])
		e.N = len(e.Target)
		return e
	}
	if d.Proba == nil {
		for k := range int32(2) {
			for _, s := range []float64{slices.Min(d.Score), slices.Max(d.Score)} {
				e.Label, e.Score = append(e.Label, k), append(e.Score, s)
			}
		}
		e.N = len(e.Label)
		return e
	}
	e.Proba = make([][]float64, len(d.Proba))
	for k, p := range d.Proba {
		low, high := 0, 0
		for i, v := range p {
			if v < p[low] {
				low = i
			}
			if v > p[high] {
				high = i
			}
		}
		for _, row := range []int{low, high} {
			e.Label = append(e.Label, int32(k))
			for j := range d.Proba {
				e.Proba[j] = append(e.Proba[j], d.Proba[j][row])
			}
		}
	}
	e.N = len(e.Label)
	return e
}

// effective is the number of equal rows that tell as much: (sum w)²/sum w².
func (p *pair) effective() float64 {
	if n := effective(p.cand.Weight); n > 0 {
		return n
	}
	return float64(p.cand.N)
}
