package config_test

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// All problems of a config are listed at once, each with its place.
func ExampleParse() {
	known := config.FakeCatalogue{"roc_auc": {Direction: exam.Higher, Tasks: []exam.Task{exam.Binary}}}
	_, err := config.Parse("dosirak.yaml", []byte(`version: 1
model: flights delay
task: binary
train:
  command: python train.py --seed {seed} --out {out}
data:
  train: data/train.csv
  eval: data/eval.csv
  label: delayed
metrics:
  - {name: roc_auc, direction: lower, margin: 0.01}
`), known)
	fmt.Println(err)
	// Output:
	// dosirak.yaml:2:8: model: "flights delay" is no model name; a name has lower-case letters, digits, . _ and -, begins with a letter or digit, and has at most 63 characters
	// dosirak.yaml:7:3: data.positive: is missing; a binary task needs the label of the positive class, such as "1"
	// dosirak.yaml:11:32: metrics[0].direction: is "lower", but roc_auc is better when higher
}
