package where_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/where"
)

// A slice is the rows for which a condition holds.
func ExampleParse() {
	condition, err := where.Parse(`distance > 1500 and origin in ("JFK", "EWR")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(condition.Columns())
	_, err = where.Parse("distance >")
	fmt.Println(err)
	// Output:
	// [distance origin]
	// column 11: a number or a text is expected, not the end
}
