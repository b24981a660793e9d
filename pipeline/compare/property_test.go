package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// table is a generated pair of predictions.
type generated struct{ cand, base *predictions.Set }

// generate draws a table: few or many rows, few groups, one class, zero weights,
// extreme values, equal or nearly equal models.
func generate(task exam.Task, r *rand.Rand) generated {
	n := []int{1, 2, 5, 12, 31, 60, 150, 400}[r.IntN(8)]
	classes := []string{"a", "b"}
	if task == exam.Multiclass {
		classes = []string{"a", "b", "c", "d", "e"}[:2+r.IntN(4)]
	}
	mk := func(name string) *predictions.Set {
		return &predictions.Set{Task: task, Name: name, N: n, Classes: classes, Positive: len(classes) - 1}
	}
	g := generated{mk("candidate.csv"), mk("baseline.csv")}
	rare := r.Float64()
	apart := []float64{0, 1e-12, 1e-9, 1e-3, 0.3, 2}[r.IntN(6)]
	scale := []float64{1, 1, 1, 1e-8, 1e8, 1e150}[r.IntN(6)]
	rounded := r.IntN(4) == 0
	perfect := r.IntN(5) == 0
	for i := range n {
		id := fmt.Sprint(i)
		g.cand.ID, g.base.ID = append(g.cand.ID, id), append(g.base.ID, id)
		if task == exam.Regression {
			y := scale * r.NormFloat64()
			noise := scale * r.NormFloat64()
			if perfect {
				noise = 0
			}
			b := y + noise
			c := b + apart*scale*r.NormFloat64()
			if rounded {
				y, b, c = math.Round(y), math.Round(b), math.Round(c)
			}
			g.cand.Target, g.base.Target = append(g.cand.Target, y), append(g.base.Target, y)
			g.cand.Value, g.base.Value = append(g.cand.Value, c), append(g.base.Value, b)
			continue
		}
		label := int32(0)
		if r.Float64() < rare {
			label = int32(r.IntN(len(classes)))
		}
		answer := func(noise float64) (int32, []float64) {
			p := make([]float64, len(classes))
			var sum float64
			for k := range p {
				p[k] = math.Exp(noise * r.NormFloat64())
				if int32(k) == label {
					p[k] *= 3
				}
				sum += p[k]
			}
			for k := range p {
				p[k] /= sum
				if perfect {
					p[k] = 0
					if int32(k) == label {
						p[k] = 1
					}
				} else if rounded {
					p[k] = math.Round(4*p[k]) / 4
				}
			}
			best := 0
			for k := range p {
				if p[k] > p[best] {
					best = k
				}
			}
			return int32(best), p
		}
		bp, bs := answer(1)
		cp, cs := bp, slices.Clone(bs)
		if apart >= 0.3 {
			cp, cs = answer(1 + apart)
		} else if !perfect {
			cs[0] += apart * r.Float64() * cs[len(cs)-1]
		}
		g.add(label, cp, bp, cs, bs)
	}
	weigh(g, r)
	return g
}

func (g generated) add(label, cp, bp int32, cs, bs []float64) {
	c, b := g.cand, g.base
	c.Label, b.Label = append(c.Label, label), append(b.Label, label)
	c.Pred, b.Pred = append(c.Pred, cp), append(b.Pred, bp)
	if c.Task == exam.Binary {
		c.Score, b.Score = append(c.Score, cs[1]), append(b.Score, bs[1])
		return
	}
	if c.Proba == nil {
		c.Proba, b.Proba = make([][]float64, len(cs)), make([][]float64, len(cs))
	}
	for k := range cs {
		c.Proba[k], b.Proba[k] = append(c.Proba[k], cs[k]), append(b.Proba[k], bs[k])
	}
}

func weigh(g generated, r *rand.Rand) {
	c := g.cand
	if r.IntN(3) == 0 {
		zeros := r.Float64()
		for range c.N {
			w := math.Exp(2 * r.NormFloat64())
			if r.Float64() < zeros {
				w = 0
			}
			c.Weight = append(c.Weight, w)
		}
	}
	if r.IntN(3) == 0 {
		groups := 1 + r.IntN(40)
		for i := range c.N {
			at := r.IntN(groups)
			if c.Label != nil && c.Label[i] != 0 {
				at = r.IntN(1 + groups/8)
			}
			c.Group = append(c.Group, int32(at))
		}
		for k := range groups {
			c.Groups = append(c.Groups, fmt.Sprint(k))
		}
	}
}

// examOf asks every metric of the task, with a margin and a limit.
func examOf(task exam.Task, margin float64, relative bool) exam.Exam {
	e := exam.Exam{Task: task, Confidence: 0.95}
	for _, m := range metric.ForTask(task) {
		want := exam.Metric{Name: m.Name, Direction: m.Direction}
		if mg := (exam.Margin{Value: margin, Relative: relative && !m.MayBeNonPositive}); m.CheckMargin(mg) == nil {
			want.Margin = &mg
			if m.Direction == exam.Lower {
				want.Ceiling = ptr(0.5)
			} else {
				want.Floor = ptr(0.5)
			}
		}
		e.Metrics = append(e.Metrics, want)
	}
	return e
}

