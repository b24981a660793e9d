package pipeline

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
)

// enoughPower is how often an unchanged model has to pass before nothing is
// said: 4 times in 5, as for a metric's mde.
const enoughPower = 0.8

// sayPower lets the model in production answer the rows before anything is
// trained, and says where a model that is no worse would rarely pass all gates
// on them: a team that hears it after an hour of training hears it too late. The
// answers are kept for the step evaluate.
func (s *session) sayPower(ctx context.Context) error {
	if s.deployed == nil {
		return nil
	}
	set, err := s.ask(ctx, evaluatedModel{name: "baseline", path: s.baseline.Dir, deployed: true, places: s.baseline.places}, s.exam, s.evalRows)
	if err != nil {
		return fmt.Errorf("evaluating the baseline: %w", err)
	}
	s.baselineAnswers = set
	in := compare.PowerInput{Exam: s.exam, Model: set}
	in.Exam.Slices = nil
	p, err := compare.PowerOf(ctx, in)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// What it cannot say anything about, the comparison does.
	if err == nil && len(p.All) > 0 && p.All[0] < enoughPower {
		s.env.Observer.Log(p.Advice() + " `dosirak power` says more.")
	}
	return nil
}
