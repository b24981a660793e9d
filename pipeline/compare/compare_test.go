package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// binarySet returns n rows with a given share of positives, a score of some
// quality, and a slice column; the same rows for every seed.
func binarySet(n int, noise float64, seed uint64) *predictions.Set {
	rows := rand.New(rand.NewPCG(1, 1))
	own := rand.New(rand.NewPCG(seed, 2))
	s := &predictions.Set{Task: exam.Binary, Name: fmt.Sprintf("seed%d.csv", seed), N: n, Classes: []string{"0", "1"}, Positive: 1}
	var region []string
	for i := range n {
		z := rows.NormFloat64()
		u := rows.Float64()
		label := int32(0)
		if 1.5*z-0.5+math.Log(u/(1-u)) > 0 {
			label = 1
		}
		region = append(region, string(rune('a'+rows.IntN(4))))
		logit := 1.2*z - 0.5 + noise*own.NormFloat64()
		pred := int32(0)
		if logit > 0 {
			pred = 1
		}
		s.ID = append(s.ID, fmt.Sprint(i))
		s.Label = append(s.Label, label)
		s.Pred = append(s.Pred, pred)
		s.Score = append(s.Score, 1/(1+math.Exp(-logit)))
	}
	s.Columns = []predictions.Column{predictions.NewColumn("region", region)}
	return s
}

func regressionSet(target, value []float64) *predictions.Set {
	s := &predictions.Set{Task: exam.Regression, N: len(target), Target: target, Value: value}
	for i := range target {
		s.ID = append(s.ID, fmt.Sprint(i))
	}
	return s
}

func margin(t *testing.T, text string) *exam.Margin {
	t.Helper()
	m, err := exam.ParseMargin(text)
	require.NoError(t, err)
	return &m
}

func binaryExam(t *testing.T) exam.Exam {
	return exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{
		{Name: "roc_auc", Direction: exam.Higher, Margin: margin(t, "0.02"), Primary: true},
		{Name: "log_loss", Direction: exam.Lower, Margin: margin(t, "5%")},
		{Name: "accuracy", Direction: exam.Higher, Margin: margin(t, "0.03"), Floor: ptr(0.6)},
		{Name: "f1", Direction: exam.Higher, Margin: margin(t, "5%")},
		{Name: "ece"},
	}}
}

func TestCompareVerdicts(t *testing.T) {
	t.Parallel()
	ex := binaryExam(t)
	base := binarySet(4000, 0.3, 7)
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(4000, 0.3, 8), Baseline: base})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, res.Verdict, "%+v", res)
	for _, m := range res.Metrics {
		if m.Name == "ece" {
			assert.Empty(t, m.Verdict)
			assert.NotNil(t, m.Candidate)
			assert.Nil(t, m.CI)
			continue
		}
		require.NotNil(t, m.CI, m.Name)
		assert.Equal(t, verdict.Pass, m.Verdict, m.Name)
		assert.Less(t, *m.CI.Low, *m.CI.High)
		assert.Greater(t, *m.CI.Low, -m.Margin.Value)
		assert.InDelta(t, *m.Delta, *m.Candidate-*m.Baseline, 1e-15)
		want := *m.Delta
		if m.Direction == exam.Lower {
			want = -want
		}
		assert.Equal(t, want, *m.Improvement, m.Name)
		assert.Equal(t, 1, m.CI.Sides)
		assert.Positive(t, *m.RowsNeeded)
		assert.Less(t, *m.RowsNeeded, int64(4000), "the margin is over the mde")
	}
	assert.Equal(t, Ratio, res.Metrics[1].CI.Scale)
	assert.Contains(t, res.Metrics[3].CI.Method, "delta method")
	require.NotNil(t, res.Metrics[2].ValueCI)

	worse, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(4000, 2, 8), Baseline: base})
	require.NoError(t, err)
	assert.Equal(t, verdict.Fail, worse.Verdict)
	assert.Equal(t, verdict.Fail, worse.Metrics[0].Verdict)
	assert.Contains(t, worse.Metrics[0].Reason, "even the better bound")

	few, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(200, 0.3, 8), Baseline: binarySet(200, 0.3, 7)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, few.Verdict)
	assert.Greater(t, *few.Metrics[0].MDE, few.Metrics[0].Margin.Value)
	assert.Greater(t, *few.Metrics[0].RowsNeeded, int64(200))

	better, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(4000, 0.3, 8), Baseline: binarySet(4000, 2, 7)})
	require.NoError(t, err)
	assert.True(t, better.Metrics[0].Improved)
}