// sound asserts what holds of every result: it is JSON, bounds are in order, no
// interval has a width of 0, and nothing passes below its margin.
func sound(t testing.TB, res Result) {
	t.Helper()
	_, err := json.Marshal(res)
	require.NoError(t, err, "no NaN")
	for _, m := range res.Metrics {
		for _, ci := range []*Interval{m.CI, m.ValueCI} {
			if ci != nil && ci.Low != nil && ci.High != nil {
				assert.Less(t, *ci.Low, *ci.High, "%s %s", m.Name, ci.Method)
			}
		}
		if m.CI != nil && m.CI.Low != nil && m.CI.High != nil && m.CI.Scale == Difference {
			assert.LessOrEqual(t, *m.CI.Low, *m.Improvement+metric.Noise(*m.Candidate, *m.Baseline), m.Name)
			assert.GreaterOrEqual(t, *m.CI.High, *m.Improvement-metric.Noise(*m.Candidate, *m.Baseline), m.Name)
		}
		if m.Verdict == verdict.Pass && m.Margin != nil {
			require.NotNil(t, m.CI, m.Name)
			assert.Greater(t, *m.CI.Low, -m.Margin.Value, m.Name)
			require.NotNil(t, m.MDE)
		}
		if m.MDE != nil {
			assert.Positive(t, *m.MDE, m.Name)
		}
		if m.RowsNeeded != nil && res.Groups == 0 {
			assert.Positive(t, *m.RowsNeeded, m.Name)
		}
	}
}

var tasks = []exam.Task{exam.Binary, exam.Multiclass, exam.Regression}

// FuzzCompare: generated tables give no panic, no NaN, no interval without width.
func FuzzCompare(f *testing.F) {
	for s := range uint64(150) {
		f.Add(s, uint8(s%3), 0.02, s%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, kind uint8, margin float64, relative bool) {
		if !(margin >= 0 && margin <= smallMargin) {
			t.Skip("no margin, or one that may be refused")
		}
		task := tasks[kind%3]
		g := generate(task, rand.New(rand.NewPCG(seed, 7)))
		res, err := Compare(context.Background(), Input{Exam: examOf(task, margin, relative), Candidate: g.cand, Baseline: g.base})
		require.NoError(t, err)
		sound(t, res)
	})
}

// verdicts are those of the metrics, by name.
func verdicts(t *rapid.T, ex exam.Exam, cand, base *predictions.Set) map[string]verdict.Verdict {
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]verdict.Verdict{}
	for _, m := range res.Metrics {
		// A bound that is on its limit but for rounding may fall to either side.
		if m.CI != nil && m.CI.Low != nil && m.CI.High != nil && m.Margin != nil &&
			(math.Abs(*m.CI.Low+m.Margin.Value) < 1e-6 || math.Abs(*m.CI.High+m.Margin.Value) < 1e-6) {
			continue
		}
		if m.ValueCI != nil && m.ValueCI.Low != nil && m.ValueCI.High != nil &&
			(math.Abs(*m.ValueCI.Low-0.5) < 1e-6 || math.Abs(*m.ValueCI.High-0.5) < 1e-6) {
			continue
		}
		out[m.Name] = m.Verdict
	}
	return out
}

// same asserts equal verdicts of what both judged away from their limits.
func same(t *rapid.T, what string, a, b map[string]verdict.Verdict) {
	for name, v := range a {
		if w, ok := b[name]; ok && v != w {
			t.Fatalf("%s: %s is %s, and was %s", what, name, w, v)
		}
	}
}

func copyOf(s *predictions.Set) *predictions.Set {
	c := *s
	c.Pred, c.Label = slices.Clone(s.Pred), slices.Clone(s.Label)
	c.Score, c.Weight = slices.Clone(s.Score), slices.Clone(s.Weight)
	c.ID, c.Group = slices.Clone(s.ID), slices.Clone(s.Group)
	c.Target, c.Value = slices.Clone(s.Target), slices.Clone(s.Value)
	c.Proba = make([][]float64, len(s.Proba))
	for k := range s.Proba {
		c.Proba[k] = slices.Clone(s.Proba[k])
	}
	if s.Proba == nil {
		c.Proba = nil
	}
	return &c
}

func drawn(t *rapid.T) (exam.Task, generated, exam.Exam) {
	task := rapid.SampledFrom(tasks).Draw(t, "task")
	g := generate(task, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7)))
	return task, g, examOf(task, rapid.SampledFrom([]float64{0.001, 0.01, 0.1, 0.5}).Draw(t, "margin"), rapid.Bool().Draw(t, "relative"))
}

