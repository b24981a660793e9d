package predictions_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// Two tools wrote the answers of two models to the same rows, each in its own
// order and spelling. They are paired by id.
func Example() {
	read := func(name, text string) *predictions.Set {
		set, err := predictions.Read(context.Background(), strings.NewReader(text), name, predictions.Options{Task: exam.Binary, Positive: "1"})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return set
	}
	candidate := read("candidate.csv", "id,label,prediction,score\n1,1,1,0.9\n2,0,1,0.6\n")
	baseline := read("baseline.csv", "id;label;prediction;score\n2.0;False;False;0.2\n1.0;True;True;0.7\n")
	paired, err := predictions.Align(candidate, baseline)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(paired.ID, paired.Classes, paired.Score)
	if err := predictions.Write(os.Stdout, paired); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [1 2] [0 1] [0.7 0.2]
	// id,label,prediction,score
	// 1,1,1,0.7
	// 2,0,0,0.2
}

func ExampleRead_refused() {
	_, err := predictions.Read(context.Background(), strings.NewReader("id,label,prediction\na,0.5,0.25\nb,0.5,\"0,75\"\n"), "answers.csv",
		predictions.Options{Task: exam.Regression})
	fmt.Println(err)
	// Output:
	// answers.csv:3: column "prediction": "0,75" is not a number: it has a decimal comma; write the decimals with a point (pandas: read_csv(..., decimal=","), then to_csv)
}
