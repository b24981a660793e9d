package dataset_test

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
)

// The separator is found, cells stay text, and whoever needs a number asks for
// it.
func Example() {
	text := "flight;delay;carrier\nUA1;12.5;UA\nB62;NA;B6\n"
	table, err := dataset.ReadBytes(context.Background(), []byte(text), "flights.csv", dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	delay, err := table.Need("delay")
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range table.Rows() {
		v, ok := delay.Float(i)
		fmt.Println(table.Place(i), delay.At(i), v, ok)
	}
	_, err = table.Need("carier")
	fmt.Println(err)
	// Output:
	// flights.csv:2 12.5 12.5 true
	// flights.csv:3 NA NaN true
	// flights.csv has no column "carier"; did you mean "carrier"? Its columns are flight, delay, carrier
}

// Two tables share more rows than chance gives: 1 and 1.0 are one value.
func ExampleLeakage() {
	train, eval := "x,y\n", "x,y\n"
	for i := range 100 {
		train += fmt.Sprintf("%d,%d\n", i*i, i%2)
		eval += fmt.Sprintf("%d.0,%d\n", (i+90)*(i+90), i%2)
	}
	tables, err := dataset.ReadAll(context.Background(), dataset.Options{}, map[string][]byte{
		"train.csv": []byte(train), "eval.csv": []byte(eval),
	}, "train.csv", "eval.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := dataset.Leakage(context.Background(), tables[0], tables[1], dataset.LeakageOptions{Label: "y"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %d rows, %.0f by chance: %v\n", found.Rows.Rows, found.EvalRows, found.ByChance, found.BeyondChance)
	// Output:
	// 10 of 100 rows, 0 by chance: true
}
