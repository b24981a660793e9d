package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/seal"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Training is what the steps train and prove gave.
type Training struct {
	Run     string          `json:"run"`
	Dir     string          `json:"dir"`
	Verdict verdict.Verdict `json:"verdict"` // of the proof
	Reason  string          `json:"reason"`
	Seeds   []handoff.Seed  `json:"seeds"`
	Again   *handoff.Seed   `json:"again,omitempty"` // the first seed a second time
	// Environment is what it was trained in.
	Environment *handoff.Environment `json:"environment,omitempty"`
}

func (s *session) trainedSeed(r train.Replicate, model string) handoff.Seed {
	seed := handoff.Seed{Seed: r.Seed, Model: model, Params: r.Params, Duration: r.Duration, Reused: r.Reused}
	if r.History != "" {
		seed.History = filepath.Join(s.run.Dir(), filepath.FromSlash(r.History))
	}
	if said := filepath.Join(s.run.Dir(), filepath.FromSlash(r.Out), export.File); exists(said) {
		seed.Predictions = said
	}
	return seed
}

// Train makes the steps train and prove alone. seeds replaces the config's,
// for one replicate a machine; without the config's first seed there is
// nothing to prove.
func Train(ctx context.Context, p *project.Project, env Env, asked Request, seeds []int64) (Training, error) {
	elsewhere := ""
	if len(seeds) > 0 {
		c := *p.Config
		if first := c.Train.Seeds[0]; !slices.Contains(seeds, first) {
			if c.Train.Reproduce.Mode != config.ReproduceOff {
				elsewhere = fmt.Sprintf("the proof is made where seed %d, the first one, is trained", first)
			}
			c.Train.Reproduce.Mode = config.ReproduceOff
		}
		c.Train.Seeds = seeds
		q := *p
		q.Config, p = &c, &q
	}
	s, err := begin(ctx, p, env, asked)
	if err != nil {
		return Training{}, err
	}
	t, err := s.trainAlone(ctx, p.Config.Train.Reproduce.Mode != config.ReproduceOff)
	if elsewhere != "" {
		t.Reason = elsewhere
	}
	return t, s.end(Outcome{Verdict: t.Verdict}, err)
}

func (s *session) trainAlone(ctx context.Context, prove bool) (Training, error) {
	out := Training{Run: s.run.ID(), Dir: s.run.Dir()}
	if err := s.load(ctx); err != nil {
		return out, err
	}
	if !prove {
		// The exam of production asks for the proof of the first seed, which
		// another machine trains: a proof of this one would cost as much and
		// count for nothing.
		s.promotedExam = nil
	}
	trained, err := s.train(ctx)
	if err != nil {
		return out, err
	}
	proof, err := s.prove(ctx, trained)
	if err != nil {
		return out, err
	}
	out.Verdict, out.Reason = proof.Today.Verdict, proof.Today.Reason
	for i, r := range trained.Replicates {
		out.Seeds = append(out.Seeds, s.trainedSeed(r, trained.Models[i]))
	}
	r := trained.Runtime
	out.Environment = &handoff.Environment{
		Machine: provenance.Hardware(), Runtime: provenance.Runtime{Executor: r.Executor, Threads: r.Threads, Tools: r.Tools},
	}
	out.Again, err = s.again(ctx, trained)
	return out, err
}

// again is the first seed's second training; nil where nobody asked for it.
// Where the proof is remembered the second training is not repeated: its files
// are in the store.
func (s *session) again(ctx context.Context, t trained) (*handoff.Seed, error) {
	if t.Twin != nil {
		seed := s.trainedSeed(*t.Twin, t.Again)
		return &seed, nil
	}
	if t.Proof == nil {
		return nil, nil
	}
	dir, err := s.run.Path(fmt.Sprintf("train/seed-%d-again/out", t.Proof.Seed))
	if err != nil {
		return nil, err
	}
	if err := s.store.GetTree(ctx, t.Proof.TwinFiles, dir); err != nil {
		return nil, err
	}
	model, err := seal.FindModel(dir)
	if err != nil {
		return nil, err
	}
	seed := handoff.Seed{Seed: t.Proof.Seed, Model: model}
	if history := filepath.Join(dir, "history.jsonl"); exists(history) {
		seed.History = history
	}
	return &seed, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Carry writes what a training gave into the folder out.
func Carry(p *project.Project, t Training, out string) error {
	origin := handoff.Origin{Model: p.Config.Model, Commit: p.Commit, Dirty: len(p.Changed) > 0, Environment: t.Environment}
	return blameTrainer(handoff.Write(out, origin, t.Seeds, t.Again))
}

// tables reads a table whose rows a model of the project is asked, and the one
// that such models are trained on, and checks them as a run does. The training
// table may be elsewhere: then it is nil, and nothing can be held against it.
func tables(ctx context.Context, p *project.Project, path string) (asked, train *dataset.Table, err error) {
	c := p.Config
	if asked, err = p.Table(ctx, path); err != nil {
		return nil, nil, err
	}
	if !exists(p.Path(c.Data.Train)) {
		return asked, nil, nil
	}
	if train, err = p.Table(ctx, p.Path(c.Data.Train)); err != nil {
		return nil, nil, err
	}
	e := c.Exam("")
	columns, err := e.Columns()
	if err != nil {
		return nil, nil, fault.Usage(err)
	}
	return asked, train, evaluate.Check(ctx, train, asked, e.Task, e.Data, columns)
}

// Seal makes a bundle of a model file in folder out, with golden examples
// from the project's evaluation data.
func Seal(ctx context.Context, p *project.Project, model, out string) (*seal.Sealed, error) {
	c := p.Config
	if err := BringData(ctx, p, time.Now); err != nil {
		return nil, err
	}
	rows, train, err := tables(ctx, p, p.Path(c.Data.Eval))
	if err != nil {
		return nil, err
	}
	if from := c.Serve.Golden.From; from != "eval" {
		if rows, err = p.Table(ctx, p.Path(from)); err != nil {
			return nil, err
		}
	}
	e := c.Exam("")
	return seal.Seal(ctx, seal.Options{Model: model, Name: c.Model, Dir: out, Rows: rows, Train: train, N: c.Serve.Golden.Rows, Data: e.Data, Task: e.Task})
}

// Evaluate lets a model file or a bundle answer the rows of a table (the
// project's evaluation data when it is "") and writes the predictions file.
func Evaluate(ctx context.Context, p *project.Project, model, table, out string) (*predictions.Set, error) {
	if table == "" {
		if err := BringData(ctx, p, time.Now); err != nil {
			return nil, err
		}
		table = p.Path(p.Config.Data.Eval)
	}
	rows, train, err := tables(ctx, p, table)
	if err != nil {
		return nil, err
	}
	set, err := evaluate.PredictServed(ctx, server.Options{Name: p.Config.Model}, model, p.Config.Exam(rows.Digest()), rows, train)
	if err != nil {
		return nil, err
	}
	if err := predictions.WriteFile(out, set); err != nil {
		return nil, fault.Environment(err)
	}
	return set, nil
}
