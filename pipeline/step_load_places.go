package pipeline

import (
	"context"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

// namePlaces finds the columns of production's models whose bundles, older than
// the record of them, do not say which columns their one input reads: those of
// the exam that promoted production, data.features or the header of its rows.
// Today's table may have one column more, which is none of theirs.
func (s *session) namePlaces(ctx context.Context) error {
	e := s.promotedExam
	if e == nil || !s.baseline.unnamed() && !s.anchor.unnamed() {
		return nil
	}
	table, why, err := s.promotedHeader(ctx, *e)
	if err != nil {
		return err
	}
	for _, o := range []*openedBundle{s.baseline, s.anchor} {
		switch {
		case !o.unnamed():
		case table == nil:
			o.why = why
		default:
			o.places = evaluate.PlacesIn(table, o.bundle.Bundle.Signature, e.Data)
		}
	}
	return nil
}

// promotedHeader finds a table with the columns of production's exam.
func (s *session) promotedHeader(ctx context.Context, e exam.Exam) (*dataset.Table, string, error) {
	if e.Data.Eval == s.exam.Data.Eval || len(e.Data.Features) > 0 {
		return s.evalRows, "", nil
	}
	dir, err := s.run.Path("baseline/exam")
	if err != nil {
		return nil, "", err
	}
	return s.project.RowsOf(ctx, e.Data.Eval, dir, s.deployed)
}

// unnamed reports whether nothing in the bundle says which columns it reads.
func (o *openedBundle) unnamed() bool { return evaluate.UnrecordedPlaces(o.bundle.Bundle.Signature) }

// reads are the columns of a table that the bundle's model reads.
func (o *openedBundle) reads(t *dataset.Table, data exam.Data) ([]string, error) {
	if o.places != nil {
		data.Features = o.places
	}
	return evaluate.Reads(t, o.bundle.Bundle.Signature, data)
}
