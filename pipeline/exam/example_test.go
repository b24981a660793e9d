package exam_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// A margin is a difference in the metric's own unit, or a percentage of the
// baseline's value.
func ExampleParseMargin() {
	for _, text := range []string{"0.01", "2%", "-1"} {
		margin, err := exam.ParseMargin(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(margin, margin.Relative)
	}
	// Output:
	// 0.01 false
	// 2% true
	// margin "-1" must be a finite number of at least 0, and under 100% when relative
}
