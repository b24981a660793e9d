package metric

import "github.com/dosirak-ml/dosirak/pipeline/exam"

// Counts holds what the metrics of a confusion matrix read of it, as weighted
// shares of all rows: by class, the share that is of the class and predicted
// as it (T), predicted as it (P), and of it (A, actual).
//
// As a gradient it holds the partial derivatives by T, P and A.
type Counts struct {
	T, P, A  []float64
	Positive int
	Classes  []string
}

// NewCounts returns zero counts of k classes.
func NewCounts(classes []string, positive int) *Counts {
	k := len(classes)
	buf := make([]float64, 3*k)
	return &Counts{T: buf[:k:k], P: buf[k : 2*k : 2*k], A: buf[2*k:], Positive: positive, Classes: classes}
}

// Add adds share w of rows with a label and a predicted class.
func (c *Counts) Add(label, pred int32, w float64) {
	c.A[label] += w
	c.P[pred] += w
	if label == pred {
		c.T[label] += w
	}
}

// Reset sets all to zero.
func (c *Counts) Reset() {
	clear(c.T)
	clear(c.P)
	clear(c.A)
}

// Counts returns the confusion counts of d as shares.
func (d *Data) Counts() *Counts {
	d.countsOnce.Do(func() {
		c := NewCounts(d.Classes, d.Positive)
		for i, label := range d.Label {
			c.Add(label, d.Pred[i], d.W(i))
		}
		total := d.TotalWeight()
		for k := range c.T {
			c.T[k] /= total
			c.P[k] /= total
			c.A[k] /= total
		}
		d.counts = c
	})
	return d.counts
}

// counted builds a metric of the confusion matrix. The influence of a row is
// the derivative of f when a small share of rows like it is added:
//
//	psi(a, b) = dA[a] + dP[b] + dT[a]·[a = b] - (the same, averaged over all rows)
//
// All of them are at most 1 and at least -1, which sums of shares can miss by
// their rounding.
func counted(m Metric, formula func(c, g *Counts) Value) Metric {
	f := func(c, g *Counts) Value {
		v := formula(c, g)
		v.V = min(max(v.V, -1), 1)
		return v
	}
	m.Family = Counted
	m.Needs = NeedClass
	m.OfCounts = f
	m.Compute = func(d *Data) Value { return f(d.Counts(), nil) }
	m.Influence = func(d *Data, psi []float64) Value {
		c := d.Counts()
		g := NewCounts(d.Classes, d.Positive)
		v := f(c, g)
		if !v.Defined() {
			return v
		}
		var mean float64
		for k := range c.T {
			mean += g.T[k]*c.T[k] + g.P[k]*c.P[k] + g.A[k]*c.A[k]
		}
		for i, label := range d.Label {
			pred := d.Pred[i]
			p := g.A[label] + g.P[pred] - mean
			if label == pred {
				p += g.T[label]
			}
			psi[i] = p
		}
		return v
	}
	return m
}

// proportion builds a metric that is the share of hits among the rows that
// count. Influence: [counts]·(hit - value)/share of rows that count.
func proportion(m Metric, none string, hit func(d *Data, i int) (counts, hit bool)) Metric {
	m.Family = Proportion
	m.Hit = hit
	m.Compute = func(d *Data) Value {
		var hits, total float64
		for i := range d.N {
			if c, h := hit(d, i); c {
				w := d.W(i)
				total += w
				if h {
					hits += w
				}
			}
		}
		if total <= 0 {
			return undefined("%s", none)
		}
		return defined(min(hits/total, 1))
	}
	m.Influence = func(d *Data, psi []float64) Value {
		v := m.Compute(d)
		if !v.Defined() {
			return v
		}
		var total float64
		for i := range d.N {
			psi[i] = 0
			if c, h := hit(d, i); c {
				total += d.W(i)
				psi[i] = -v.V
				if h {
					psi[i] = 1 - v.V
				}
			}
		}
		scale := d.TotalWeight() / total
		for i := range psi {
			psi[i] *= scale
		}
		return v
	}
	return m
}

// mean builds a metric that is the weighted mean of a loss per row.
// Influence: loss - mean.
func mean(m Metric, loss func(d *Data, dst []float64) string) Metric {
	m.Family = Mean
	m.Direction = exam.Lower
	m.Loss = loss
	m.difference = differMean(loss)
	m.Compute = func(d *Data) Value {
		dst := make([]float64, d.N)
		return m.Influence(d, dst)
	}
	m.Influence = func(d *Data, psi []float64) Value {
		if why := loss(d, psi); why != "" {
			return Value{Reason: why}
		}
		v := defined(d.Mean(psi))
		for i := range psi {
			psi[i] -= v.V
		}
		return v
	}
	return m
}

var (
	classification = []exam.Task{exam.Binary, exam.Multiclass}
	binary         = []exam.Task{exam.Binary}
	multiclass     = []exam.Task{exam.Multiclass}
	regression     = []exam.Task{exam.Regression}
)
