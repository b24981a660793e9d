package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// predictionsFolder holds, in the run's folder, what the models answered.
const predictionsFolder = "predictions"

// predictionsFile is what one model answered.
type predictionsFile struct {
	Path   string `json:"path"` // absolute
	Digest string `json:"digest"`
	Seed   int64  `json:"seed,omitempty"` // that the model was trained with, of a replicate
	set    *predictions.Set
}

// read returns the answers; a resumed run has them on disk only.
func (f *predictionsFile) read(ctx context.Context, e exam.Exam) (*predictions.Set, error) {
	if f.set != nil {
		return f.set, nil
	}
	set, err := predictions.ReadFile(ctx, f.Path, predictions.Options{Task: e.Task, Positive: e.Data.Positive})
	if err != nil {
		return nil, err
	}
	f.set = set
	return set, nil
}

// answerSet is the answers of the models that an exam compares.
type answerSet struct {
	Candidate predictionsFile  `json:"candidate"`
	Baseline  *predictionsFile `json:"baseline,omitempty"`
	Anchor    *predictionsFile `json:"anchor,omitempty"` // nil when it is the baseline
}

// answers is what all models answered.
type answers struct {
	Today          answerSet         `json:"today"`
	Promoted       *answerSet        `json:"promoted,omitempty"` // under the exam of production, where it asks something else
	PromotedReason string            `json:"promoted_reason,omitempty"`
	Seeds          []predictionsFile `json:"seeds"`                    // by seed, under today's exam; the first is the candidate's
	BaselineSeeds  []predictionsFile `json:"baseline_seeds,omitempty"` // of production's other seeds
}

// String says it in a line.
func (a answers) String() string {
	if a.Today.Candidate.set == nil {
		return ""
	}
	return fmt.Sprintf("%d rows", a.Today.Candidate.set.N)
}

// evaluatedModel is a model that answers.
type evaluatedModel struct {
	name     string
	path     string // bundle's folder or model file
	deployed bool   // it is, or was, what production runs
	seed     int64  // of a replicate
	// places are the columns of a model that takes them by their place: of a bare
	// file, as the bundle of the same recipe recorded them; of a bundle that
	// records none, see namePlaces. Nil: the exam's.
	places []string
}

func (s *session) evaluate(ctx context.Context, t trained, candidate sealed) (answers, error) {
	return step(ctx, s, "evaluate", nil, func(ctx context.Context, made *store.Step) (answers, error) {
		var a answers
		models := s.evaluatedModels(candidate)
		for i, r := range t.Replicates {
			if i > 0 {
				models = append(models, evaluatedModel{name: fmt.Sprintf("seed-%d", r.Seed), path: t.Models[i], seed: r.Seed, places: evaluate.Places(candidate.Signature)})
			}
		}
		others, err := s.baselineReplicates(ctx)
		if err != nil {
			return a, err
		}
		files, err := s.answer(ctx, append(models, others...), s.exam, s.evalRows, predictionsFolder)
		if err != nil {
			return a, err
		}
		a.Today = answersOf(files)
		a.Seeds = []predictionsFile{files["candidate"]}
		for i, r := range t.Replicates {
			if i > 0 {
				a.Seeds = append(a.Seeds, files[fmt.Sprintf("seed-%d", r.Seed)])
			}
		}
		for _, m := range others {
			a.BaselineSeeds = append(a.BaselineSeeds, files[m.name])
		}
		if a.Promoted, a.PromotedReason, err = s.answerPromoted(ctx, candidate, a.Today); err != nil {
			return a, err
		}
		return a, made.AddTree(predictionsFolder)
	})
}

func (s *session) evaluatedModels(candidate sealed) []evaluatedModel {
	models := []evaluatedModel{{name: "candidate", path: candidate.Dir}}
	if s.baseline != nil {
		models = append(models, evaluatedModel{name: "baseline", path: s.baseline.Dir, deployed: true, places: s.baseline.places})
		if s.anchor.Digest != s.baseline.Digest {
			models = append(models, evaluatedModel{name: "anchor", path: s.anchor.Dir, deployed: true, places: s.anchor.places})
		}
	}
	return models
}

// baselinePlaces are the places of production's replicates.
func (s *session) baselinePlaces() []string {
	if s.baseline.places != nil {
		return s.baseline.places
	}
	return evaluate.Places(s.baseline.bundle.Bundle.Signature)
}

func answersOf(files map[string]predictionsFile) answerSet {
	set := answerSet{Candidate: files["candidate"]}
	if f, ok := files["baseline"]; ok {
		set.Baseline = &f
	}
	if f, ok := files["anchor"]; ok {
		set.Anchor = &f
	}
	return set
}

// answer lets each model answer the table's rows, through a server of its own
// on a loopback port, and keeps the answers in the run's folder.
func (s *session) answer(ctx context.Context, models []evaluatedModel, e exam.Exam, table *dataset.Table, folder string) (map[string]predictionsFile, error) {
	files := map[string]predictionsFile{}
	for i, m := range models {
		s.env.Observer.Update("evaluate", i, len(models), m.name)
		set := s.baselineAnswers
		if m.name != "baseline" || folder != predictionsFolder || set == nil {
			var err error
			if set, err = s.ask(ctx, m, e, table); err != nil {
				return nil, fmt.Errorf("evaluating the %s: %w", m.name, err)
			}
		}
		path, err := s.run.Path(filepath.Join(folder, m.name+".csv"))
		if err != nil {
			return nil, err
		}
		if err := predictions.WriteFile(path, set); err != nil {
			return nil, fault.Environment(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("reading the predictions: %w", err))
		}
		files[m.name] = predictionsFile{Path: path, Digest: digest.Of(data), Seed: m.seed, set: set}
	}
	return files, nil
}

// strangerTime is how long a model from elsewhere may answer a table.
const strangerTime = 10 * time.Minute

// changeBudget is what a model of the change may use. One that was trained
// elsewhere may be a stranger's, made to use up this machine.
func (s *session) changeBudget() engine.Budget {
	if s.asked.Trained != "" {
		return engine.UntrustedBudget()
	}
	return engine.Budget{}
}

func (s *session) ask(ctx context.Context, m evaluatedModel, e exam.Exam, table *dataset.Table) (*predictions.Set, error) {
	if m.places != nil {
		e.Data.Features = m.places
	}
	train := s.trainRows
	if table != s.evalRows {
		train = nil // rows of another time: today's training table says nothing of their columns
	}
	o := server.Options{Name: s.project.Config.Model, Release: s.env.Release}
	if !m.deployed && s.asked.Trained != "" {
		o.Budget = s.changeBudget()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, strangerTime, fault.Failed(fmt.Errorf("it takes longer than %s for %d rows, more than a model from elsewhere may", strangerTime, table.Rows())))
		defer cancel()
	}
	set, err := evaluate.PredictServed(ctx, o, m.path, e, table, train)
	if late := context.Cause(ctx); err != nil && late != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, late
	}
	return set, err
}
