package metric_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
)

func ExampleLookup() {
	m, err := metric.Lookup("roc_auc")
	if err != nil {
		fmt.Println(err)
		return
	}
	v := m.Of(&metric.Data{Task: exam.Binary, N: 4, Classes: []string{"no", "yes"}, Positive: 1,
		Label: []int32{0, 0, 1, 1}, Score: []float64{0.1, 0.6, 0.5, 0.9}})
	fmt.Println(m.Name, v.V)
	// Output: roc_auc 0.75
}
