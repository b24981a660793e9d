package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// promotedFolder holds, below the predictions, what the models answered to the
// exam of production.
const promotedFolder = predictionsFolder + "/promoted-exam"

// answerPromoted answers what the exam of production asks. The same rows and
// columns need no second answer. Where the question cannot be asked any more,
// the reason says why; it is a finding and not an error of this run.
func (s *session) answerPromoted(ctx context.Context, candidate sealed, today answerSet) (*answerSet, string, error) {
	e := s.promotedExam
	if e == nil {
		return nil, "", nil
	}
	carried, err := s.exam.Columns()
	if err != nil {
		return nil, "", fault.Usage(err)
	}
	columns, err := e.Columns()
	if err != nil {
		return nil, "the exam of production: " + err.Error(), nil
	}
	if sameAnswers(*e, s.exam, columns, carried) {
		return &today, "", nil
	}
	table, reason, err := s.promotedRows(ctx, candidate, columns)
	if err != nil || table == nil {
		return nil, reason, err
	}
	files, err := s.answer(ctx, s.evaluatedModels(candidate), *e, table, promotedFolder)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", err
		}
		return nil, err.Error(), nil
	}
	set := answersOf(files)
	return &set, "", nil
}

// sameAnswers reports whether what the models answered to one exam is what
// another asks: the same rows, read in the same way, with the columns of its
// slices carried along.
func sameAnswers(asked, answered exam.Exam, columns, carried []string) bool {
	a, b := asked.Data, answered.Data
	for _, name := range columns {
		if !slices.Contains(carried, name) {
			return false
		}
	}
	return asked.Task == answered.Task && a.Eval == b.Eval && a.Label == b.Label && a.Positive == b.Positive &&
		a.ID == b.ID && a.Group == b.Group && a.Weight == b.Weight && slices.Equal(a.Features, b.Features)
}

// promotedRows finds the rows of production's exam: today's table where it
// asks the same of every column that the exam names or a model reads, else the
// old file, in the work tree or in the commit that production was trained
// from.
func (s *session) promotedRows(ctx context.Context, candidate sealed, columns []string) (*dataset.Table, string, error) {
	e := s.promotedExam
	if s.asksTheSame(*e, candidate, columns) {
		return s.evalRows, "", nil
	}
	if s.promotedTable != nil {
		return s.promotedTable, "", nil
	}
	dir, err := s.run.Path(promotedFolder)
	if err != nil {
		return nil, "", err
	}
	return s.project.RowsOf(ctx, e.Data.Eval, dir, s.deployed)
}

// asksTheSame reports whether today's table asks what an earlier exam asked.
// A model that takes the table's columns by place cannot be asked by another
// table, unless its bundle records them.
func (s *session) asksTheSame(e exam.Exam, candidate sealed, columns []string) bool {
	names := append(e.Data.Roles(), columns...)
	read, err := evaluate.Reads(s.evalRows, candidate.Signature, e.Data)
	if err != nil {
		return false
	}
	names = append(names, read...)
	if s.baseline != nil {
		for _, o := range []*openedBundle{s.baseline, s.anchor} {
			read, err := o.reads(s.evalRows, e.Data)
			if err != nil {
				return false
			}
			names = append(names, read...)
		}
	}
	return len(e.Data.Differing(s.exam.Data, names)) == 0
}

// answerable says what is missing before a model of production can be asked
// today's rows at all.
func (s *session) answerable(name string, o *openedBundle) error {
	if _, err := o.reads(s.evalRows, s.exam.Data); err != nil {
		if o.why != "" {
			err = fmt.Errorf("%w (its bundle does not say which columns it reads, and %s)", err, o.why)
		}
		return fmt.Errorf("asking the %s: %w; production's model and the change answer the same rows, so the columns that it reads stay in %s until a model that does without them is in production",
			name, err, s.project.Config.Data.Eval)
	}
	return nil
}
