package compare

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// one judges one metric.
func one(t *testing.T, want exam.Metric, cand, base *predictions.Set) Metric {
	t.Helper()
	res, err := Compare(context.Background(), Input{Exam: exam.Exam{Task: cand.Task, Confidence: 0.95, Metrics: []exam.Metric{want}}, Candidate: cand, Baseline: base})
	require.NoError(t, err)
	return res.Metrics[0]
}

// scored returns the set with its scores mapped.
func scored(s *predictions.Set, f func(float64) float64) *predictions.Set {
	c := copyOf(s)
	for i, v := range c.Score {
		c.Score[i] = f(v)
	}
	return c
}

// A PASS is due where the metric reads the same, or almost.
func TestPassWhereItIsDue(t *testing.T) {
	t.Parallel()
	base := binarySet(20_000, 0.3, 1)
	temperature := func(by float64) func(float64) float64 {
		return func(p float64) float64 { return 1 / (1 + math.Exp(-math.Log(p/(1-p))/by)) }
	}
	perfect := copyOf(base)
	for i, l := range perfect.Label {
		perfect.Pred[i], perfect.Score[i] = l, 0.02+0.9*float64(l)+0.05*float64(i%100)/100
	}
	ratings := func(n int, seed uint64) *predictions.Set {
		rows, own := rand.New(rand.NewPCG(9, 9)), rand.New(rand.NewPCG(seed, 1))
		var target, value []float64
		for range n {
			y := float64(1 + rows.IntN(5))
			target = append(target, y)
			value = append(value, math.Min(math.Max(y+float64(own.IntN(5)-2), 1), 5))
		}
		return regressionSet(target, value)
	}
	for _, c := range []struct {
		name       string
		want       exam.Metric
		cand, base *predictions.Set
	}{
		{"temperature scaling", exam.Metric{Name: "roc_auc", Margin: margin(t, "0.005")}, scored(base, temperature(1.7)), base},
		{"temperature scaling, average precision", exam.Metric{Name: "pr_auc", Margin: margin(t, "0.01")}, scored(base, temperature(1.7)), base},
		{"Platt scaling", exam.Metric{Name: "roc_auc", Margin: margin(t, "0.005")}, scored(base, func(p float64) float64 { return 0.1 + 0.7*p }), base},
		{"float32", exam.Metric{Name: "roc_auc", Margin: margin(t, "0.005")}, scored(base, func(p float64) float64 { return float64(float32(p)) }), base},
		{"other scores, equal decisions", exam.Metric{Name: "accuracy", Margin: margin(t, "0.005")}, scored(base, temperature(1.7)), base},
		{"other scores, equal decisions, f1", exam.Metric{Name: "f1", Margin: margin(t, "0.005")}, scored(base, temperature(1.7)), base},
		{"a re-export", exam.Metric{Name: "log_loss", Margin: margin(t, "0.005")}, scored(base, func(p float64) float64 { return p * (1 + 6e-8*math.Sin(1e6*p)) }), base},
		{"perfect, floor of f1", exam.Metric{Name: "f1", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of mcc", exam.Metric{Name: "mcc", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of balanced_accuracy", exam.Metric{Name: "balanced_accuracy", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of precision", exam.Metric{Name: "precision", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of roc_auc", exam.Metric{Name: "roc_auc", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of pr_auc", exam.Metric{Name: "pr_auc", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of cohen_kappa", exam.Metric{Name: "cohen_kappa", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of f1_macro", exam.Metric{Name: "f1_macro", Floor: ptr(0.9)}, perfect, nil},
		{"perfect, floor of accuracy", exam.Metric{Name: "accuracy", Floor: ptr(0.9)}, perfect, nil},
		{"perfect and perfect, f1", exam.Metric{Name: "f1", Margin: margin(t, "0.005")}, perfect, perfect},
		{"becomes perfect, f1", exam.Metric{Name: "f1", Margin: margin(t, "0.005")}, perfect, base},
		{"becomes perfect, roc_auc", exam.Metric{Name: "roc_auc", Margin: margin(t, "0.005")}, perfect, base},
		{"integer ratings", exam.Metric{Name: "median_ae", Margin: margin(t, "0.5")}, ratings(2000, 1), ratings(2000, 2)},
		{"integer ratings, ceiling", exam.Metric{Name: "median_ae", Ceiling: ptr(1.5)}, ratings(2000, 1), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := one(t, c.want, c.cand, c.base)
			assert.Equal(t, verdict.Pass, m.Verdict, "%s %+v", m.Reason, m.CI)
		})
	}
}

// No PASS where the rows say too little, and never a panic.
func TestNoPassOfTooLittle(t *testing.T) {
	t.Parallel()
	weighted := func(s *predictions.Set, w func(i int) float64) *predictions.Set {
		c := copyOf(s)
		c.Weight = nil
		for i := range c.N {
			c.Weight = append(c.Weight, w(i))
		}
		return c
	}
	inGroups := func(s *predictions.Set, groups int, of func(i int) int) *predictions.Set {
		c := copyOf(s)
		for i := range c.N {
			c.Group = append(c.Group, int32(of(i)))
		}
		for k := range groups {
			c.Groups = append(c.Groups, string(rune('a'+k)))
		}
		return c
	}
	base := binarySet(400, 0.3, 1)
	var nine, all int
	nineNegatives := weighted(base, func(i int) float64 {
		if base.Label[i] == 0 {
			if nine++; nine > 9 {
				return 0
			}
		}
		return 1
	})
	onePositiveWeighs := weighted(base, func(i int) float64 {
		if base.Label[i] == 1 {
			if all++; all > 1 {
				return 1e-6
			}
			return 1000
		}
		return 1
	})
	oneGroup := inGroups(base, 20, func(i int) int {
		if base.Label[i] == 1 {
			return 0
		}
		return i % 20
	})
	oneGroupOfNegatives := inGroups(base, 20, func(i int) int {
		if base.Label[i] == 0 {
			return 0
		}
		return i % 20
	})
	oneWeight := weighted(base, func(i int) float64 {
		if i == 7 {
			return 1
		}
		return 0
	})
	perfect := copyOf(base)
	copy(perfect.Pred, perfect.Label)
	for _, c := range []struct {
		name, metric, margin string
		cand                 *predictions.Set
		reason               string
	}{
		{"9 negatives that have a weight", "roc_auc", "0.5", nineNegatives, "and 9 negative rows"},
		{"one positive that weighs", "roc_auc", "0.5", onePositiveWeighs, "weights make them worth 1.0"},
		{"all positives in one group", "recall", "0.5", oneGroup, "not enough data"},
		{"all negatives in one group", "specificity", "0.5", oneGroupOfNegatives, "not enough data"},
		{"all positives in one group, AUC", "roc_auc", "0.5", oneGroup, "rows of class"},
		{"all positives in one group, f1", "f1", "0.6", oneGroup, "these rows cannot tell"},
		{"one row that weighs", "accuracy", "0.5", oneWeight, "one row has no variance"},
		{"perfect twice", "f1", "0.000001", perfect, "these rows cannot tell"},
	} {
		for what, other := range map[string]*predictions.Set{"equal": base, "other": binarySet(400, 0.3, 2)} {
			if what == "other" && c.cand == perfect {
				continue // which is better
			}
			t.Run(c.name+", "+what, func(t *testing.T) {
				t.Parallel()
				if what == "equal" {
					other = c.cand
				}
				m := one(t, exam.Metric{Name: c.metric, Margin: margin(t, c.margin)}, c.cand, other)
				assert.NotEqual(t, verdict.Pass, m.Verdict)
				if what == "equal" {
					assert.Contains(t, m.Reason, c.reason)
				}
			})
		}
	}
	// An alarm over a slice of one group.
	ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: "recall"}},
		Slices: []exam.Slice{{Column: "region", Mode: exam.Alarm, Metric: "recall", Margin: *margin(t, "0.05"), MinN: 1}}}
	_, err := Compare(context.Background(), Input{Exam: ex, Candidate: oneGroup, Baseline: binarySet(400, 0.3, 2)})
	require.NoError(t, err)
}
