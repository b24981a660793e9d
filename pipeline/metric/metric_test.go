package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func binaryData(label, pred []int32, score []float64) *Data {
	return &Data{Task: exam.Binary, N: len(label), Classes: []string{"0", "1"}, Positive: 1, Label: label, Pred: pred, Score: score}
}

func TestUndefined(t *testing.T) {
	t.Parallel()
	constantPrediction := binaryData([]int32{0, 1, 0, 1}, []int32{0, 0, 0, 0}, []float64{.5, .5, .5, .5})
	oneClass := binaryData([]int32{0, 0, 0}, []int32{0, 0, 0}, []float64{.1, .2, .3})
	values := func(target, value []float64) *Data {
		return &Data{Task: exam.Regression, N: len(target), Target: target, Value: value}
	}
	zeroWeights := values([]float64{1, 2}, []float64{1, 2})
	zeroWeights.Weight = []float64{0, 0}
	for _, c := range []struct {
		metric string
		data   *Data
		reason string
	}{
		{"precision", constantPrediction, "no row is predicted positive"},
		{"precision_macro", constantPrediction, "class \"1\" is never predicted"},
		{"mcc", constantPrediction, "all rows are predicted as one class"},
		{"mcc", oneClass, "all rows are predicted as one class"},
		{"cohen_kappa", oneClass, "agreement by chance is complete"},
		{"recall", oneClass, "no row is positive"},
		{"f1", oneClass, "no row is positive or predicted positive"},
		{"roc_auc", oneClass, "no row is positive"},
		{"pr_auc", oneClass, "no row is positive"},
		{"balanced_accuracy", oneClass, "all rows are of one class"},
		{"recall_macro", binaryData([]int32{0, 0}, []int32{0, 1}, nil), "predicted but never occurs"},
		{"roc_auc", binaryData([]int32{0, 1}, []int32{0, 1}, nil), "there is no column score"},
		{"top_3_accuracy", &Data{Task: exam.Multiclass, N: 1, Classes: []string{"a", "b", "c"}, Label: []int32{0}, Pred: []int32{0},
			Proba: [][]float64{{1}, {0}, {0}}}, "always among the first three"},
		{"r2", values([]float64{3, 3, 3}, []float64{1, 2, 3}), "the target is constant"},
		{"explained_variance", values([]float64{3}, []float64{1}), "the target is constant"},
		{"mape", values([]float64{1, 0}, []float64{1, 1}), "a target is 0"},
		{"msle", values([]float64{1, -1}, []float64{1, 1}), "is -1 or less"},
		{"mae", zeroWeights, "all weights are zero"},
		{"mse", values([]float64{1e200}, []float64{-1e200}), "too large"},
		{"mae", constantPrediction, "not for binary tasks"},
	} {
		m, err := Lookup(c.metric)
		require.NoError(t, err)
		v := m.Of(c.data)
		assert.Contains(t, v.Reason, c.reason, c.metric)
		assert.Zero(t, v.V, c.metric)
	}
	// A constant score is no reason: its AUC is 1/2.
	m, err := Lookup("roc_auc")
	require.NoError(t, err)
	assert.Equal(t, Value{V: 0.5}, m.Of(constantPrediction))
}

func TestLookup(t *testing.T) {
	t.Parallel()
	_, err := Lookup("f2")
	require.ErrorContains(t, err, "known are accuracy")
	for _, bad := range []string{"pinball_", "pinball_0", "pinball_1", "pinball_x", "pinball_NaN"} {
		_, err := Lookup(bad)
		require.ErrorContains(t, err, "a quantile between 0 and 1", bad)
	}
	m, err := Lookup("pinball_0.9")
	require.NoError(t, err)
	assert.Equal(t, exam.Lower, m.Direction)
	for _, name := range []string{"ece", "max_error"} {
		m, err := Lookup(name)
		require.NoError(t, err)
		require.ErrorContains(t, m.CheckMargin(exam.Margin{Value: 0.1}), "report-only")
		require.Error(t, m.CheckLimit())
	}
	for _, name := range []string{"mcc", "r2", "cohen_kappa", "explained_variance"} {
		m, err := Lookup(name)
		require.NoError(t, err)
		require.ErrorContains(t, m.CheckMargin(exam.Margin{Value: 0.1, Relative: true}), "can be 0 or less")
		require.NoError(t, m.CheckMargin(exam.Margin{Value: 0.1}))
	}
}

// TestInfluence checks each influence function against its definition: adding
// a little weight e to a row moves the value by psi·e/W to first order.
func TestInfluence(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for _, task := range []exam.Task{exam.Binary, exam.Multiclass, exam.Regression} {
		for _, m := range ForTask(task) {
			if m.Influence == nil || m.Family == Quantile {
				continue
			}
			d := randomData(r, task, 200, 5, true)
			if task == exam.Binary {
				d = randomData(r, task, 200, 2, true)
			}
			for i := range d.Weight {
				d.Weight[i] += 0.1
			}
			psi := make([]float64, d.N)
			v := m.Influence(d, psi)
			require.True(t, v.Defined(), "%s: %s", m.Name, v.Reason)
			assert.InDelta(t, m.Compute(d).V, v.V, 1e-12, m.Name)
			assert.InDelta(t, 0, d.Mean(psi), 1e-9, "%s: weighted mean of psi", m.Name)
			for _, i := range []int{0, 17, 101, 199} {
				const e = 1e-4
				up, down := nudged(d, i, e), nudged(d, i, -e)
				slope := (m.Compute(up).V - m.Compute(down).V) / (2 * e)
				assert.InDelta(t, slope*d.TotalWeight(), psi[i], 1e-5*math.Max(1, math.Abs(psi[i])), "%s, row %d", m.Name, i)
			}
		}
	}
}

