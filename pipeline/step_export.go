package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// exported says whether what ships is what was trained.
type exported struct {
	Result *export.Result `json:"result"` // nil: nothing was compared
	Reason string         `json:"reason,omitempty"`
}

// String says it in a line.
func (e exported) String() string {
	if e.Result == nil {
		return "nothing to compare"
	}
	return e.Result.String()
}

// export holds the sealed model against what the trainer says that the trained
// one said.
func (s *session) export(ctx context.Context, t trained, candidate sealed) (exported, error) {
	if s.staged != nil {
		return exported{}, nil // it was compared where it was trained
	}
	return step(ctx, s, "export", nil, func(ctx context.Context, _ *store.Step) (exported, error) {
		path := filepath.Join(s.run.Dir(), filepath.FromSlash(t.Replicates[0].Out), export.File)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return exported{Reason: s.whyNotExported()}, nil
		}
		claim, err := export.Read(ctx, path, s.trainRows, s.exam.Task, s.exam.Data)
		if err != nil {
			return exported{}, fmt.Errorf("seed %d: %w", t.Replicates[0].Seed, err)
		}
		result, err := s.judgeExport(ctx, claim, candidate)
		return exported{Result: &result}, err
	})
}

// whyNotExported says once, with a first model, that nothing was compared; and
// always of a training that came from elsewhere.
func (s *session) whyNotExported() string {
	switch {
	case s.asked.Trained != "":
		return "the training that was made elsewhere holds no " + export.File
	case s.deployed == nil:
		return "the trainer leaves no " + export.File + " beside its model; docs/trainer.md shows the five lines that write it"
	}
	return ""
}

func (s *session) judgeExport(ctx context.Context, claim *export.Claim, candidate sealed) (export.Result, error) {
	var result export.Result
	o := server.Options{Name: s.project.Config.Model, Release: s.env.Release, Budget: s.changeBudget()}
	err := serving.With(ctx, candidate.Dir, o, func(l *serving.Local, c serving.Client) error {
		asked := evaluate.Options{Client: c, Model: l.Name(), Signature: l.Signature(), Table: s.trainRows, Task: s.exam.Task, Data: s.exam.Data}
		var err error
		result, err = claim.Judge(ctx, export.Options{
			Train: s.trainRows, Inputs: l.Signature().Inputs, Positive: s.exam.Data.Positive,
			Ask: func(ctx context.Context, rows []int, change func([]tensor.Tensor)) (*predictions.Set, error) {
				return evaluate.Answer(ctx, asked, rows, change)
			},
		})
		return err
	})
	if err != nil && fault.ExitCode(err) == fault.CodeUsage {
		// The training table is the trainer's business: it trained on it.
		err = fmt.Errorf("asking the model the rows of the training table that %s names: %w", export.File, err)
	}
	return result, err
}

// reportExport is nil where nothing was compared and nobody has to be told.
func reportExport(e exported, witness Witness) *report.Export {
	if e.Result == nil {
		if e.Reason == "" {
			return nil
		}
		return &report.Export{Reason: report.NewProse(e.Reason)}
	}
	r := e.Result
	out := &report.Export{
		Verdict: r.Verdict, Rows: int64(r.Compared), Of: int64(r.Of), Relative: r.Relative, Absolute: r.Absolute,
		Differ: int64(r.Differ), Largest: &r.Largest, Cause: report.NewProse(r.Cause),
	}
	if out.Claimed = witness != Seen; out.Claimed && out.Verdict == verdict.Pass {
		out.Verdict = "" // what the trained model said is the change's word
	}
	for _, d := range r.Differences {
		out.Differences = append(out.Differences, report.ExportDifference{
			Row: report.NewText(d.Row), Column: report.NewText(d.Column), Trained: report.NewText(d.Trained), Served: report.NewText(d.Served),
		})
	}
	for _, name := range r.Columns {
		out.Columns = append(out.Columns, report.NewText(name))
	}
	return out
}
