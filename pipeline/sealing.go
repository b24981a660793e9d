package pipeline

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/seal"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// sealed is the candidate as a bundle.
type sealed struct {
	Digest    string           `json:"digest"`
	Dir       string           `json:"dir"`
	Signature bundle.Signature `json:"signature"`
}

// String says it in a line.
func (s sealed) String() string { return s.Digest }

func (l *line) seal(ctx context.Context, t trained) (sealed, error) {
	golden := l.project.Config.Serve.Golden
	rows := l.evalRows
	if golden.From != "eval" {
		var err error
		if rows, err = dataset.Read(l.project.Path(golden.From)); err != nil {
			return sealed{}, err
		}
	}
	return step(ctx, l, "seal", []any{golden, rows.Digest()}, func(ctx context.Context, s *store.Step) (sealed, error) {
		dir, err := l.run.Path("candidate")
		if err != nil {
			return sealed{}, err
		}
		b, err := seal.Seal(ctx, seal.Options{
			Model: t.Models[0], Name: l.project.Config.Model, Dir: dir, Rows: rows, N: golden.Rows, Data: l.exam.Data, Task: l.exam.Task,
		})
		if err != nil {
			return sealed{}, blameTrainer(err)
		}
		rel, err := filepath.Rel(l.run.Dir(), b.Dir)
		if err != nil {
			return sealed{}, err
		}
		return sealed{Digest: b.Digest, Dir: b.Dir, Signature: b.Signature}, s.AddTree(filepath.ToSlash(rel))
	})
}

// blameTrainer marks the error of a model that the trainer left damaged or in
// a form that is refused: the change does not train.
func blameTrainer(err error) error {
	var damaged *bundle.DamagedError
	var refused *bundle.RefusedError
	if errors.As(err, &damaged) || errors.As(err, &refused) {
		return fault.Failed(err)
	}
	return err
}