// The result depends on the rows alone, not on cores or on other metrics.
func TestDeterministic(t *testing.T) {
	ex := binaryExam(t)
	in := Input{Exam: ex, Candidate: binarySet(1000, 0.3, 8), Baseline: binarySet(1000, 0.3, 7)}
	first, err := Compare(context.Background(), in)
	require.NoError(t, err)
	before := runtime.GOMAXPROCS(1)
	again, err := Compare(context.Background(), in)
	runtime.GOMAXPROCS(before)
	require.NoError(t, err)
	a, err := json.Marshal(first)
	require.NoError(t, err)
	b, err := json.Marshal(again)
	require.NoError(t, err)
	assert.JSONEq(t, string(a), string(b))
	in.Exam.Metrics = in.Exam.Metrics[3:4]
	alone, err := Compare(context.Background(), in)
	require.NoError(t, err)
	assert.Equal(t, first.Metrics[3], alone.Metrics[0])
	assert.NotContains(t, string(a), "NaN")
}

// A comparison ends with its context.
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Compare(ctx, Input{Exam: binaryExam(t), Candidate: binarySet(500, 0.3, 8), Baseline: binarySet(500, 0.3, 7)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestFirstModel(t *testing.T) {
	t.Parallel()
	ex := binaryExam(t)
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(2000, 0.3, 8)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, res.Verdict, "the floor of accuracy decides")
	assert.Empty(t, res.Reason, "the floors and ceilings say why")
	ex.Metrics[2].Floor = nil
	res, err = Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(2000, 0.3, 8)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, res.Verdict)
	assert.Contains(t, res.Reason, "give a metric a floor")
}

// A first model whose gated metric cannot be computed does not pass by the
// others: no later model could be compared with it.
func TestFirstModelWithoutItsMetric(t *testing.T) {
	t.Parallel()
	labels := binarySet(2000, 0.3, 8)
	labels.Score = nil // a classifier that answers classes only
	margin := exam.Margin{Value: 0.02}
	for name, c := range map[string]struct {
		metric exam.Metric
		want   verdict.Verdict
		reason string
	}{
		"a margin":      {exam.Metric{Name: "log_loss", Margin: &margin}, verdict.Inconclusive, "undefined"},
		"a ceiling":     {exam.Metric{Name: "log_loss", Ceiling: ptr(0.9)}, verdict.Inconclusive, "undefined"},
		"both":          {exam.Metric{Name: "roc_auc", Margin: &margin, Floor: ptr(0.6)}, verdict.Inconclusive, "undefined"},
		"only shown":    {exam.Metric{Name: "log_loss"}, verdict.Pass, "undefined"},
		"of the labels": {exam.Metric{Name: "f1", Margin: &margin}, verdict.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: "accuracy", Floor: ptr(0.5)}, c.metric}}
			res, err := Compare(context.Background(), Input{Exam: ex, Candidate: labels})
			require.NoError(t, err)
			assert.Equal(t, c.want, res.Verdict)
			assert.Equal(t, verdict.Pass, res.Metrics[0].Verdict)
			assert.Contains(t, res.Metrics[1].Reason, c.reason)
		})
	}
	ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: "log_loss", Margin: &margin}}}
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: labels})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, res.Verdict)
	assert.Contains(t, res.Reason, "give a metric a floor")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	ex := exam.Exam{Task: exam.Binary, Confidence: 0.95}
	cand := binarySet(2000, 0.3, 8)
	for _, c := range []struct {
		metric         string
		floor, ceiling *float64
		want           verdict.Verdict
	}{
		{"roc_auc", ptr(0.7), nil, verdict.Pass},
		{"roc_auc", ptr(0.95), nil, verdict.Fail},
		{"log_loss", nil, ptr(0.9), verdict.Pass},
		{"log_loss", nil, ptr(0.2), verdict.Fail},
		{"f1", ptr(0.3), nil, verdict.Pass},
		{"f1", ptr(0.99), nil, verdict.Fail},
		{"brier", ptr(0.1), ptr(0.3), verdict.Pass},
	} {
		ex.Metrics = []exam.Metric{{Name: c.metric, Floor: c.floor, Ceiling: c.ceiling}}
		res, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand})
		require.NoError(t, err)
		assert.Equal(t, c.want, res.Verdict, "%s: %s", c.metric, res.Metrics[0].Reason)
		require.NotNil(t, res.Metrics[0].ValueCI)
		assert.Less(t, *res.Metrics[0].ValueCI.Low, *res.Metrics[0].Candidate)
		assert.Greater(t, *res.Metrics[0].ValueCI.High, *res.Metrics[0].Candidate)
	}
	ex.Metrics = []exam.Metric{{Name: "accuracy", Floor: ptr(0.75)}}
	few, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(60, 0.3, 8)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, few.Verdict)
	assert.Contains(t, few.Metrics[0].Reason, "holds the floor")
}

