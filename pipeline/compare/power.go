package compare

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// PowerInput asks what an exam can tell with these rows, before a change is
// trained.
type PowerInput struct {
	Exam exam.Exam
	// Model's answers, of the model in production or of a first replicate.
	Model *predictions.Set
	// Replicate's answers on the same rows, of the same recipe with another seed:
	// how far an unchanged model is from itself. May be nil.
	Replicate *predictions.Set
}

// Power says how often an unchanged model passes.
type Power struct {
	N      int `json:"n"`
	Groups int `json:"groups,omitempty"`
	// Basis says what the distance of an unchanged model is taken from.
	Basis   string        `json:"basis"`
	Times   []float64     `json:"times"` // of the rows, for all lists below
	Metrics []MetricPower `json:"metrics"`
	// All is how often all gates pass together.
	All []float64 `json:"all"`
	// Enough is the number of rows (groups, where there are any) from which all
	// of them pass 4 times in 5; null where no number is.
	Enough *int64 `json:"enough"`
}

// gates are the metrics that have a margin.
func (p Power) gates() []MetricPower {
	var out []MetricPower
	for _, m := range p.Metrics {
		if m.Margin != nil {
			out = append(out, m)
		}
	}
	return out
}

// Advice says in a sentence how often an unchanged model passes, and what would
// make it pass.
func (p Power) Advice() string {
	gates := p.gates()
	if len(gates) == 0 {
		return "No metric has a margin: give the one that counts a margin over its mde."
	}
	named := "1 gate at this margin"
	if len(gates) > 1 {
		named = fmt.Sprintf("%d gates at these margins", len(gates))
	}
	text := fmt.Sprintf("%s: an unchanged model passes %s.", named, Chance(p.All[0]))
	if p.All[0] >= power {
		return text
	}
	var ways []string
	best := gates[0]
	for _, m := range gates[1:] {
		if len(m.Passes) > 0 && (len(best.Passes) == 0 || m.Passes[0] > best.Passes[0]) {
			best = m
		}
	}
	if len(gates) > 1 && len(best.Passes) > 0 && best.Passes[0] > p.All[0] {
		ways = append(ways, fmt.Sprintf("keep %s as the gate and the others as information (%s)", best.Name, Chance(best.Passes[0])))
	}
	if p.Enough != nil {
		unit := "rows"
		if p.Groups > 0 {
			unit = "groups"
		}
		ways = append(ways, fmt.Sprintf("take about %d %s", roundedUp(*p.Enough), unit))
	}
	ways = append(ways, "take margins over the mde")
	return text + " To change that: " + strings.Join(ways, "; or ") + "."
}

// roundedUp to two digits: a plan is not more precise.
func roundedUp(n int64) int64 {
	step := int64(1)
	for n/step >= 100 {
		step *= 10
	}
	return (n + step - 1) / step * step
}

// Chance says a probability in words: "about 73 times in 100", "about 1 time in 15".
func Chance(p float64) string {
	switch {
	case p >= 0.995:
		return "nearly always"
	case p >= 0.5:
		return fmt.Sprintf("about %.0f times in 100", 100*p)
	case p >= 0.01:
		return fmt.Sprintf("about 1 time in %.0f", 1/p)
	}
	return "practically never"
}

// MetricPower is one metric's.
type MetricPower struct {
	Name   string       `json:"name"`
	Value  *float64     `json:"value"`
	Margin *exam.Margin `json:"margin"`
	Scale  Scale        `json:"scale"`
	// MDE is the margin at which an unchanged model passes 4 times in 5.
	MDE []float64 `json:"mde"`
	// Passes is how often an unchanged model passes at the margin.
	Passes     []float64 `json:"passes,omitempty"`
	RowsNeeded *int64    `json:"rows_needed,omitempty"` // groups, where there are any
	Reason     string    `json:"reason,omitempty"`      // why nothing can be said
}

// powerTimes are the multiples of the rows that a team can hope for.
var powerTimes = []float64{1, 2, 5}

