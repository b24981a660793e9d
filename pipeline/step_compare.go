package pipeline

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// judged is the comparison by today's exam and, where it differs, by the one
// that production was promoted by.
type judged struct {
	Today    compare.Result  `json:"today"`
	Promoted *compare.Result `json:"promoted,omitempty"`
	Changes  []exam.Change   `json:"changes,omitempty"` // from the exam of production to today's
	Reason   string          `json:"reason,omitempty"`  // why the promoted exam could not judge
	// Unchanged: the candidate is production's own bundle, so nothing of it is
	// judged by today's exam.
	Unchanged bool `json:"unchanged,omitempty"`
}

// promoted is the verdict by the exam of production. An exam that should judge
// and cannot is INCONCLUSIVE: a change may not grade its own exam by removing
// the old one's data.
func (j judged) promoted() verdict.Verdict {
	if j.Promoted == nil {
		return verdict.Inconclusive
	}
	return j.Promoted.Verdict
}

// String says it in a line.
func (j judged) String() string {
	if j.Unchanged && len(j.Changes) == 0 {
		return "UNCHANGED"
	}
	if len(j.Changes) > 0 {
		return fmt.Sprintf("%s; by the exam of production %s", j.Today.Verdict, j.promoted())
	}
	return string(j.Today.Verdict)
}

func (s *session) compare(ctx context.Context, candidate sealed, a answers) (judged, error) {
	return step(ctx, s, "compare", nil, func(ctx context.Context, _ *store.Step) (judged, error) {
		j := judged{Unchanged: s.baseline != nil && s.baseline.Digest == candidate.Digest}
		var err error
		if j.Today, err = s.judge(ctx, s.exam, a.Today); err != nil {
			return j, err
		}
		if s.promotedExam == nil {
			if s.deployed != nil && s.deployed.Manifest.Exam != s.exam.Digest() {
				j.Changes = []exam.Change{{Path: "exam", Old: s.deployed.Manifest.Exam, New: s.exam.Digest()}}
				j.Reason = "the evidence of production does not hold the text of its exam"
			}
			return j, nil
		}
		j.Changes = exam.Changes(*s.promotedExam, s.exam)
		if len(j.Changes) == 0 {
			return j, nil
		}
		if a.Promoted == nil {
			j.Reason = a.PromotedReason
			return j, nil
		}
		promoted, err := s.judge(ctx, *s.promotedExam, *a.Promoted)
		if ctx.Err() != nil {
			return j, ctx.Err()
		}
		if err != nil {
			// An older exam may name a metric or column that is gone: it cannot
			// judge, which is a finding and not an error of this run.
			j.Reason = err.Error()
			return j, nil
		}
		j.Promoted = &promoted
		return j, nil
	})
}

// judge compares by one exam. A custom metric is asked by its exam's command,
// so a change that rewrites the command is still judged by the older one.
func (s *session) judge(ctx context.Context, e exam.Exam, a answerSet) (compare.Result, error) {
	in := compare.Input{Exam: e, Custom: command.Custom(ctx, s.project.Dir)}
	var err error
	if in.Candidate, err = a.Candidate.read(ctx, e); err != nil {
		return compare.Result{}, err
	}
	if a.Baseline != nil {
		if in.Baseline, err = a.Baseline.read(ctx, e); err != nil {
			return compare.Result{}, err
		}
	}
	if a.Anchor != nil {
		if in.Anchor, err = a.Anchor.read(ctx, e); err != nil {
			return compare.Result{}, err
		}
	}
	in.Levels = s.trainLevels(e)
	return compare.Compare(ctx, in)
}

// trainLevels are the levels of slice columns in the training data.
func (s *session) trainLevels(e exam.Exam) map[string][]string {
	levels := map[string][]string{}
	for _, slice := range e.Slices {
		if slice.Column == "" || levels[slice.Column] != nil {
			continue
		}
		column, ok := s.trainRows.Column(slice.Column)
		if !ok {
			continue
		}
		seen := map[string]bool{}
		for i := range column.Len() {
			if v := column.At(i); !seen[v] {
				seen[v] = true
				levels[slice.Column] = append(levels[slice.Column], v)
			}
		}
	}
	return levels
}
