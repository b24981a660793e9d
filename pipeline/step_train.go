package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/fetch"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
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
	// Elsewhere is what the record of a training that another machine made says
	// of that machine; nil where it says nothing, and for one that was made here.
	Elsewhere *handoff.Environment `json:"elsewhere,omitempty"`
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

func (s *session) train(ctx context.Context) (trained, error) {
	o, err := s.trainOptions(ctx)
	if err != nil {
		return trained{}, err
	}
	depends, err := s.trainDepends(ctx, o)
	if err != nil {
		return trained{}, err
	}
	t, err := step(ctx, s, "train", depends, func(ctx context.Context, made *store.Step) (trained, error) {
		if s.asked.Trained != "" {
			t, err := s.takeTraining()
			if err != nil {
				return t, err
			}
			return t, t.record(made)
		}
		result, err := train.Train(ctx, o)
		if err != nil {
			return trained{}, err
		}
		t := trained{Result: *result}
		for _, r := range result.Replicates {
			model, err := s.findModel(r)
			if err != nil {
				return trained{}, err
			}
			t.Models = append(t.Models, model)
		}
		if result.Twin != nil {
			if t.Again, err = s.findModel(*result.Twin); err != nil {
				return trained{}, err
			}
		}
		return t, t.record(made)
	})
	if err != nil {
		return t, err
	}
	return t, s.fits(t.Models[0])
}

// fits ends a run that is to promote a model which has no place to be kept,
// before it is proved, judged and packed for nothing.
func (s *session) fits(model string) error {
	if !s.asked.Promote {
		return nil
	}
	info, err := os.Stat(model)
	if err != nil || info.Size() <= promote.MaxGitBytes {
		return nil //nolint:nilerr // sealing says what is wrong with the file
	}
	return s.project.Fits(info.Size())
}

func (s *session) trainOptions(ctx context.Context) (train.Options, error) {
	c := s.project.Config
	hardware := provenance.Hardware()
	own, err := s.project.OwnFiles(ctx)
	if err != nil {
		return train.Options{}, err
	}
	o := train.Options{
		Dir: s.project.Dir, Command: c.Train.Command, Setup: c.Train.Setup, Inputs: c.Train.Inputs,
		Own: own, Data: c.Data.Train, Withheld: []string{c.Data.Eval},
		Seeds: c.Train.Seeds, Parallel: c.Train.Parallel, Timeout: c.Train.Timeout.Std(), Fresh: s.asked.Fresh,
		Prove: s.proofWanted(), Environment: hardware.String(),
		Store: s.store, Run: s.run, Now: s.env.Now, Observer: s.watchTraining(),
	}
	if s.asked.Trained != "" {
		return o, nil
	}
	// Once, for both the step's key and the training itself.
	r, err := train.Describe(ctx, o)
	o.Runtime = &r
	return o, err
}

// trainDepends is what the training depends on beside the config and the data:
// the trainer's own files, or the training that another machine made. Without
// it a run that goes on after an edit would give the new commit the old
// trainer's model.
func (s *session) trainDepends(ctx context.Context, o train.Options) (any, error) {
	if s.asked.Trained != "" {
		t, err := handoff.Read(s.asked.Trained)
		if err != nil {
			return nil, nil // takeTraining says what is wrong with it
		}
		return t, nil
	}
	return train.Fingerprint(ctx, o)
}