// agreement is the correlation of two replicates of one recipe that is taken
// where only one model's answers are there. It is on the careful side: models of
// one recipe mostly agree more.
const agreement = 0.75

// PowerOf computes it. Of two replicates the difference's own interval is used;
// of one model its value's, times sqrt(2·(1 - agreement)).
func PowerOf(ctx context.Context, in PowerInput) (Power, error) {
	if err := checkExam(in.Exam); err != nil {
		return Power{}, fault.Usage(err)
	}
	p, _, err := newPair(in.Exam, in.Model, in.Replicate)
	if err != nil {
		return Power{}, err
	}
	p = p.counting()
	out := Power{N: p.cand.N, Groups: p.groups, Times: powerTimes, Metrics: []MetricPower{}}
	out.Basis = "two replicates"
	if in.Replicate == nil {
		out.Basis = fmt.Sprintf("one model, taken to agree with an unchanged one to a correlation of %v: a second replicate's predictions tell better", agreement)
	}
	var gates []gatePower
	for _, want := range in.Exam.Metrics {
		if err := context.Cause(ctx); err != nil {
			return Power{}, err
		}
		if want.Command != "" {
			continue // its numbers are the command's, run by the comparison
		}
		m, err := metric.Lookup(want.Name)
		if err != nil {
			return Power{}, fault.Usage(err)
		}
		if m.Influence == nil {
			continue
		}
		mp, gate := p.power(m, want, in.Exam.Confidence)
		out.Metrics = append(out.Metrics, mp)
		if want.Margin != nil {
			gates = append(gates, gate)
		}
	}
	out.All = together(gates, out.Times)
	out.Enough = enough(gates, p.units())
	return out, nil
}

