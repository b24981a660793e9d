package compare_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// A candidate is compared with the model in production on the same rows: here
// it is never further from the target than the baseline.
func ExampleCompare() {
	candidate := &predictions.Set{Task: exam.Regression, N: 400}
	baseline := &predictions.Set{Task: exam.Regression, N: 400}
	for i := range candidate.N {
		target, miss, id := float64(i%40), float64(i%7)-3, strconv.Itoa(i)
		candidate.ID, baseline.ID = append(candidate.ID, id), append(baseline.ID, id)
		candidate.Target, candidate.Value = append(candidate.Target, target), append(candidate.Value, target+miss/2)
		baseline.Target, baseline.Value = append(baseline.Target, target), append(baseline.Value, target+miss)
	}
	margin, err := exam.ParseMargin("0.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := compare.Compare(context.Background(), compare.Input{
		Exam: exam.Exam{
			Task: exam.Regression, Confidence: 0.95,
			Metrics: []exam.Metric{{Name: "mae", Direction: exam.Lower, Margin: &margin, Primary: true}},
		},
		Candidate: candidate, Baseline: baseline,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := result.Metrics[0]
	fmt.Printf("%s: %.2f instead of %.2f, better: %t\n", m.Name, *m.Candidate, *m.Baseline, result.Improved())
	fmt.Println(result.Verdict)
	// Output:
	// mae: 0.86 instead of 1.72, better: true
	// PASS
}