// Nothing degenerate passes.
func TestTooLittle(t *testing.T) {
	t.Parallel()
	higher := func(name, m string) exam.Exam {
		return exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: name, Margin: margin(t, m)}}}
	}
	fewPositives := func(seed uint64) *predictions.Set {
		s := binarySet(500, 0.3, seed)
		for i := range s.Label {
			s.Label[i] = 0
			if i < 9 {
				s.Label[i] = 1
			}
		}
		return s
	}
	perfect := func(k float64) *predictions.Set {
		s := binarySet(500, 0.3, 1)
		for i, l := range s.Label {
			s.Score[i] = k*float64(l) + 0.1*float64(i%3)
			s.Pred[i] = l
		}
		return s
	}
	grouped := func(seed uint64, groups int) *predictions.Set {
		s := binarySet(500, 0.3, seed)
		for i := range s.N {
			s.Group = append(s.Group, int32(i%groups))
		}
		for g := range groups {
			s.Groups = append(s.Groups, fmt.Sprint(g))
		}
		return s
	}
	oneClass := func(seed uint64) *predictions.Set {
		s := binarySet(500, 0.3, seed)
		clear(s.Label)
		return s
	}
	shifted := func(by float64) *predictions.Set {
		target := make([]float64, 100)
		value := make([]float64, 100)
		for i := range target {
			target[i], value[i] = float64(i), float64(i)+by
		}
		return regressionSet(target, value)
	}
	huge := func(by float64) *predictions.Set {
		s := shifted(by)
		for i := range s.Value {
			s.Value[i] += by * 1e200 * float64(i%5)
		}
		return s
	}
	regressionExam := exam.Exam{Task: exam.Regression, Confidence: 0.95, Metrics: []exam.Metric{{Name: "mae", Margin: margin(t, "1.9")}}}
	for _, c := range []struct {
		name       string
		ex         exam.Exam
		cand, base *predictions.Set
		reason     string
	}{
		{"nine positives", higher("roc_auc", "0.5"), fewPositives(1), fewPositives(2), "9 positive and 491 negative rows"},
		{"one class", higher("roc_auc", "0.5"), oneClass(1), oneClass(2), "undefined for the candidate: no row is positive"},
		{"too few that are perfect", higher("roc_auc", "0.01"), perfect(0.5), perfect(0.6), "these rows cannot tell"},
		{"nine groups", higher("brier", "0.5"), grouped(1, 9), grouped(2, 9), "9 groups, and fewer than 10 tell too little"},
		{"29 rows", higher("f1", "0.6"), binarySet(29, 0.3, 1), binarySet(29, 0.3, 2), "29 rows, and fewer than 30 tell too little of f1"},
		{"one row", regressionExam, regressionSet([]float64{1}, []float64{2}), regressionSet([]float64{1}, []float64{3}), "one row has no variance"},
		{"equal differences", regressionExam, shifted(1), shifted(2), "the standard error is 0 although what mae reads of the models differs"},
		{"too large", regressionExam, huge(1), huge(2), "too large for a variance"},
		{"too large, equal", regressionExam, huge(1), huge(1), ""},
		{"margin of 0", higher("accuracy", "0"), binarySet(500, 0.3, 1), binarySet(500, 0.3, 1), "a margin of 0 asks for a significant improvement"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res, err := Compare(context.Background(), Input{Exam: c.ex, Candidate: c.cand, Baseline: c.base})
			require.NoError(t, err)
			assert.Equal(t, verdict.Inconclusive, res.Verdict)
			assert.Contains(t, res.Metrics[0].Reason, c.reason)
			_, err = json.Marshal(res)
			require.NoError(t, err, "a result is always JSON: no NaN")
		})
	}
}

