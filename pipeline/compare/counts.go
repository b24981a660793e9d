package compare

import (
	"math"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// cell is a kind of row: a label and what the two models said of it.
type cell struct {
	label, cand, base int32
	share             float64 // of the weight
}

// joint is the table label x candidate's prediction x baseline's: all that a
// metric of the confusion matrix reads of the rows of two models (base is nil
// where one model is meant, whose predictions then stand twice).
type joint struct {
	cells   []cell
	of      func(c, g *metric.Counts) metric.Value
	classes []string
	pos     int
	single  bool
	// value is the statistic of both values, and its derivatives by them.
	value  func(c, b float64) (v, dc, db float64)
	nEff   []float64 // by label: the rows that tell as much
	labels []float64 // their shares
}

func newJoint(m metric.Metric, cand, base *metric.Data, value func(c, b float64) (v, dc, db float64)) *joint {
	j := &joint{of: m.OfCounts, classes: cand.Classes, pos: cand.Positive, value: value, single: base == nil}
	other := cand.Pred
	if base != nil {
		other = base.Pred
	}
	k := int64(len(cand.Classes))
	weights := map[int64]float64{}
	var dense []float64
	if k*k*k <= 1<<16 {
		dense = make([]float64, k*k*k)
	}
	total := cand.TotalWeight()
	w, w2 := make([]float64, k), make([]float64, k)
	for i, label := range cand.Label {
		key := (int64(label)*k+int64(cand.Pred[i]))*k + int64(other[i])
		wi := cand.W(i)
		w[label] += wi
		w2[label] += wi * wi
		if dense != nil {
			dense[key] += wi
		} else {
			weights[key] += wi
		}
	}
	for key, c := range dense {
		if c > 0 {
			weights[int64(key)] = c
		}
	}
	keys := make([]int64, 0, len(weights))
	for key := range weights {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		j.cells = append(j.cells, cell{int32(key / k / k), int32(key / k % k), int32(key % k), weights[key] / total})
	}
	j.nEff, j.labels = make([]float64, k), make([]float64, k)
	for c := range w {
		j.labels[c] = w[c] / total
		if w2[c] > 0 {
			j.nEff[c] = w[c] * w[c] / w2[c]
		}
	}
	return j
}

// table is the statistic at some shares of the cells, and its derivatives.
type table struct {
	v          float64
	cand, base *metric.Counts // derivatives by the counts of each
	dc, db     float64
	counts     *metric.Counts // of the candidate, for the labels that occur
}

// at returns the statistic where the cells have the given shares; ok is false
// where it has no value.
func (j *joint) at(cells []cell) (t table, ok bool) {
	count := func(pick func(c cell) int32) *metric.Counts {
		k := metric.NewCounts(j.classes, j.pos)
		for _, c := range cells {
			k.Add(c.label, pick(c), c.share)
		}
		return k
	}
	t.cand, t.base = metric.NewCounts(j.classes, j.pos), metric.NewCounts(j.classes, j.pos)
	t.counts = count(func(c cell) int32 { return c.cand })
	vc := j.of(t.counts, t.cand)
	vb := metric.Value{}
	if !j.single {
		vb = j.of(count(func(c cell) int32 { return c.base }), t.base)
	}
	if !vc.Defined() || !vb.Defined() {
		return t, false
	}
	t.v, t.dc, t.db = j.value(vc.V, vb.V)
	return t, finite(t.v, t.dc, t.db)
}

// slope of the statistic by the share of a cell.
func (t table) slope(label, cand, base int32) float64 {
	return t.dc*gradient(t.cand, label, cand) + t.db*gradient(t.base, label, base)
}

func gradient(g *metric.Counts, label, pred int32) float64 {
	v := g.A[label] + g.P[pred]
	if label == pred {
		v += g.T[label]
	}
	return v
}

// worst returns the cell, seen or not, whose share lowers the statistic most
// per row: of the labels that occur, each with every answer of both models.
func (j *joint) worst(t table, sign float64) (w cell, value float64) {
	value = math.Inf(1)
	for label := range j.classes {
		if j.nEff[label] <= 0 || t.counts.A[label] <= 0 {
			continue
		}
		l := int32(label)
		c, lowC := lowestAnswer(t.cand, l, sign*t.dc)
		b, lowB := l, 0.0
		if !j.single {
			b, lowB = lowestAnswer(t.base, l, sign*t.db)
		} else {
			b = c
		}
		if v := lowC + lowB; v < value {
			w, value = cell{label: l, cand: c, base: b}, v
		}
	}
	return w, value
}

// lowestAnswer returns the prediction of a row of the label that makes
// by·gradient least.
func lowestAnswer(g *metric.Counts, label int32, by float64) (answer int32, least float64) {
	least = math.Inf(1)
	for pred := range g.P {
		if v := by * gradient(g, label, int32(pred)); v < least {
			answer, least = int32(pred), v
		}
	}
	return answer, least
}

// bound returns the least (sign 1) or greatest (sign -1) value of the statistic
// over all tables that the data, worth n rows, do not reject: the tilt of
// spread.lowest along the statistic's slope, taken again where it leads until it
// stays. What a rare class may lose that lost nothing here is in it, since one
// cell may be one that was not seen.
func (j *joint) bound(z, n, sign float64) (float64, bool) {
	t, ok := j.at(j.cells)
	if !ok {
		return 0, false
	}
	observed, extreme := t.v, t.v
	v, q := make([]float64, len(j.cells)), make([]float64, len(j.cells))
	for i, c := range j.cells {
		q[i] = c.share
	}
	const rounds = 12
	for range rounds {
		for i, c := range j.cells {
			v[i] = sign * t.slope(c.label, c.cand, c.base)
		}
		w, value := j.worst(t, sign)
		s := spreadOf(v, q, n)
		var mean float64
		for i := range v {
			mean += q[i] * v[i]
		}
		// Where the label's rows tell less than their weight says, more of its
		// weight may be unseen.
		scale := math.Max(j.labels[w.label]*n/j.nEff[w.label], 1)
		_, tilted := s.tilt(z, unseen{(value - mean) * scale, j.nEff[w.label]})
		moved := make([]cell, 0, len(j.cells)+1)
		for i, c := range j.cells {
			c.share = tilted.share(s.v[i], q[i])
			moved = append(moved, c)
		}
		w.share = tilted.unseenShare() * scale
		moved = append(moved, w)
		normalise(moved)
		next, ok := j.at(moved)
		if !ok {
			return 0, false
		}
		done := math.Abs(next.v-extreme) <= 1e-7*math.Abs(next.v-observed)+1e-15
		t, extreme = next, next.v
		if done {
			break
		}
	}
	return extreme, true
}

// normalise makes the shares sum to 1.
func normalise(cells []cell) {
	var sum float64
	for _, c := range cells {
		sum += c.share
	}
	for i := range cells {
		cells[i].share /= sum
	}
}
