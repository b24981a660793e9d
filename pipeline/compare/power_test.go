package compare

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// powerExam has the gates that a team might ask.
func powerExam(t *testing.T) exam.Exam {
	return exam.Exam{Task: exam.Binary, Confidence: 0.95, Metrics: []exam.Metric{
		{Name: "roc_auc", Margin: margin(t, "0.01")}, {Name: "log_loss", Margin: margin(t, "2%")},
		{Name: "accuracy", Margin: margin(t, "0.01")}, {Name: "f1", Margin: margin(t, "0.03")}, {Name: "brier"}, {Name: "ece"},
	}}
}

// What power says before training is what happens: replicates of one recipe pass
// about as often.
func TestPowerComesTrue(t *testing.T) {
	t.Parallel()
	ex := powerExam(t)
	said, err := PowerOf(context.Background(), PowerInput{Exam: ex, Model: binarySet(1000, 0.3, 101), Replicate: binarySet(1000, 0.3, 102)})
	require.NoError(t, err)
	require.Len(t, said.Metrics, 5, "a report-only metric has no power")
	reps := 200
	if slow || testing.Short() {
		reps = 20
	}
	all := 0
	single := map[string]int{}
	for i := range reps {
		res, err := Compare(context.Background(), Input{Exam: ex, Candidate: binarySet(1000, 0.3, uint64(1000+2*i)), Baseline: binarySet(1000, 0.3, uint64(1001+2*i))})
		require.NoError(t, err)
		if res.Verdict == "PASS" {
			all++
		}
		for _, m := range res.Metrics {
			if m.Verdict == "PASS" {
				single[m.Name]++
			}
		}
	}
	for _, m := range said.Metrics {
		if m.Margin != nil {
			assert.InDelta(t, float64(single[m.Name])/float64(reps), m.Passes[0], 0.2, m.Name)
			assert.GreaterOrEqual(t, m.Passes[0], said.All[0], "one gate passes no less often than all")
		}
	}
	assert.InDelta(t, float64(all)/float64(reps), said.All[0], 0.2)
}

func TestPower(t *testing.T) {
	t.Parallel()
	ex := powerExam(t)
	for _, replicate := range []*predictions.Set{nil, binarySet(1000, 0.3, 2)} {
		p, err := PowerOf(context.Background(), PowerInput{Exam: ex, Model: binarySet(1000, 0.3, 1), Replicate: replicate})
		require.NoError(t, err)
		assert.Equal(t, []float64{1, 2, 5}, p.Times)
		for _, m := range p.Metrics {
			assert.Greater(t, m.MDE[0], m.MDE[1], "%s: more rows tell more", m.Name)
			assert.Greater(t, m.MDE[1], m.MDE[2], m.Name)
			if m.Margin == nil {
				assert.Nil(t, m.Passes)
				continue
			}
			assert.LessOrEqual(t, m.Passes[0], m.Passes[2], m.Name)
			assert.Equal(t, m.MDE[0] > m.Margin.Value, *m.RowsNeeded > 1000, m.Name)
		}
		assert.LessOrEqual(t, p.All[0], p.All[2])
		require.NotNil(t, p.Enough)
		assert.Contains(t, p.Advice(), "4 gates at these margins: an unchanged model passes")
		assert.Contains(t, p.Advice(), "rows")
	}
	none := ex
	none.Metrics = ex.Metrics[4:]
	p, err := PowerOf(context.Background(), PowerInput{Exam: none, Model: binarySet(1000, 0.3, 1)})
	require.NoError(t, err)
	assert.Contains(t, p.Advice(), "No metric has a margin")
	_, err = PowerOf(context.Background(), PowerInput{Exam: exam.Exam{Task: exam.Binary, Confidence: 0.95}, Model: binarySet(10, 0.3, 1)})
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	few, err := PowerOf(context.Background(), PowerInput{Exam: ex, Model: binarySet(12, 0.3, 1)})
	require.NoError(t, err)
	assert.Nil(t, few.Enough)
	assert.Zero(t, few.All[0])
	assert.NotEmpty(t, few.Metrics[0].Reason)
}

func TestChance(t *testing.T) {
	t.Parallel()
	for p, want := range map[float64]string{1: "nearly always", 0.8: "about 80 times in 100", 0.0667: "about 1 time in 15", 0.0001: "practically never"} {
		assert.Equal(t, want, Chance(p))
	}
	assert.Equal(t, int64(5900), roundedUp(5801))
	assert.Equal(t, int64(87), roundedUp(87))
}

// Gates that read the same pass together as often as one.
func TestTogether(t *testing.T) {
	t.Parallel()
	ex := powerExam(t)
	ex.Metrics = []exam.Metric{{Name: "accuracy", Margin: margin(t, "0.02")}, {Name: "f1_micro", Margin: margin(t, "0.02")}}
	p, err := PowerOf(context.Background(), PowerInput{Exam: ex, Model: binarySet(1000, 0.3, 1), Replicate: binarySet(1000, 0.3, 2)})
	require.NoError(t, err)
	assert.InDelta(t, p.Metrics[0].Passes[0], p.All[0], 0.01)
}

func TestValues(t *testing.T) {
	t.Parallel()
	values, err := Values(context.Background(), binarySet(800, 0.3, 1), 0.95)
	require.NoError(t, err)
	for name, v := range values {
		require.True(t, v.Value.Defined(), name)
		if name == "ece" {
			assert.Nil(t, v.Interval)
			assert.Equal(t, "report-only", v.Reason)
			continue
		}
		require.NotNil(t, v.Interval, name)
		assert.Less(t, *v.Interval.Low, v.Value.V, name)
		assert.Greater(t, *v.Interval.High, v.Value.V, name)
	}
}