// A column that only the relative scale lacks: a baseline of 0.
func TestRelativeToNothing(t *testing.T) {
	t.Parallel()
	target := make([]float64, 50)
	noisy := make([]float64, 50)
	for i := range target {
		target[i] = float64(i)
		noisy[i] = float64(i) + float64(i%7)
	}
	ex := exam.Exam{Task: exam.Regression, Confidence: 0.95, Metrics: []exam.Metric{{Name: "mae", Margin: margin(t, "5%")}}}
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: regressionSet(target, noisy), Baseline: regressionSet(target, target)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, res.Verdict)
	assert.Contains(t, res.Metrics[0].Reason, "nothing is relative to 0")
}

// Equal predictions are not a point: three rows in n may still differ.
func TestEqualPredictions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"accuracy", "roc_auc", "log_loss", "f1", "mcc", "pr_auc", "recall"} {
		ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: name, Margin: margin(t, "0.05")}}}
		res, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(5000, 0.3, 1), Baseline: binarySet(5000, 0.3, 1)})
		require.NoError(t, err)
		m := res.Metrics[0]
		require.NotNil(t, m.CI, name)
		assert.Equal(t, verdict.Pass, m.Verdict, name)
		assert.Zero(t, *m.Improvement, name)
		assert.Less(t, *m.CI.Low, -1e-5, name)
		assert.Greater(t, *m.CI.Low, -0.02, name)
		assert.InEpsilon(t, -*m.CI.Low, *m.CI.High, 0.15, name)
		few, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(50, 0.3, 1), Baseline: binarySet(50, 0.3, 1)})
		require.NoError(t, err)
		assert.Equal(t, verdict.Inconclusive, few.Verdict, "%s: 50 equal rows do not show that 5 %% more never differ", name)
	}
}

func TestAnchor(t *testing.T) {
	t.Parallel()
	ex := binaryExam(t)
	// Slightly worse than the last, clearly worse than the anchor.
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(4000, 1.0, 8), Baseline: binarySet(4000, 0.9, 7), Anchor: binarySet(4000, 0.1, 9)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Fail, res.Verdict)
	var against []Against
	for _, m := range res.Metrics {
		if m.Name == "roc_auc" {
			against = append(against, m.Against)
			if m.Against == AgainstAnchor {
				assert.Equal(t, verdict.Fail, m.Verdict)
			} else {
				assert.NotEqual(t, verdict.Fail, m.Verdict)
			}
		}
	}
	assert.Equal(t, []Against{AgainstBaseline, AgainstAnchor}, against)
}