// takeTraining copies a training from elsewhere into the run.
func (s *session) takeTraining() (trained, error) {
	wanted := handoff.Wanted{Model: s.project.Config.Model, Clean: s.asked.Promote, Seeds: s.project.Config.Train.Seeds}
	// Where somebody who knows names the commit, what the record says counts for
	// nothing; where nobody does, a record of another commit is a stale one.
	if s.asked.TrainedAt == "" {
		wanted.Commit = s.project.Commit
	}
	taken, err := handoff.Take(s.asked.Trained, wanted, s.run)
	return trained{Result: train.Result{Replicates: taken.Replicates, Twin: taken.Twin}, Models: taken.Models, Again: taken.Again, Elsewhere: taken.Environment}, err
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
func (s *session) proofWanted() bool {
	off := string(config.ReproduceOff)
	return s.exam.Reproduce != off || s.promotedExam != nil && s.promotedExam.Reproduce != off
}

// findModel finds the one model among a replicate's outputs.
func (s *session) findModel(r train.Replicate) (string, error) {
	out, err := s.run.Path(r.Out)
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
func (s *session) watchTraining() train.Observer {
	return train.ObserverFunc(func(e train.Event) {
		what, total := e.Part, len(s.project.Config.Train.Seeds)
		if e.Part == "replicate" {
			what = fmt.Sprintf("seed %d", e.Seed)
			if e.Again {
				what += " again"
			}
		}
		if e.State == train.Noted {
			s.env.Observer.Log(e.Text)
			return
		}
		text := string(e.State)
		if e.Text != "" {
			text += ": " + e.Text
		}
		s.env.Observer.Update("train", 0, total, what+" "+text)
	})
}

// bringOldData brings the data of an older commit, which was written to dir:
// what the project has today with the digest that the commit names, else by the
// commit's own command.
func (s *session) bringOldData(ctx context.Context, dir string, c *config.Config) error {
	if err := fetch.Borrow(ctx, s.project.Dir, dir, []string{c.Data.Train, c.Data.Eval}); err != nil {
		return err
	}
	return BringData(ctx, &project.Project{Dir: dir, Config: c}, s.env.Now)
}

// retrainBaseline trains production's recipe anew, as its commit has it, with
// its own config, data and seeds. The model in production stays the baseline
// that is judged against; its seed is not trained again.
func (s *session) retrainBaseline(ctx context.Context) ([]evaluatedModel, error) {
	commit := s.deployed.Manifest.Commit
	unable := func(why string) error {
		return fault.ShallowClone.Usage(fmt.Errorf("train.baseline is retrain, and %s: fetch the whole history (git fetch --unshallow), or write train.baseline: stored", why))
	}
	if s.project.Repo == nil || commit == "" {
		return nil, unable("the manifest names no commit that trained production")
	}
	if _, ok, err := s.project.Repo.Resolve(ctx, commit); err != nil || !ok {
		if err != nil {
			return nil, err
		}
		return nil, unable(fmt.Sprintf("commit %.12s, which trained production, is not here", commit))
	}
	// Outside the repository: inside it, Git would take the copy for ignored files.
	dir, err := os.MkdirTemp("", "dosirak-baseline-")
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("retraining the baseline: %w", err))
	}
	defer os.RemoveAll(dir)
	if err := s.project.Repo.Export(ctx, commit, dir); err != nil {
		return nil, fault.Environment(fmt.Errorf("retraining the baseline: %w", err))
	}
	config, err := config.Load(filepath.Join(dir, s.project.ConfigPath), project.Catalogue)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("retraining the baseline: its config at commit %.12s: %w", commit, err))
	}
	seeds := slices.Clone(config.Train.Seeds[1:])
	if len(seeds) == 0 {
		return nil, nil
	}
	if config.Data.Fetch != "" {
		if err := s.bringOldData(ctx, dir, config); err != nil {
			return nil, fmt.Errorf("retraining the baseline: %w", err)
		}
	}
	o, err := s.trainOptions(ctx)
	if err != nil {
		return nil, err
	}
	o.Runtime = nil // another commit, another command
	o.Dir, o.Command, o.Setup, o.Inputs = dir, config.Train.Command, config.Train.Setup, config.Train.Inputs
	o.Data, o.Withheld, o.Seeds, o.Prove, o.Folder = config.Data.Train, []string{config.Data.Eval}, seeds, false, "baseline/train"
	result, err := train.Train(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("retraining the baseline: %w", err)
	}
	var out []evaluatedModel
	for _, r := range result.Replicates {
		model, err := s.findModel(r)
		if err != nil {
			return nil, fmt.Errorf("retraining the baseline: %w", err)
		}
		out = append(out, evaluatedModel{name: fmt.Sprintf("baseline-seed-%d", r.Seed), path: model, seed: r.Seed, places: s.baselinePlaces()})
	}
	return out, nil
}
