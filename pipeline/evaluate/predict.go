package evaluate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

const (
	defaultBatch    = 1024 // rows of a request: large enough that its overhead is nothing, small enough for any server
	defaultInFlight = 4
)

// Options says which model is asked which rows.
type Options struct {
	Client    serving.Client
	Model     string           // name of the model at the server
	Signature bundle.Signature // empty: what the server says

	Table   *dataset.Table
	Train   *dataset.Table // that the model was trained on: CheckOrder; nil: not known
	Task    exam.Task
	Data    exam.Data // columns that have a meaning
	Columns []string  // to carry along, for slices

	BatchRows int                   // of one request; 0: 1024
	InFlight  int                   // requests at a time; 0: 4
	Progress  func(done, total int) // rows; may be nil; called by one goroutine at a time
}

// Predict asks the model for its answers to all rows of the table. An error of
// the table or of what does not fit is of kind fault.Usage, one of the model's
// answers of kind fault.Failed, one of the way to the server of kind
// fault.Environment.
func Predict(ctx context.Context, o Options) (*predictions.Set, error) {
	if o.Table.Rows() == 0 {
		return nil, fault.NoRows.Usage(fmt.Errorf("%s has no rows", o.Table.Path()))
	}
	set, err := truth(o)
	if err != nil {
		return nil, err
	}
	if len(o.Signature.Inputs) == 0 {
		served, err := o.Client.Describe(ctx, o.Model)
		if err != nil {
			return nil, err
		}
		o.Signature = served.Signature
	}
	if o.Train != nil {
		if err := CheckOrder(o.Train, o.Table, o.Signature, o.Data); err != nil {
			return nil, err
		}
	}
	inputs, err := Rows(o.Table, o.Signature, o.Data, nil)
	if err != nil {
		return nil, err
	}
	got, err := newAnswers(o, nil)
	if err != nil {
		return nil, err
	}
	if err := ask(ctx, o, inputs, got); err != nil {
		return nil, err
	}
	if o.Task == exam.Regression {
		set.Value = got.value
		return set, nil
	}
	return set, got.classify(o, set)
}

// ask sends the rows in batches and hands each answer to got.
func ask(ctx context.Context, o Options, inputs []tensor.Tensor, got *answers) error {
	batch, inFlight := o.BatchRows, o.InFlight
	if batch <= 0 {
		batch = defaultBatch
	}
	if inFlight <= 0 {
		inFlight = defaultInFlight
	}
	for _, spec := range o.Signature.Inputs {
		switch spec.Shape[0] {
		case -1:
		case 1:
			batch = 1
		default:
			return fault.InputsDoNotFit.Usage(fmt.Errorf("the model's input %q has the shape %v: it takes exactly %d rows at a time; export it with a variable first dimension", spec.Name, spec.Shape, spec.Shape[0]))
		}
	}
	var (
		group, asking = errgroup.WithContext(ctx)
		mu            sync.Mutex
		done          int
		total         = got.n
	)
	group.SetLimit(inFlight)
	for from := 0; from < total && asking.Err() == nil; from += batch {
		group.Go(func() error {
			to := min(from+batch, total)
			part := make([]tensor.Tensor, len(inputs))
			for i := range inputs {
				part[i] = inputs[i].Slice(from, to)
			}
			outputs, err := o.Client.Infer(asking, o.Model, part)
			if err != nil {
				return fmt.Errorf("asking for %s: %w", got.batch(from, to), err)
			}
			if err := got.take(outputs, from, to); err != nil {
				return fault.Failed(err)
			}
			if o.Progress != nil {
				mu.Lock()
				defer mu.Unlock()
				done += to - from
				o.Progress(done, total)
			}
			return nil
		})
	}
	err := group.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Environment(err)
	}
	return err
}
