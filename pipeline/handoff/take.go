package handoff

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// Wanted is what a training has to be of to be judged.
type Wanted struct {
	Model  string
	Commit string  // "" when its own counts for nothing, or is not known
	Clean  bool    // all of it must be committed
	Seeds  []int64 // the config's: no more and no fewer, since choosing among more is choosing by the result
}

// Sink is a folder that receives files.
type Sink interface {
	Dir() string
	WriteFile(name string, data []byte) error
}

// Taken is a training from elsewhere, copied here.
type Taken struct {
	Replicates []train.Replicate
	Models     []string         // model files by seed
	Twin       *train.Replicate // the first seed's second training
	Again      string           // its model file
	// Environment is what the record says that the candidate was trained in.
	Environment *Environment
}

// Take copies a training that anybody may have made into a folder of this
// machine.
func Take(folder string, w Wanted, to Sink) (Taken, error) {
	var out Taken
	t, err := Read(folder)
	if err != nil {
		return out, err
	}
	if t.Model != w.Model {
		return out, fault.HandoffMismatch.Usage(fmt.Errorf("the training in %s is of model %q, the config is of %q", folder, t.Model, w.Model))
	}
	switch {
	case t.Commit != "" && w.Commit != "" && t.Commit != w.Commit:
		return out, fault.HandoffMismatch.Usage(fmt.Errorf("the training in %s is of commit %.12s, and what is judged is commit %.12s: name the training's own with --commit, or check it out", folder, t.Commit, w.Commit))
	case t.Dirty && w.Clean:
		return out, fault.HandoffMismatch.Usage(fmt.Errorf("the training in %s was made with changes that are not committed: what is promoted is trained from a commit", folder))
	}
	out.Environment = t.Environment
	bySeed := map[int64]Replicate{}
	for _, r := range t.Replicates {
		bySeed[r.Seed] = r
	}
	if len(bySeed) != len(w.Seeds) || len(bySeed) != len(t.Replicates) {
		return out, fault.HandoffMismatch.Usage(fmt.Errorf("the training in %s has %d replicates, the exam asks for the seeds %v", folder, len(t.Replicates), w.Seeds))
	}
	for _, seed := range w.Seeds {
		r, ok := bySeed[seed]
		if !ok {
			return out, fault.HandoffMismatch.Usage(fmt.Errorf("the training in %s lacks seed %d: train it with `dosirak train --seed %d`, and gather it", folder, seed, seed))
		}
		replicate, model, err := takeReplicate(folder, fmt.Sprintf("train/seed-%d", seed), r, to)
		if err != nil {
			return out, err
		}
		out.Replicates, out.Models = append(out.Replicates, replicate), append(out.Models, model)
	}
	if t.Again != nil && t.Again.Seed == w.Seeds[0] {
		replicate, model, err := takeReplicate(folder, fmt.Sprintf("train/seed-%d-again", t.Again.Seed), *t.Again, to)
		if err != nil {
			return out, err
		}
		out.Twin, out.Again = &replicate, model
	}
	return out, nil
}

func takeReplicate(folder, into string, r Replicate, to Sink) (train.Replicate, string, error) {
	out := train.Replicate{Seed: r.Seed, Out: into, Params: r.Params, Duration: time.Duration(r.DurationMS) * time.Millisecond}
	data, err := readFile(folder, r.Model, bundle.MaxModel)
	if err != nil {
		return out, "", err
	}
	name := into + "/model" + filepath.Ext(r.Model.Path)
	if err := to.WriteFile(name, data); err != nil {
		return out, "", err
	}
	if r.History != nil {
		if data, err = readFile(folder, *r.History, maxSideFile); err != nil {
			return out, "", err
		}
		out.History = into + "/history.jsonl"
		if err := to.WriteFile(out.History, data); err != nil {
			return out, "", err
		}
	}
	if r.Predictions != nil {
		if data, err = readFile(folder, *r.Predictions, maxSideFile); err != nil {
			return out, "", err
		}
		if err := to.WriteFile(into+"/"+export.File, data); err != nil {
			return out, "", err
		}
	}
	return out, filepath.Join(to.Dir(), filepath.FromSlash(name)), nil
}
