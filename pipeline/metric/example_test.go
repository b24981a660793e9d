package metric_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

// A metric is looked up by its name and computed of labels and answers. What
// has no value says why.
func ExampleLookup() {
	auc, err := metric.Lookup("roc_auc")
	if err != nil {
		fmt.Println(err)
		return
	}
	data := &metric.Data{Task: exam.Binary, N: 4, Classes: []string{"0", "1"}, Positive: 1, Label: []int32{0, 0, 1, 1}, Pred: []int32{0, 0, 0, 1}, Score: []float64{0.1, 0.4, 0.35, 0.8}}
	fmt.Println(auc.Direction, auc.Of(data).V)

	data = &metric.Data{Task: exam.Binary, N: 1, Classes: []string{"0", "1"}, Positive: 1, Label: []int32{1}, Pred: []int32{1}, Score: []float64{0.9}}
	value := auc.Of(data)
	fmt.Println(value.Defined(), value.Reason)
	// Output:
	// higher 0.75
	// false no row is negative
}