// enough returns the number of units from which all gates pass 4 times in 5.
func enough(gates []gatePower, units int) *int64 {
	const most = 1 << 20
	at := func(times float64) bool { return together(gates, []float64{times})[0] >= power }
	if len(gates) == 0 || slices.ContainsFunc(gates, func(g gatePower) bool { return g.closed || g.margin <= 0 }) {
		return nil
	}
	low, high := 1.0, 1.0
	for !at(high) {
		if low = high; high > most {
			return nil
		}
		high *= 2
	}
	for high/low > 1.02 {
		mid := math.Sqrt(low * high)
		if at(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return ptr(int64(math.Ceil(high * float64(units))))
}

// gatePower is what the chance of all gates together needs of one.
type gatePower struct {
	estimate estimate
	margin   float64
	x        []float64 // the rows' influence, for how gates move together
	closed   bool      // nothing passes
}

func (p *pair) power(m metric.Metric, want exam.Metric, confidence float64) (MetricPower, gatePower) {
	q := question{metric: m, direction: m.Direction, confidence: confidence, margin: want.Margin}
	out := MetricPower{Name: m.Name, Margin: want.Margin, Scale: Difference}
	if q.relative() {
		out.Scale = Ratio
	}
	e := p.unchanged(q)
	if e.cand.Defined() {
		out.Value = ptr(e.cand.V)
	}
	g := gatePower{estimate: e, closed: !e.bounded || e.noPass != ""}
	if !e.bounded {
		out.Reason = e.reason
		return out, g
	}
	out.Reason = e.noPass
	for _, times := range powerTimes {
		out.MDE = append(out.MDE, e.mde(times))
	}
	if want.Margin == nil {
		return out, g
	}
	g.margin = want.Margin.Value
	for _, times := range powerTimes {
		pass := 0.0
		if !g.closed {
			pass = e.passes(g.margin, times)
		}
		out.Passes = append(out.Passes, pass)
	}
	if n, ok := e.rowsNeeded(p.units(), g.margin); ok && !g.closed {
		out.RowsNeeded = ptr(n)
	}
	if p.base != nil {
		g.x = p.newContrast(m, q.sign()).x
	} else {
		g.x = p.newValue(m).x
		if q.sign() < 0 {
			g.x = negated(g.x)
		}
	}
	return out, g
}

// unchanged is the estimate of an unchanged model.
func (p *pair) unchanged(q question) estimate {
	if p.base != nil {
		return p.ask(q)
	}
	e := p.valueOf(q.metric, q.confidence)
	if !e.bounded {
		return e
	}
	factor := math.Sqrt(2 * (1 - agreement))
	if q.relative() {
		if e.point <= 0 {
			return e.without("the value is %.6g, and nothing is relative to 0 or less; use an absolute margin", e.point)
		}
		factor /= e.point
	}
	half := e.half
	e.half = func(times float64) float64 { return factor * half(times) }
	e.se *= factor
	return e
}

// together returns how often all gates pass, by drawing their points from the
// normal distribution that the rows' influences give them together: gates that
// read the same rows move with each other.
func together(gates []gatePower, times []float64) []float64 {
	out := make([]float64, len(times))
	if len(gates) == 0 {
		return out
	}
	for _, g := range gates {
		if g.closed {
			return out
		}
	}
	root := cholesky(correlations(gates))
	const draws = 20_000
	z, shift := make([]float64, len(gates)), make([]float64, len(gates))
	for k, t := range times {
		r := rand.New(rand.NewPCG(1, uint64(k)))
		half, sd := make([]float64, len(gates)), make([]float64, len(gates))
		for i, g := range gates {
			half[i], sd[i] = g.estimate.spreadAt(t)
		}
		passed := 0
		for range draws {
			for i := range z {
				z[i] = r.NormFloat64()
				shift[i] = 0
				for j, v := range root[i] {
					shift[i] += v * z[j]
				}
			}
			all := true
			for i, g := range gates {
				all = all && sd[i]*shift[i] > half[i]-g.margin
			}
			if all {
				passed++
			}
		}
		out[k] = float64(passed) / draws
	}
	return out
}

// correlations of the gates' rows; 0 with one that has no variance.
func correlations(gates []gatePower) [][]float64 {
	c := make([][]float64, len(gates))
	for i := range gates {
		c[i] = make([]float64, len(gates))
		for j := range i + 1 {
			var ij, ii, jj float64
			for r, x := range gates[i].x {
				y := gates[j].x[r]
				ij, ii, jj = ij+x*y, ii+x*x, jj+y*y
			}
			if i == j {
				c[i][j] = 1
			} else if ii > 0 && jj > 0 {
				c[i][j] = ij / math.Sqrt(ii*jj)
			}
		}
	}
	return c
}

// cholesky returns the lower triangle L with L·L' = c; rows that others determine
// have nothing of their own.
func cholesky(c [][]float64) [][]float64 {
	l := make([][]float64, len(c))
	for i := range c {
		l[i] = make([]float64, i+1)
		for j := range i + 1 {
			sum := c[i][j]
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			switch {
			case i == j:
				l[i][i] = math.Sqrt(math.Max(sum, 0))
			case l[j][j] > 1e-9:
				l[i][j] = sum / l[j][j]
			}
		}
	}
	return l
}

// Valued is a metric's value with its interval.
type Valued struct {
	Value    metric.Value
	Interval *Interval
	Reason   string // why there is no interval
}

// Values computes every metric of a task with the bounds of its value.
func Values(ctx context.Context, set *predictions.Set, confidence float64) (map[string]Valued, error) {
	p := &pair{cand: Data(set), group: set.Group, groups: len(set.Groups)}
	ms := metric.ForTask(set.Task)
	found := make([]Valued, len(ms))
	err := each(ctx, len(ms), func(i int) error {
		e := p.valueOf(ms[i], confidence)
		v := ms[i].Of(p.cand)
		if !v.Defined() {
			found[i] = Valued{Value: v}
			return nil
		}
		found[i] = Valued{Value: v, Interval: e.interval(question{confidence: confidence}), Reason: e.reason}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]Valued, len(ms))
	for i, m := range ms {
		out[m.Name] = found[i]
	}
	return out, nil
}
