package modeldiff_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/modeldiff"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// A row flips when its predicted class changes; what was wrong is fixed, what
// was right has regressed.
func ExampleFlipsOf() {
	set := func(pred ...int32) *predictions.Set {
		return &predictions.Set{
			Task: exam.Binary, N: 4, ID: []string{"a", "b", "c", "d"}, Classes: []string{"0", "1"}, Positive: 1,
			Label: []int32{0, 0, 1, 1}, Pred: pred, Score: []float64{0.2, 0.2, 0.8, 0.8},
		}
	}
	flips, err := modeldiff.FlipsOf(set(0, 1, 1, 1), set(0, 0, 0, 1), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %d rows: %d fixed, %d regressed\n", flips.N, flips.Of, flips.Fixed, flips.Regressed)
	// Output:
	// 2 of 4 rows: 1 fixed, 1 regressed
}
