package pipeline

import (
	"context"
	"fmt"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// proved says whether the same seed gives the same model.
type proved struct {
	Proof    *train.Proof    `json:"proof"`              // nil where nobody asked
	Today    train.Judgement `json:"today"`              // by today's exam
	Promoted train.Judgement `json:"promoted,omitempty"` // by the exam of production
	Witness  Witness         `json:"witness,omitempty"`
}

func (p proved) verdict() verdict.Verdict {
	v := p.Today.Verdict
	if p.Promoted.Verdict != "" {
		v = verdict.Worst(v, p.Promoted.Verdict)
	}
	// Two equal files prove nothing where a stranger's job wrote both of them.
	if p.Witness == Unvouched && v == verdict.Pass && (p.Today.Judged || p.Promoted.Judged) {
		v = verdict.Inconclusive
	}
	return v
}

// String says it in a line.
func (p proved) String() string {
	if p.Proof == nil {
		return "not asked for"
	}
	if p.Proof.Remembered {
		return string(p.Proof.Kind) + ", proved by an earlier run"
	}
	return string(p.Proof.Kind)
}

func (s *session) prove(ctx context.Context, t trained) (proved, error) {
	return step(ctx, s, "prove", s.asked.Witness, func(ctx context.Context, _ *store.Step) (proved, error) {
		p := proved{Proof: t.Proof, Witness: s.asked.Witness}
		if t.Twin != nil {
			proof, err := train.Prove(ctx,
				train.Side{Model: t.Models[0], Replicate: t.Replicates[0], RunDir: s.run.Dir()},
				train.Side{Model: t.Again, Replicate: *t.Twin, RunDir: s.run.Dir()},
				func(ctx context.Context) (train.PredictionDifference, error) {
					return s.predictionDistance(ctx, t.Models[0], t.Again)
				},
			)
			if err != nil {
				return p, err
			}
			p.Proof = &proof
			// A training from elsewhere has no key: what it depends on was not here.
			if t.ProofKey != "" {
				if err := train.Remember(ctx, s.store, s.run, t.ProofKey, proof); err != nil {
					return p, err
				}
			}
		}
		var err error
		if p.Today, err = judgeProof(p.Proof, s.exam); err != nil {
			return p, err
		}
		if s.promotedExam != nil {
			p.Promoted, err = judgeProof(p.Proof, *s.promotedExam)
		}
		return p, err
	})
}

func judgeProof(p *train.Proof, e exam.Exam) (train.Judgement, error) {
	required, err := train.ParseReproduce(e.Reproduce)
	if err != nil {
		return train.Judgement{}, err
	}
	return train.Judge(p, required), nil
}

// predictionDistance lets two models answer the evaluation rows and says how far apart
// they are.
func (s *session) predictionDistance(ctx context.Context, first, second string) (train.PredictionDifference, error) {
	a, err := s.ask(ctx, evaluatedModel{path: first}, s.exam, s.evalRows)
	if err != nil {
		return train.PredictionDifference{}, fmt.Errorf("evaluating the first training: %w", err)
	}
	b, err := s.ask(ctx, evaluatedModel{path: second}, s.exam, s.evalRows)
	if err != nil {
		return train.PredictionDifference{}, fmt.Errorf("evaluating the second training: %w", err)
	}
	return difference(a, b), nil
}

// difference compares the answers of two models on the same rows.
func difference(a, b *predictions.Set) train.PredictionDifference {
	d := train.PredictionDifference{Rows: a.N}
	class := func(s *predictions.Set, i int) string { return s.Classes[s.Pred[i]] }
	for i := range a.N {
		changed := false
		if a.Pred != nil && class(a, i) != class(b, i) {
			d.Labels++
			changed = true
		}
		numbers := func(x, y []float64) {
			if x == nil || x[i] == y[i] {
				return
			}
			changed = true
			gap := math.Abs(x[i] - y[i])
			d.Largest = max(d.Largest, gap)
			if size := max(math.Abs(x[i]), math.Abs(y[i])); size > 0 {
				d.LargestR = max(d.LargestR, gap/size)
			}
		}
		numbers(a.Value, b.Value)
		numbers(a.Score, b.Score)
		for c := range a.Proba {
			numbers(a.Proba[c], b.Proba[c])
		}
		if changed {
			if d.Changed == 0 && a.ID != nil {
				d.FirstRow = a.ID[i]
			}
			d.Changed++
		}
	}
	return d
}
