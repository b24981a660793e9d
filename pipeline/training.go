package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/seal"
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
	o := l.trainOptions()
	depends, err := l.trainDepends(ctx, o)
	if err != nil {
		return trained{}, err
	}
	return step(ctx, l, "train", depends, func(ctx context.Context, s *store.Step) (trained, error) {
		if l.asked.Trained != "" {
			t, err := l.takeTraining()
			if err != nil {
				return t, err
			}
			return t, t.record(s)
		}
		result, err := train.Train(ctx, o)
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
		return t, t.record(s)
	})
}

func (l *line) trainOptions() train.Options {
	c := l.project.Config
	hardware := provenance.Hardware()
	return train.Options{
		Dir: l.project.Dir, Command: c.Train.Command, Setup: c.Train.Setup, Inputs: c.Train.Inputs,
		Data: c.Data.Train, Withheld: []string{c.Data.Eval},
		Seeds: c.Train.Seeds, Parallel: c.Train.Parallel, Timeout: c.Train.Timeout.Std(), Fresh: l.asked.Fresh,
		Prove: l.proofWanted(), Environment: hardware.String(),
		Store: l.store, Run: l.run, Now: l.env.Now, Observer: l.watchTraining(),
	}
}

// trainDepends is what the training depends on beside the config and the data:
// the trainer's own files, or the training that another machine made. Without
// it a run that goes on after an edit would give the new commit the old
// trainer's model.
func (l *line) trainDepends(ctx context.Context, o train.Options) (any, error) {
	if l.asked.Trained != "" {
		t, err := handoff.Read(l.asked.Trained)
		if err != nil {
			return nil, nil // takeTraining says what is wrong with it
		}
		return t, nil
	}
	return train.Fingerprint(ctx, o)
}

// takeTraining copies a training from elsewhere into the run.
func (l *line) takeTraining() (trained, error) {
	wanted := handoff.Wanted{Model: l.project.Config.Model, Clean: l.asked.Promote, Seeds: l.project.Config.Train.Seeds}
	// Where somebody who knows names the commit, what the record says counts for
	// nothing; where nobody does, a record of another commit is a stale one.
	if l.asked.TrainedAt == "" {
		wanted.Commit = l.project.Commit
	}
	taken, err := handoff.Take(l.asked.Trained, wanted, l.run)
	return trained{Result: train.Result{Replicates: taken.Replicates, Twin: taken.Twin}, Models: taken.Models, Again: taken.Again}, err
}

// record makes the outputs part of the step, so that a resumed run sees
// whether they are still what was trained.
func (t trained) record(s *store.Step) error {
	replicates := t.Replicates
	if t.Twin != nil {
		replicates = append(slices.Clone(replicates), *t.Twin)
	}
	for _, r := range replicates {
		if err := s.AddTree(r.Out); err != nil {
			return err
		}
	}
	return nil
}

// proofWanted reports whether today's exam or that of production asks for the
// proof.
func (l *line) proofWanted() bool {
	off := string(config.ReproduceOff)
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
		what, total := e.Part, len(l.project.Config.Train.Seeds)
		if e.Part == "replicate" {
			what = fmt.Sprintf("seed %d", e.Seed)
			if e.Again {
				what += " again"
			}
		}
		if e.State == train.Noted {
			l.env.Observer.Log(e.Text)
			return
		}
		text := string(e.State)
		if e.Text != "" {
			text += ": " + e.Text
		}
		l.env.Observer.Update("train", 0, total, what+" "+text)
	})
}
