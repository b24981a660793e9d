package compare

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

func benchPair(task exam.Task, n int) *pair {
	w := world{task: task, sharp: 1, worse: 0.6, tail: "normal"}
	return w.draw(rand.New(rand.NewPCG(1, 2)), n, 0)
}

func benchAsk(b *testing.B, p *pair, name string) {
	b.Helper()
	m, err := metric.Lookup(name)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		// Fresh data: orders and counts are remembered by a Data.
		c, d := *p, rowsAll(p.cand.N)
		c.cand, c.base = p.cand.Rows(d), p.base.Rows(d)
		if e := c.ask(question{metric: m, direction: m.Direction, confidence: 0.95, margin: &exam.Margin{Value: 0.01}}); !e.bounded {
			b.Fatal(e.reason)
		}
	}
}

func rowsAll(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// BenchmarkInterval measures one metric with its interval on 100,000 paired
// rows, copying the rows included.
func BenchmarkInterval(b *testing.B) {
	cls, reg := benchPair(exam.Binary, 100_000), benchPair(exam.Regression, 100_000)
	for _, name := range []string{"accuracy", "f1", "roc_auc", "log_loss", "pr_auc"} {
		b.Run(name, func(b *testing.B) { benchAsk(b, cls, name) })
	}
	for _, name := range []string{"rmse", "mae", "median_ae"} {
		b.Run(name, func(b *testing.B) { benchAsk(b, reg, name) })
	}
}

// BenchmarkCompare measures a whole comparison of 10,000 rows with slices.
func BenchmarkCompare(b *testing.B) {
	in := Input{Candidate: binarySet(10_000, 0.3, 8), Baseline: binarySet(10_000, 0.3, 7), Exam: exam.Exam{
		Task: exam.Binary, Confidence: 0.95,
		Metrics: []exam.Metric{
			{Name: "roc_auc", Margin: &exam.Margin{Value: 0.01}}, {Name: "log_loss", Margin: &exam.Margin{Value: 0.02, Relative: true}},
			{Name: "accuracy", Margin: &exam.Margin{Value: 0.01}}, {Name: "f1", Margin: &exam.Margin{Value: 0.02}}, {Name: "ece"},
		},
		Slices: []exam.Slice{{Column: "region", Mode: exam.Alarm, Metric: "f1", Margin: exam.Margin{Value: 0.03}, MinN: 100}},
	}}
	for b.Loop() {
		if _, err := Compare(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}
