package evaluate

import (
	"context"

	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
)

// Answer asks the model for its answers to some rows of the table, counted from
// 0, in this order; a row may be there several times. They need no labels, and
// the set has none. change may alter the inputs before they are sent.
func Answer(ctx context.Context, o Options, rows []int, change func(inputs []tensor.Tensor)) (*predictions.Set, error) {
	inputs, err := Rows(o.Table, o.Signature, o.Data, rows)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(inputs)
	}
	got, err := newAnswers(o, rows)
	if err != nil {
		return nil, err
	}
	if err := ask(ctx, o, inputs, got); err != nil {
		return nil, err
	}
	set := &predictions.Set{Task: o.Task, Name: o.Table.Path(), N: got.n}
	if o.Task == exam.Regression {
		set.Value = got.value
		return set, nil
	}
	return set, got.classify(o, set)
}
