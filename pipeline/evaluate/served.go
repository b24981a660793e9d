package evaluate

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// PredictServed serves the model at path in this process and asks it every row
// of the table, as an exam reads it. train is the table that the model was
// trained on, nil where that is not known. The errors are those of serving and
// of Predict.
func PredictServed(ctx context.Context, o server.Options, path string, e exam.Exam, table, train *dataset.Table) (*predictions.Set, error) {
	columns, err := e.Columns()
	if err != nil {
		return nil, fault.Usage(err)
	}
	var set *predictions.Set
	err = serving.With(ctx, path, o, func(s *serving.Local, c serving.Client) (err error) {
		set, err = Predict(ctx, Options{
			Client: c, Model: s.Name(), Signature: s.Signature(),
			Table: table, Train: train, Task: e.Task, Data: e.Data, Columns: columns,
		})
		return err
	})
	return set, err
}

// Widest tolerance that golden examples of a stranger may ask for: one that
// takes every answer for right says nothing. It is ten times what package seal
// gives by default.
var widest = bundle.Tolerance{Absolute: 1e-4, Relative: 1e-3}

// Golden asks a bundle's golden examples again and says what is wrong, nil for
// nothing.
func Golden(ctx context.Context, b *bundle.Opened, budget engine.Budget) error {
	golden, err := b.Golden()
	if err != nil {
		return fmt.Errorf("reading the golden examples: %w", err)
	}
	inputs, want, err := golden.Tensors()
	if err != nil {
		return fmt.Errorf("reading the golden examples: %w", err)
	}
	if t := golden.Tolerance; t.Absolute > widest.Absolute || t.Relative > widest.Relative {
		return fmt.Errorf("their tolerance is %g and %g of the value; at most %g and %g say something", t.Absolute, t.Relative, widest.Absolute, widest.Relative)
	}
	if len(inputs) == 0 {
		return nil // serve.golden.rows: 0
	}
	return serving.With(ctx, b.Dir, server.Options{Name: b.Bundle.Model.Name, Budget: budget}, func(s *serving.Local, c serving.Client) error {
		got, err := c.Infer(ctx, s.Name(), inputs)
		if err != nil {
			return fmt.Errorf("asking the golden examples: %w", err)
		}
		if wrong := bundle.CompareOutputs(want, got, golden.Tolerance); len(wrong) > 0 {
			return fmt.Errorf("%d values are others than the bundle says, the first: %s", len(wrong), wrong[0])
		}
		return nil
	})
}
