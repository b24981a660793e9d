package seal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

const (
	// DefaultRows is the number of golden rows where the options name none.
	DefaultRows = 32
	// MaxRows is the largest number of golden rows.
	MaxRows = 10_000
)

// Options says what to seal.
type Options struct {
	Model string // path of a model file, or of an MLflow model's folder
	Name  string // of the model, in URLs and reports
	Dir   string // where bundles go; each gets a folder named by its digest

	Rows  *dataset.Table // golden rows are taken from it, and what its inputs read; nil: the bundle has neither
	Train *dataset.Table // that the model was trained on, for the order of columns; nil: not known
	N     int            // how many; 0: DefaultRows
	Data  exam.Data      // which of its columns are no inputs
	Task  exam.Task

	// Tolerance within which every server must give the golden answers again.
	// The native engine gives the same bits everywhere: zero is its measure.
	Tolerance bundle.Tolerance
	// Budget is what the model may use: engine.UntrustedBudget for a stranger's;
	// zero: the server's default.
	Budget engine.Budget
}

// Sealed is a sealed model.
type Sealed struct {
	Digest    string // of the bundle: "sha256:" and 64 hexadecimal digits
	Dir       string // Options.Dir/<hexadecimal digest>
	Signature bundle.Signature
	Bundle    bundle.Bundle
}

// Seal writes the bundle of a model. Sealing the same again changes nothing
// and returns the same. A model that is refused, damaged or does not fit the
// rows is of kind fault.Usage; one that gives no answer, or another when asked
// again, fault.Failed.
func Seal(ctx context.Context, o Options) (*Sealed, error) { return seal(ctx, o, nil) }

// seal takes the engine for tests; nil is the server's own.
func seal(ctx context.Context, o Options, load engine.Loader) (*Sealed, error) {
	format, err := bundle.SniffFormat(o.Model)
	if err != nil {
		return nil, fault.ModelUnreadable.Usage(fmt.Errorf("sealing the model: %w", err))
	}
	model, err := os.ReadFile(format.Path)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the model: %w", err))
	}
	b := bundle.Bundle{Engine: map[string]string{bundle.ArithmeticHint: bundle.Arithmetic}, Model: bundle.Model{Format: format.Name, File: format.File}}
	golden := bundle.Golden{Tolerance: o.Tolerance}
	err = serving.With(ctx, format.Path, server.Options{Name: o.Name, Load: load, Budget: o.Budget}, func(s *serving.Local, c serving.Client) (err error) {
		b.Model.Name, b.Signature = s.Name(), s.Signature()
		if o.Rows == nil {
			return nil
		}
		if b.Signature, err = reads(b.Signature, o); err != nil {
			return err
		}
		golden, err = examples(ctx, c, b, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sealing the model: %w", err)
	}
	_, digest, err := bundle.Render(b, model, golden)
	if err != nil {
		return nil, fault.ModelUnreadable.Usage(fmt.Errorf("sealing the model: %w", err))
	}
	dir := filepath.Join(o.Dir, strings.TrimPrefix(digest, "sha256:"))
	if _, err := bundle.Write(dir, b, model, golden); err != nil {
		return nil, fault.Environment(fmt.Errorf("sealing the model: %w", err))
	}
	// What was written is opened as every server opens it: the golden answers
	// must hold, or the model does not answer alike twice.
	again, err := server.Open(ctx, dir, server.Options{Load: load, Budget: o.Budget})
	if err != nil {
		return nil, fault.AnswersDiffer.Failed(fmt.Errorf("opening what was sealed: %w", err))
	}
	defer again.Close()
	opened, err := bundle.Open(dir)
	if err != nil {
		return nil, fault.AnswersDiffer.Environment(fmt.Errorf("opening what was sealed: %w", err))
	}
	return &Sealed{Digest: digest, Dir: dir, Signature: again.Signature(), Bundle: opened.Bundle}, nil
}

// reads records which columns the inputs read.
func reads(s bundle.Signature, o Options) (bundle.Signature, error) {
	if o.Train != nil {
		if err := evaluate.CheckOrder(o.Train, o.Rows, s, o.Data); err != nil {
			return s, err
		}
	}
	return evaluate.Record(o.Rows, s, o.Data)
}

// examples chooses golden rows and asks the model for its answers.
func examples(ctx context.Context, c serving.Client, b bundle.Bundle, o Options) (bundle.Golden, error) {
	n := o.N
	if n <= 0 {
		n = DefaultRows
	}
	total := o.Rows.Rows()
	if total == 0 {
		return bundle.Golden{}, fault.NoRows.Usage(fmt.Errorf("%s has no rows to take golden examples from", o.Rows.Path()))
	}
	if n > MaxRows {
		return bundle.Golden{}, fault.Usage(fmt.Errorf("%d golden rows are wanted, at most %d: they ship in the image and are asked at every start", n, MaxRows))
	}
	all, err := evaluate.Rows(o.Rows, b.Signature, o.Data, nil)
	if err != nil {
		return bundle.Golden{}, fmt.Errorf("choosing the golden rows: %w", err)
	}
	inputs, err := evaluate.Rows(o.Rows, b.Signature, o.Data, choose(all, total, n))
	if err != nil {
		return bundle.Golden{}, fmt.Errorf("choosing the golden rows: %w", err)
	}
	outputs, err := c.Infer(ctx, b.Model.Name, inputs)
	if err != nil {
		return bundle.Golden{}, fmt.Errorf("asking the model for its golden answers: %w", err)
	}
	golden, err := bundle.NewGolden(inputs, outputs, o.Tolerance)
	if err != nil {
		return bundle.Golden{}, fault.AnswersDiffer.Failed(fmt.Errorf("reading the golden answers: %w", err))
	}
	return golden, nil
}