func nudged(d *Data, row int, by float64) *Data {
	rows := make([]int32, d.N)
	for i := range rows {
		rows[i] = int32(i)
	}
	c := d.Rows(rows)
	c.Weight[row] += by
	return c
}

// TestInvariances: values do not depend on the order of the rows, a row twice
// is a row of weight 2, weights have no unit, and monotone scores rank alike.
func TestInvariances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		task := rapid.SampledFrom([]exam.Task{exam.Binary, exam.Multiclass, exam.Regression}).Draw(t, "task")
		k := 2
		if task == exam.Multiclass {
			k = 4
		}
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		d := randomData(r, task, rapid.IntRange(1, 60).Draw(t, "n"), k, rapid.Bool().Draw(t, "weighted"))

		order := make([]int32, d.N)
		for i := range order {
			order[i] = int32(i)
		}
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		shuffled := d.Rows(order)
		twice := d.Rows(append(append([]int32{}, order...), order...))
		heavier := d.Rows(order)
		heavier.Weight = make([]float64, d.N)
		for i := range heavier.Weight {
			heavier.Weight[i] = 4 * shuffled.W(i)
		}
		for _, m := range ForTask(task) {
			want := m.Of(d)
			for what, other := range map[string]*Data{"shuffled": shuffled, "twice": twice, "weights times 4": heavier} {
				got := m.Of(other)
				if want.Defined() != got.Defined() {
					t.Fatalf("%s, %s: %+v and %+v", m.Name, what, want, got)
				}
				if math.Abs(want.V-got.V) > 1e-9*math.Max(1, math.Abs(want.V)) {
					t.Fatalf("%s, %s: %v and %v", m.Name, what, want.V, got.V)
				}
			}
			if math.IsNaN(want.V) || math.IsInf(want.V, 0) {
				t.Fatalf("%s is %v", m.Name, want.V)
			}
		}
		if task == exam.Binary {
			cubed := d.Rows(order)
			for i, s := range cubed.Score {
				cubed.Score[i] = s * s * s
			}
			for _, name := range []string{"roc_auc", "pr_auc"} {
				m := registry[name]
				if a, b := m.Of(d), m.Of(cubed); math.Abs(a.V-b.V) > 1e-9 {
					t.Fatalf("%s: %v and %v after a monotone change", name, a.V, b.V)
				}
			}
		}
	})
}

func TestSortedOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOf(rapid.Float64()).Draw(t, "x")
		order := SortedOrder(x)
		for i := 1; i < len(order); i++ {
			a, b := order[i-1], order[i]
			if x[a] > x[b] || (x[a] == x[b] && a > b) {
				t.Fatalf("%v is not in order of %v", order, x)
			}
		}
	})
}

// A perfect model's values are 1 to the last digit, whatever the sums of its
// shares and weights round to.
func TestValuesStayInTheirRange(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 5 + r.IntN(60)
		d := &Data{Task: exam.Binary, N: n, Classes: []string{"0", "1"}, Positive: 1}
		for i := range n {
			l := int32(i % 2)
			if r.IntN(3) == 0 {
				l = 1
			}
			d.Label, d.Pred = append(d.Label, l), append(d.Pred, l)
			d.Score = append(d.Score, (float64(l)+r.Float64())/2)
			d.Weight = append(d.Weight, r.Float64()+0.01)
		}
		for _, m := range ForTask(exam.Binary) {
			if v := m.Of(d); v.Defined() && m.Direction == exam.Higher {
				assert.InDelta(t, 1, v.V, 1e-12, m.Name)
				assert.LessOrEqual(t, v.V, 1.0, m.Name)
			}
		}
	}
}

// A margin as wide as the metric's range never fails, and is refused with what
// was probably meant.
func TestMarginsWithinTheRange(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		margin float64
		says   string
	}{
		{"accuracy", 2, "did you mean 2%"},
		{"roc_auc", 1, "did you mean 1%"},
		{"f1_macro", 150, "such as 2% or 0.01"},
		{"accuracy", 0.99, ""},
		{"mcc", 1.5, ""},
		{"mcc", 2, "cannot differ by more than 2"},
		{"brier", 2, "cannot differ by more than 2"},
		{"smape", 5, "did you mean 5%"},
		{"log_loss", 2, ""}, // it has no bound: the baseline's value decides
		{"rmse", 300, ""},
		{"r2", 3, ""},
	} {
		m, err := Lookup(tt.name)
		require.NoError(t, err)
		err = m.CheckMargin(exam.Margin{Value: tt.margin})
		if tt.says == "" {
			assert.NoError(t, err, "%s %v", tt.name, tt.margin)
		} else {
			assert.ErrorContains(t, err, tt.says, "%s %v", tt.name, tt.margin)
		}
	}
}
