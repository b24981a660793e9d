package tensor_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// A tensor says what is wrong with it before anything is computed with it.
func ExampleTensor_Check() {
	rows := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{2, 3}, F32: []float32{1, 2, 3, 4, 5}}
	fmt.Println(rows.Check())
	rows.F32 = append(rows.F32, 6)
	fmt.Println(rows.Check())
	// Output:
	// tensor "x" has 5 elements, its shape [2 3] needs 6
	// <nil>
}

// Rows are cut out without copying them.
func ExampleTensor_Slice() {
	rows := tensor.Tensor{Name: "x", Datatype: tensor.FP32, Shape: []int64{3, 2}, F32: []float32{1, 2, 3, 4, 5, 6}}
	last := rows.Slice(1, 3)
	fmt.Println(last.Shape, last.F32)
	// Output: [2 2] [3 4 5 6]
}

// A shape from outside is measured before anything is allocated for it.
func ExampleElements() {
	fmt.Println(tensor.Elements([]int64{100, 4}, 1_000_000))
	_, err := tensor.Elements([]int64{1 << 40, 1 << 40}, 1_000_000)
	fmt.Println(err)
	// Output:
	// 400 <nil>
	// shape [1099511627776 1099511627776] has more than 1000000 elements
}
