package pipeline

import (
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/seal"
	"github.com/dosirak-ml/dosirak/pipeline/spec"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// trained is what the training gave: a model for each seed, and the first
// seed's a second time where the proof has yet to be made.
type trained struct {
	train.Result
	Models []string `json:"models"` // model files by seed, absolute
	Again  string   `json:"again,omitempty"`
}

// String says it in a line.
func (t trained) String() string {
	reused := 0
	for _, r := range t.Replicates {
		if r.Reused {
			reused++
		}
	}
	if reused > 0 {
		return fmt.Sprintf("%d seeds, %d reused", len(t.Replicates), reused)
	}
	return fmt.Sprintf("%d seeds", len(t.Replicates))
}

func (l *line) train(ctx context.Context) (trained, error) {
	c := l.Config
	return step(ctx, l, "train", l.Trained, func(ctx context.Context, _ *store.Step) (trained, error) {
		if l.Trained != "" {
			return l.takeTraining(l.Trained)
		}
		hardware := provenance.Hardware()
		result, err := train.Train(ctx, train.Options{
			Dir: l.Dir, Command: c.Train.Command, Setup: c.Train.Setup, Inputs: c.Train.Inputs,
			Data: c.Data.Train, Withheld: []string{c.Data.Eval},
			Seeds: c.Train.Seeds, Parallel: c.Train.Parallel, Timeout: c.Train.Timeout.Std(), Fresh: l.Fresh,
			Prove: l.proofWanted(), Environment: hardware.String(),
			Store: l.store, Run: l.run, Now: l.Now, Observer: l.watchTraining(),
		})
		if err != nil {
			return trained{}, err
		}
		t := trained{Result: *result}
		for _, r := range result.Replicates {
			model, err := l.findModel(r)
			if err != nil {
				return trained{}, err
			}
			t.Models = append(t.Models, model)
		}
		if result.Twin != nil {
			if t.Again, err = l.findModel(*result.Twin); err != nil {
				return trained{}, err
			}
		}
		return t, nil
	})
}

// proofWanted reports whether today's exam or that of production asks for the
// proof.
func (l *line) proofWanted() bool {
	off := string(spec.ReproduceOff)
	return l.exam.Reproduce != off || l.promotedExam != nil && l.promotedExam.Reproduce != off
}

// findModel finds the one model among a replicate's outputs.
func (l *line) findModel(r train.Replicate) (string, error) {
	out, err := l.run.Path(r.Out)
	if err != nil {
		return "", err
	}
	model, err := seal.FindModel(out)
	if err != nil {
		return "", fmt.Errorf("looking at what seed %d left in {out}: %w", r.Seed, err)
	}
	return model, nil
}

// watchTraining shows replicates as they go.
func (l *line) watchTraining() train.Observer {
	return train.ObserverFunc(func(e train.Event) {
		what, total := e.Part, len(l.Config.Train.Seeds)
		if e.Part == "replicate" {
			what = fmt.Sprintf("seed %d", e.Seed)
			if e.Again {
				what += " again"
			}
		}
		if e.State == train.Noted {
			l.Observer.Log(e.Text)
			return
		}
		text := string(e.State)
		if e.Text != "" {
			text += ": " + e.Text
		}
		l.Observer.Update("train", 0, total, what+" "+text)
	})
}
