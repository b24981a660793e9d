package pipeline

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// checkOrder refuses evaluation data whose feature columns stand in another
// order than the training data's, where the model takes them by position: it
// would answer with one column in the place of another, and nothing else would
// show it. With data.features the order is said.
func checkOrder(train, eval *dataset.Table, data exam.Data, s bundle.Signature) error {
	if len(data.Features) > 0 || len(s.Inputs) != 1 {
		return nil
	}
	shape := s.Inputs[0].Shape
	if _, named := eval.Column(s.Inputs[0].Name); len(shape) != 2 || shape[1] == 1 && named {
		return nil
	}
	trained, asked := features(train, eval, data), features(eval, train, data)
	for i := range min(len(trained), len(asked)) {
		if trained[i] != asked[i] {
			return fault.Usage(fmt.Errorf("the model takes its columns by their place, and the %d. one is %q in %s and %q in %s: name the columns in the model's order in data.features",
				i+1, trained[i], train.Path(), asked[i], eval.Path()))
		}
	}
	return nil
}

// features are the feature columns of a table that another one has too.
func features(t, other *dataset.Table, data exam.Data) []string {
	var names []string
	for _, name := range t.Columns() {
		if _, both := other.Column(name); both && !slices.Contains([]string{data.Label, data.ID, data.Group, data.Weight, data.Time}, name) {
			names = append(names, name)
		}
	}
	return names
}
