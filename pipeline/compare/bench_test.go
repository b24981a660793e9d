package compare

import (
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
		if e := c.ask(question{metric: m, direction: m.Direction, confidence: 0.95, margin: &exam.Margin{Value: 0.01}, seed: 1}); !e.bounded {
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

// BenchmarkBootstrap measures the BCa bootstrap of joint counts, 10,000
// resamples, on the rows that peer.py gives to scipy and numpy.
func BenchmarkBootstrap(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		p := benchPair(exam.Binary, n)
		m, err := metric.Lookup("f1")
		if err != nil {
			b.Fatal(err)
		}
		b.Run("f1/"+map[int]string{1000: "1000", 5000: "5000"}[n], func(b *testing.B) {
			for b.Loop() {
				j := newJoint(m, p.cand, p.base, func(c, d float64) float64 { return c - d })
				j.bca(0, 0.95, -1, 1)
			}
		})
	}
}

// BenchmarkStudentised measures the studentised bootstrap of a heavy tail.
func BenchmarkStudentised(b *testing.B) {
	for _, n := range []int{1000, 9000, 100_000} {
		r := rand.New(rand.NewPCG(1, 2))
		d := make([]float64, n)
		w := world{tail: "lognormal"}
		for i := range d {
			d[i] = w.noise(r)
		}
		b.Run(map[int]string{1000: "1000", 9000: "9000", 100_000: "100000"}[n], func(b *testing.B) {
			for b.Loop() {
				boundHeavy(d, 0, 0.95, -100, 4, 1)
			}
		})
	}
}

// BenchmarkCompare measures a whole comparison of 10,000 rows with slices.
func BenchmarkCompare(b *testing.B) {
	in := Input{Candidate: binarySet(10_000, 0.3, 8), Baseline: binarySet(10_000, 0.3, 7), Seed: 1, Exam: exam.Exam{
		Task: exam.Binary, Confidence: 0.95,
		Metrics: []exam.Metric{
			{Name: "roc_auc", Margin: &exam.Margin{Value: 0.01}}, {Name: "log_loss", Margin: &exam.Margin{Value: 0.02, Relative: true}},
			{Name: "accuracy", Margin: &exam.Margin{Value: 0.01}}, {Name: "f1", Margin: &exam.Margin{Value: 0.02}}, {Name: "ece"},
		},
		Slices: []exam.Slice{{Column: "region", Mode: exam.Alarm, Metric: "f1", Margin: exam.Margin{Value: 0.03}, MinN: 100}},
	}}
	for b.Loop() {
		if _, err := Compare(in); err != nil {
			b.Fatal(err)
		}
	}
}