// What the verdict may not depend on.
func TestVerdictIsInvariant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		task, g, ex := drawn(t)
		want := verdicts(t, ex, g.cand, g.base)

		order := rand.New(rand.NewPCG(3, 4)).Perm(g.cand.N)
		same(t, "rows in another order", want, verdicts(t, ex, reordered(g.cand, order), reordered(g.base, order)))

		if g.cand.Weight != nil {
			c := copyOf(g.cand)
			for i := range c.Weight {
				c.Weight[i] *= 1024
			}
			same(t, "weights times a constant", want, verdicts(t, ex, c, g.base))
		}
		if task == exam.Binary {
			auc := ex
			auc.Metrics = nil
			for _, m := range ex.Metrics {
				if m.Name == "roc_auc" || m.Name == "pr_auc" {
					auc.Metrics = append(auc.Metrics, m)
				}
			}
			c, b := copyOf(g.cand), copyOf(g.base)
			for i := range c.Score {
				c.Score[i], b.Score[i] = c.Score[i]/2, 0.25+b.Score[i]/4
			}
			same(t, "scores transformed", verdicts(t, auc, g.cand, g.base), verdicts(t, auc, c, b))
		}
		if task == exam.Multiclass {
			c, b := copyOf(g.cand), copyOf(g.base)
			c.Classes = nil
			for _, name := range g.cand.Classes {
				c.Classes = append(c.Classes, "class "+name)
			}
			b.Classes = c.Classes
			same(t, "classes renamed", want, verdicts(t, ex, c, b))
		}
	})
}

// Adding a gate never makes a run pass that did not.
func TestMoreGatesPassNoMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, g, ex := drawn(t)
		k := rapid.IntRange(1, len(ex.Metrics)).Draw(t, "gates")
		few := ex
		few.Metrics = ex.Metrics[:k]
		a, err := Compare(context.Background(), Input{Exam: few, Candidate: g.cand, Baseline: g.base})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Compare(context.Background(), Input{Exam: ex, Candidate: g.cand, Baseline: g.base})
		if err != nil {
			t.Fatal(err)
		}
		if b.Verdict == verdict.Pass && a.Verdict != verdict.Pass && a.Verdict != verdict.Inconclusive {
			t.Fatalf("%s became %s with more gates", a.Verdict, b.Verdict)
		}
		for i, m := range a.Metrics {
			if m.Verdict != b.Metrics[i].Verdict {
				t.Fatalf("%s depends on what else is asked", m.Name)
			}
		}
		if b.Verdict == verdict.Pass && slices.ContainsFunc(a.Metrics, func(m Metric) bool { return m.Verdict == verdict.Inconclusive }) {
			t.Fatal("a gate made an undecided run pass")
		}
	})
}

// A whole weight is as many rows of one group: what the metric is does not
// change, and its bounds hardly do.
func TestWeightsAreRepeatedGroups(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"roc_auc", "log_loss", "brier", "f1", "accuracy", "balanced_accuracy", "pr_auc"} {
		ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: name, Margin: margin(t, "0.03")}}}
		const n = 3000
		r := rand.New(rand.NewPCG(5, 5))
		weighted, base := binarySet(n, 0.3, 1), binarySet(n, 0.3, 2)
		var rows []int
		for i := range n {
			w := 1 + r.IntN(3)
			weighted.Weight = append(weighted.Weight, float64(w))
			for range w {
				rows = append(rows, i)
			}
		}
		a, err := Compare(context.Background(), Input{Exam: ex, Candidate: weighted, Baseline: base})
		require.NoError(t, err)
		repeated := func(s *predictions.Set) *predictions.Set {
			out := reordered(s, rows)
			for k := range rows {
				out.ID[k] = fmt.Sprint(k)
			}
			out.Weight = nil
			return out
		}
		c, b := repeated(weighted), repeated(base)
		for _, i := range rows {
			c.Group = append(c.Group, int32(i))
		}
		for i := range n {
			c.Groups = append(c.Groups, fmt.Sprint(i))
		}
		res, err := Compare(context.Background(), Input{Exam: ex, Candidate: c, Baseline: b})
		require.NoError(t, err)
		assert.Equal(t, a.Metrics[0].Verdict, res.Metrics[0].Verdict, name)
		assert.InDelta(t, *a.Metrics[0].Improvement, *res.Metrics[0].Improvement, 1e-12, name)
		width := *a.Metrics[0].CI.High - *a.Metrics[0].CI.Low
		assert.InDelta(t, *a.Metrics[0].CI.Low, *res.Metrics[0].CI.Low, 0.1*width, name)
	}
}

func reordered(s *predictions.Set, order []int) *predictions.Set {
	c := &predictions.Set{Task: s.Task, Name: s.Name, N: len(order), Classes: s.Classes, Positive: s.Positive, Groups: s.Groups}
	for _, i := range order {
		c.ID = append(c.ID, s.ID[i])
		if s.Task == exam.Regression {
			c.Target, c.Value = append(c.Target, s.Target[i]), append(c.Value, s.Value[i])
		} else {
			c.Label, c.Pred = append(c.Label, s.Label[i]), append(c.Pred, s.Pred[i])
		}
		if s.Score != nil {
			c.Score = append(c.Score, s.Score[i])
		}
		if s.Weight != nil {
			c.Weight = append(c.Weight, s.Weight[i])
		}
		if s.Group != nil {
			c.Group = append(c.Group, s.Group[i])
		}
	}
	for _, p := range s.Proba {
		var q []float64
		for _, i := range order {
			q = append(q, p[i])
		}
		c.Proba = append(c.Proba, q)
	}
	return c
}