func TestSlices(t *testing.T) {
	t.Parallel()
	ex := binaryExam(t)
	ex.Slices = []exam.Slice{
		{Name: "region", Column: "region", Mode: exam.Alarm, Metric: "accuracy", Margin: *margin(t, "0.05"), MinN: 50},
		{Name: "b or c", Where: "region in ('b', 'c')", Mode: exam.Gate, Metric: "accuracy", Margin: *margin(t, "0.05"), MinN: 50},
		{Name: "none", Where: "region = 'z'", Mode: exam.Gate, Metric: "accuracy", Margin: *margin(t, "0.05"), MinN: 50},
	}
	cand, base := binarySet(4000, 0.3, 8), binarySet(4000, 0.3, 7)
	c := cand.Column("region")
	for i, code := range c.Code {
		if c.Levels[code] == "b" && i%3 != 0 {
			cand.Pred[i] = 1 - cand.Label[i] // spoilt on one level
		}
	}
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base, Levels: map[string][]string{"region": {"a", "b", "c", "gone"}}})
	require.NoError(t, err)
	assert.Equal(t, []Levels{{Column: "region", New: []string{"d"}, Vanished: []string{"gone"}}}, res.Levels)
	got := map[string]Slice{}
	for _, s := range res.Slices {
		got[s.Name+s.Level] = s
	}
	assert.Equal(t, verdict.Fail, got["regionb"].Verdict)
	assert.Contains(t, got["regionb"].Reason, "after Holm over 4 alarms")
	assert.Empty(t, got["regiona"].Verdict, "a silent alarm is silent")
	assert.InDelta(t, 1, *got["regiona"].PHolm, 0.5)
	assert.Equal(t, verdict.Fail, got["b or c"].Verdict)
	assert.Equal(t, verdict.Inconclusive, got["none"].Verdict)
	assert.Equal(t, "no row is in this slice", got["none"].Reason)
	assert.Equal(t, verdict.Fail, res.Verdict)

	ex.Slices = []exam.Slice{{Name: "region", Column: "region", Mode: exam.Gate, Metric: "accuracy", Margin: *margin(t, "0.05"), MinN: 5000}}
	res, err = Compare(context.Background(), Input{Exam: ex, Candidate: base, Baseline: base})
	require.NoError(t, err)
	for _, s := range res.Slices {
		assert.False(t, s.Judged)
		assert.Empty(t, s.Verdict)
		assert.NotNil(t, s.Candidate)
		assert.Contains(t, s.Reason, "under min_n 5000 nothing is judged")
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	set := binarySet(100, 0.3, 1)
	metricOnly := func(m exam.Metric) exam.Exam {
		return exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{m}}
	}
	other := binarySet(100, 0.3, 2)
	other.Label[3] = 1 - other.Label[3]
	slice := metricOnly(exam.Metric{Name: "accuracy"})
	slice.Slices = []exam.Slice{{Name: "s", Column: "origin", Metric: "accuracy"}}
	syntax := metricOnly(exam.Metric{Name: "accuracy"})
	syntax.Slices = []exam.Slice{{Name: "s", Where: "region ==", Metric: "accuracy"}}
	group := metricOnly(exam.Metric{Name: "accuracy"})
	group.Data.Group = "patient"
	weight := metricOnly(exam.Metric{Name: "accuracy"})
	weight.Data.Weight = "w"
	confidence := metricOnly(exam.Metric{Name: "accuracy"})
	confidence.Confidence = 0.3
	for _, c := range []struct {
		name string
		ex   exam.Exam
		base *predictions.Set
		want string
	}{
		{"no metrics", exam.Exam{Task: exam.Binary, Confidence: 0.95}, set, "the exam has no metrics"},
		{"unknown metric", metricOnly(exam.Metric{Name: "auc"}), set, `metric "auc" is unknown`},
		{"margin on ece", metricOnly(exam.Metric{Name: "ece", Margin: margin(t, "0.1")}), set, "report-only"},
		{"floor on ece", metricOnly(exam.Metric{Name: "ece", Ceiling: ptr(0.1)}), set, "report-only"},
		{"relative margin on mcc", metricOnly(exam.Metric{Name: "mcc", Margin: margin(t, "2%")}), set, "can be 0 or less"},
		{"wrong direction", metricOnly(exam.Metric{Name: "log_loss", Direction: exam.Higher}), set, "direction higher, but lower is better"},
		{"wrong task", metricOnly(exam.Metric{Name: "mae"}), set, "is not for binary tasks"},
		{"confidence", confidence, set, "confidence 0.3 must be over 0.5"},
		{"labels disagree", metricOnly(exam.Metric{Name: "accuracy"}), other, `column "label"`},
		{"slice column", slice, set, `no column "origin"; its slice columns are: region`},
		{"slice syntax", syntax, set, `slice "s"`},
		{"group", group, set, `neither a column "group" nor "patient"`},
		{"weight", weight, set, `no column "weight"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compare(context.Background(), Input{Exam: c.ex, Candidate: set, Baseline: c.base})
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

// Weights of 1 and groups of one row change nothing but the name of the method.
func TestWeightsAndGroupsReduce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"roc_auc", "log_loss", "f1", "accuracy"} {
		ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{{Name: name, Margin: margin(t, "0.05")}}}
		n := 8000
		plain, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(n, 0.3, 1), Baseline: binarySet(n, 0.3, 2)})
		require.NoError(t, err)
		weighted := binarySet(n, 0.3, 1)
		grouped := binarySet(n, 0.3, 1)
		for i := range n {
			weighted.Weight = append(weighted.Weight, 3)
			grouped.Group = append(grouped.Group, int32(i))
			grouped.Groups = append(grouped.Groups, fmt.Sprint(i))
		}
		for what, set := range map[string]*predictions.Set{"weighted": weighted, "grouped": grouped} {
			res, err := Compare(context.Background(), Input{Exam: ex, Candidate: set, Baseline: binarySet(n, 0.3, 2)})
			require.NoError(t, err)
			assert.InDelta(t, *plain.Metrics[0].CI.Low, *res.Metrics[0].CI.Low, 2e-4, "%s %s", name, what)
			assert.InDelta(t, *plain.Metrics[0].CI.High, *res.Metrics[0].CI.High, 2e-4, "%s %s", name, what)
		}
	}
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	var cand, base []*predictions.Set
	for s := range uint64(5) {
		cand = append(cand, binarySet(2000, 0.3, 10+s))
		base = append(base, binarySet(2000, 0.3, 20+s))
	}
	in := RecipesInput{Exam: exam.Exam{Task: exam.Binary, Confidence: 0.95}, Metric: exam.Metric{Name: "log_loss", Margin: margin(t, "0.02")},
		Candidate: cand, Baseline: base}
	res, err := Recipes(in)
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, res.Verdict, res.Reason)
	assert.Equal(t, [2]int{5, 5}, res.Seeds)
	assert.Greater(t, *res.DF, 3.9)
	in.Baseline = base[:1]
	fixed, err := Recipes(in)
	require.NoError(t, err)
	assert.Zero(t, fixed.Components.SeedsBaseline)
	assert.Greater(t, *fixed.SE, 0.0)
	in.Candidate = cand[:1]
	one, err := Recipes(in)
	require.NoError(t, err)
	assert.Equal(t, verdict.Inconclusive, one.Verdict)
	assert.Contains(t, one.Reason, "takes two seeds")
	in.Metric = exam.Metric{Name: "ece", Margin: margin(t, "0.02")}
	_, err = Recipes(in)
	require.ErrorContains(t, err, "report-only")
}

// At a true loss equal to the margin, recipes pass at most 1 time in 20, for
// 3 to 10 seeds: crossed effects of seeds and rows.
func TestRecipesKeepTheirPromise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seeds         int
		seed, rowSD   float64
		interactionSD float64
	}{{3, 1, 5, 10}, {5, 1, 5, 10}, {10, 0.3, 10, 10}, {5, 0, 10, 10}, {10, 1, 0, 10}} {
		const rows, reps = 150, 1500
		if slow {
			t.Skip("a simulation in one goroutine: there is no race to find")
		}
		pass := 0
		q := question{direction: exam.Lower, confidence: 0.95, margin: &exam.Margin{Value: 1}}
		for rep := range reps {
			r := rand.New(rand.NewPCG(uint64(rep), uint64(c.seeds)))
			row := make([]float64, rows)
			for i := range row {
				row[i] = c.rowSD * r.NormFloat64()
			}
			recipe := func(mean, rowShare float64) *replicates {
				out := &replicates{df: rows - 1}
				var bySeed [][]float64
				for range c.seeds {
					seed := mean + c.seed*r.NormFloat64()
					y := make([]float64, rows)
					var m moments
					for i := range y {
						y[i] = seed + rowShare*row[i] + c.interactionSD*r.NormFloat64()
						m.add(y[i])
					}
					for i := range y {
						y[i] -= m.mean
					}
					out.values.add(m.mean)
					bySeed = append(bySeed, y)
				}
				out.summarise(bySeed)
				return out
			}
			e := contrastRecipes(q, recipe(11, 1.3), recipe(10, 1))
			require.True(t, e.bounded)
			if e.low > -1 {
				pass++
			}
		}
		assert.Less(t, float64(pass)/reps, 0.05+3*math.Sqrt(0.05*0.95/reps), "%+v", c)
	}
}

func TestSeedPosition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		direction exam.Direction
		values    []float64
		want      SeedKind
	}{
		{exam.Higher, []float64{0.9, 0.8, 0.81, 0.79}, SeedUnknown},
		{exam.Higher, []float64{0.9, 0.8, 0.81, 0.79, 0.8}, SeedBetter},
		{exam.Lower, []float64{0.9, 0.8, 0.81, 0.79, 0.8}, SeedWorse},
		{exam.Higher, []float64{0.7, 0.8, 0.81, 0.79, 0.8}, SeedWorse},
		{exam.Higher, []float64{0.805, 0.8, 0.81, 0.79, 0.8}, SeedWithin},
		{exam.Higher, []float64{0.8, 0.8, 0.8, 0.8, 0.8}, SeedWithin},
		{exam.Higher, []float64{0.8, math.NaN(), 0.8, 0.8, 0.8}, SeedUnknown},
		{exam.Higher, nil, SeedUnknown},
	} {
		got := JudgeSeed("roc_auc", c.direction, c.values)
		assert.Equal(t, c.want, got.Kind, "%v", c.values)
		assert.NotEmpty(t, got.Detail)
	}
	// mean 0.8, s = 0.01·sqrt(2/3), t(0.975, 3) = 3.1824.
	got := JudgeSeed("m", exam.Higher, []float64{0.805, 0.8, 0.81, 0.79, 0.8})
	assert.InDelta(t, 0.8+3.18245*0.01*math.Sqrt(2.0/3)*math.Sqrt(1.25), *got.High, 1e-6)
}

// The JSON has the documented names.
func TestResultJSON(t *testing.T) {
	t.Parallel()
	res, err := Compare(context.Background(), Input{Exam: binaryExam(t), Candidate: binarySet(200, 0.3, 8), Baseline: binarySet(200, 0.3, 7)})
	require.NoError(t, err)
	text, err := json.Marshal(res)
	require.NoError(t, err)
	var obj struct {
		Verdict string
		N       int
		Metrics []map[string]any
		Slices  []any
	}
	require.NoError(t, json.Unmarshal(text, &obj))
	assert.Equal(t, 200, obj.N)
	assert.NotNil(t, obj.Slices)
	for _, name := range strings.Fields("name direction baseline candidate delta improvement ci margin verdict improved floor mde rows_needed") {
		assert.Contains(t, obj.Metrics[0], name)
	}
	ci, ok := obj.Metrics[0]["ci"].(map[string]any)
	require.True(t, ok)
	for _, name := range strings.Fields("low high confidence sides scale method") {
		assert.Contains(t, ci, name)
	}
}

func TestCustomMetric(t *testing.T) {
	t.Parallel()
	cost := func(perRow bool) func(exam.Metric, *predictions.Set) ([]float64, error) {
		return func(_ exam.Metric, s *predictions.Set) ([]float64, error) {
			x := make([]float64, s.N)
			for i := range x {
				x[i] = 1 + math.Abs(float64(s.Label[i])-s.Score[i])
			}
			if !perRow {
				x = x[:1]
			}
			return x, nil
		}
	}
	ex := exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{
		{Name: "cost", Direction: exam.Lower, Command: "./cost {predictions}", Margin: margin(t, "2%")}},
		Slices: []exam.Slice{{Column: "region", Mode: exam.Alarm, Metric: "cost", Margin: *margin(t, "0.1"), MinN: 50}}}
	cand, base := binarySet(3000, 0.3, 1), binarySet(3000, 0.3, 2)
	straight, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base, Custom: cost(true)})
	require.NoError(t, err)
	assert.Equal(t, verdict.Pass, straight.Verdict, straight.Metrics[0].Reason)
	assert.Len(t, straight.Slices, 4)
	// The other model's rows in another order: the numbers follow their ids.
	turned := binarySet(3000, 0.3, 2)
	for _, col := range []any{turned.ID, turned.Label, turned.Pred, turned.Score, turned.Columns[0].Code} {
		switch x := col.(type) {
		case []string:
			slices.Reverse(x)
		case []int32:
			slices.Reverse(x)
		case []float64:
			slices.Reverse(x)
		}
	}
	again, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: turned, Custom: cost(true)})
	require.NoError(t, err)
	assert.InDelta(t, *straight.Metrics[0].CI.Low, *again.Metrics[0].CI.Low, 1e-12)
	_, err = Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base, Custom: cost(false)})
	require.ErrorContains(t, err, "one number for all rows, which has no interval")
	_, err = Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base})
	require.ErrorContains(t, err, "nothing here runs it")
	ex.Metrics[0].Margin, ex.Slices = nil, nil
	res, err := Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base, Custom: cost(false)})
	require.NoError(t, err)
	assert.NotNil(t, res.Metrics[0].Candidate)
	ex.Metrics[0].Direction = ""
	_, err = Compare(context.Background(), Input{Exam: ex, Candidate: cand, Baseline: base, Custom: cost(false)})
	require.ErrorContains(t, err, "needs a direction")
}
