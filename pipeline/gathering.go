package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// A training is carried from one machine to another as a folder: training.json
// and the files that it names. Whoever reads one takes it for hostile: it may
// come from a fork. Names, sizes, numbers and digests are checked, and models
// are data that the engine reads, never code that runs.
const (
	trainingSchema = "dosirak/training/v1"
	trainingFile   = "training.json"

	maxTrainingFile = 1 << 20
	maxHistoryFile  = 64 << 20
	maxReplicates   = 200
)

// training is the content of training.json.
type training struct {
	Schema     string     `json:"schema"`
	Model      string     `json:"model"`
	Commit     string     `json:"commit,omitempty"`
	Dirty      bool       `json:"dirty,omitempty"` // some of it was not committed
	Replicates []recorded `json:"replicates"`
	Again      *recorded  `json:"again,omitempty"` // the first seed a second time
}

// recorded is one replicate.
type recorded struct {
	Seed       int64          `json:"seed"`
	Model      carried        `json:"model"`
	History    *carried       `json:"history,omitempty"`
	Params     map[string]any `json:"params,omitempty"`
	DurationMS int64          `json:"duration_ms"`
}

// carried is a file of the folder.
type carried struct {
	Path   string `json:"path"` // one name, no folder
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Carry writes what a training gave into the folder out.
func Carry(p *project.Project, t Training, out string) error {
	record := training{Schema: trainingSchema, Model: p.Config.Model, Commit: p.Commit, Dirty: len(p.Changed) > 0, Replicates: []recorded{}}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	for _, s := range t.Seeds {
		r, err := carry(out, fmt.Sprintf("seed-%d", s.Seed), s)
		if err != nil {
			return err
		}
		record.Replicates = append(record.Replicates, r)
	}
	if t.Again != nil {
		r, err := carry(out, fmt.Sprintf("seed-%d-again", t.Again.Seed), *t.Again)
		if err != nil {
			return err
		}
		record.Again = &r
	}
	return writeTraining(out, record)
}

func carry(out, name string, s TrainedSeed) (recorded, error) {
	r := recorded{Seed: s.Seed, Params: s.Params, DurationMS: s.Duration.Milliseconds()}
	format, err := bundle.SniffFormat(s.Model)
	if err != nil {
		return r, blameTrainer(fmt.Errorf("writing the training: %w", err))
	}
	if r.Model, err = copyInto(out, name+filepath.Ext(format.Path), format.Path); err != nil {
		return r, err
	}
	if s.History != "" {
		h, err := copyInto(out, name+".history.jsonl", s.History)
		if err != nil {
			return r, err
		}
		r.History = &h
	}
	return r, nil
}

func copyInto(out, name, from string) (carried, error) {
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(out, name), data, 0o644)
	}
	if err != nil {
		return carried{}, fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	sum := sha256.Sum256(data)
	return carried{Path: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}, nil
}

func writeTraining(out string, record training) error {
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the training: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, trainingFile), append(text, '\n'), 0o644); err != nil {
		return fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	return nil
}

// Gather joins the trainings of several machines into one folder.
func Gather(folders []string, out string) error {
	var all training
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("gathering: %w", err))
	}
	for _, folder := range folders {
		t, err := readTraining(folder)
		if err != nil {
			return err
		}
		if all.Schema == "" {
			all = training{Schema: trainingSchema, Model: t.Model, Commit: t.Commit}
		}
		all.Dirty = all.Dirty || t.Dirty
		if t.Model != all.Model || t.Commit != all.Commit {
			return fault.Usage(fmt.Errorf("gathering: %s is of model %q at commit %q, the first folder of %q at %q: gather one change's replicates only", folder, t.Model, t.Commit, all.Model, all.Commit))
		}
		for _, r := range t.Replicates {
			if slices.ContainsFunc(all.Replicates, func(o recorded) bool { return o.Seed == r.Seed }) {
				return fault.Usage(fmt.Errorf("gathering: seed %d is in two folders, the second being %s", r.Seed, folder))
			}
			if err := fetch(folder, out, r); err != nil {
				return err
			}
			all.Replicates = append(all.Replicates, r)
		}
		if t.Again != nil {
			if all.Again != nil {
				return fault.Usage(fmt.Errorf("gathering: two folders hold a seed that was trained a second time, %d and %d, the second being %s: only the first seed of the config is", all.Again.Seed, t.Again.Seed, folder))
			}
			if err := fetch(folder, out, *t.Again); err != nil {
				return err
			}
			all.Again = t.Again
		}
	}
	slices.SortFunc(all.Replicates, func(a, b recorded) int { return int(min(max(a.Seed-b.Seed, -1), 1)) })
	return writeTraining(out, all)
}

// fetch copies a replicate's files, checked, from one folder to another.
func fetch(from, to string, r recorded) error {
	files := []carried{r.Model}
	if r.History != nil {
		files = append(files, *r.History)
	}
	for _, f := range files {
		limit := int64(bundle.MaxModel)
		if f != r.Model {
			limit = maxHistoryFile
		}
		data, err := readCarried(from, f, limit)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f.Path), data, 0o644); err != nil {
			return fault.Environment(fmt.Errorf("gathering: %w", err))
		}
	}
	return nil
}

// readTraining reads a training.json that anybody may have written.
func readTraining(folder string) (training, error) {
	var t training
	path := filepath.Join(folder, trainingFile)
	refuse := func(format string, args ...any) (training, error) {
		return training{}, fault.Usage(fmt.Errorf("reading %s: %w", path, fmt.Errorf(format, args...)))
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("there is no such file: name a folder that `dosirak train --out` or `dosirak gather` wrote")
	}
	if err != nil {
		return training{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxTrainingFile {
		return refuse("it is no file of at most %d bytes", maxTrainingFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return training{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return refuse("%w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse("something follows the object")
	}
	switch {
	case t.Schema != trainingSchema:
		return refuse("its schema is %q, this release knows %q", t.Schema, trainingSchema)
	case len(t.Replicates) == 0 || len(t.Replicates) > maxReplicates:
		return refuse("it has %d replicates, from 1 to %d are allowed", len(t.Replicates), maxReplicates)
	case t.Again != nil && t.Again.Seed != t.Replicates[0].Seed && !slices.ContainsFunc(t.Replicates, func(r recorded) bool { return r.Seed == t.Again.Seed }):
		return refuse("seed %d is said to be trained again and is not among the replicates", t.Again.Seed)
	}
	for _, r := range append(slices.Clone(t.Replicates), orNone(t.Again)...) {
		if r.DurationMS < 0 {
			return refuse("seed %d took %d ms", r.Seed, r.DurationMS)
		}
		if err := r.Model.check(); err != nil {
			return refuse("seed %d: %w", r.Seed, err)
		}
		if r.History != nil {
			if err := r.History.check(); err != nil {
				return refuse("seed %d: %w", r.Seed, err)
			}
		}
	}
	return t, nil
}

func orNone(r *recorded) []recorded {
	if r == nil {
		return nil
	}
	return []recorded{*r}
}

// check refuses a name that leads out of the folder or hides in it.
func (f carried) check() error {
	if f.Path == "" || f.Path != filepath.Base(f.Path) || strings.HasPrefix(f.Path, ".") || strings.ContainsAny(f.Path, `/\:`) || f.Path == trainingFile || len(f.Path) > 128 {
		return fmt.Errorf("%q is not the name of a file beside %s", f.Path, trainingFile)
	}
	if len(f.SHA256) != 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "" {
		return fmt.Errorf("%s has no SHA-256", f.Path)
	}
	return nil
}

// readCarried reads a file of the folder and holds it against its digest. A
// link is refused: it could lead to any file of this machine.
func readCarried(folder string, f carried, limit int64) ([]byte, error) {
	path := filepath.Join(folder, f.Path)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usage(fmt.Errorf("reading the training: %s is missing", path))
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the training: %w", err))
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size || f.Size > limit {
		return nil, fault.Usage(fmt.Errorf("reading the training: %s is not the file of %d bytes that %s names (at most %d are read)", path, f.Size, trainingFile, limit))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the training: %w", err))
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, fault.Usage(fmt.Errorf("reading the training: %s does not have the digest that %s names", path, trainingFile))
	}
	return data, nil
}

// takeTraining copies a training from elsewhere into the run. It must hold the
// config's seeds, no more and no fewer: choosing among more is choosing a lucky
// one.
func (l *line) takeTraining(folder string) (trained, error) {
	var out trained
	t, err := readTraining(folder)
	if err != nil {
		return out, err
	}
	if t.Model != l.project.Config.Model {
		return out, fault.Usage(fmt.Errorf("the training in %s is of model %q, the config is of %q", folder, t.Model, l.project.Config.Model))
	}
	switch {
	// Where somebody who knows names the commit, what the record says counts for
	// nothing; where nobody does, a record of another commit is a stale one.
	case l.asked.TrainedAt == "" && t.Commit != "" && l.project.Commit != "" && t.Commit != l.project.Commit:
		return out, fault.Usage(fmt.Errorf("the training in %s is of commit %.12s, and what is judged is commit %.12s: name the training's own with --commit, or check it out", folder, t.Commit, l.project.Commit))
	case t.Dirty && l.asked.Promote:
		return out, fault.Usage(fmt.Errorf("the training in %s was made with changes that are not committed: what is promoted is trained from a commit", folder))
	}
	bySeed := map[int64]recorded{}
	for _, r := range t.Replicates {
		bySeed[r.Seed] = r
	}
	if len(bySeed) != len(l.project.Config.Train.Seeds) || len(bySeed) != len(t.Replicates) {
		return out, fault.Usage(fmt.Errorf("the training in %s has %d replicates, the exam asks for the seeds %v", folder, len(t.Replicates), l.project.Config.Train.Seeds))
	}
	for _, seed := range l.project.Config.Train.Seeds {
		r, ok := bySeed[seed]
		if !ok {
			return out, fault.Usage(fmt.Errorf("the training in %s lacks seed %d: train it with `dosirak train --seed %d`, and gather it", folder, seed, seed))
		}
		replicate, model, err := l.takeReplicate(folder, fmt.Sprintf("train/seed-%d", seed), r)
		if err != nil {
			return out, err
		}
		out.Replicates, out.Models = append(out.Replicates, replicate), append(out.Models, model)
	}
	if t.Again != nil && t.Again.Seed == l.project.Config.Train.Seeds[0] {
		replicate, model, err := l.takeReplicate(folder, fmt.Sprintf("train/seed-%d-again", t.Again.Seed), *t.Again)
		if err != nil {
			return out, err
		}
		out.Twin, out.Again = &replicate, model
	}
	return out, nil
}

func (l *line) takeReplicate(folder, into string, r recorded) (train.Replicate, string, error) {
	out := train.Replicate{Seed: r.Seed, Out: into, Params: r.Params, Duration: time.Duration(r.DurationMS) * time.Millisecond}
	data, err := readCarried(folder, r.Model, bundle.MaxModel)
	if err != nil {
		return out, "", err
	}
	name := into + "/model" + filepath.Ext(r.Model.Path)
	if err := l.run.WriteFile(name, data); err != nil {
		return out, "", err
	}
	if r.History != nil {
		if data, err = readCarried(folder, *r.History, maxHistoryFile); err != nil {
			return out, "", err
		}
		out.History = into + "/history.jsonl"
		if err := l.run.WriteFile(out.History, data); err != nil {
			return out, "", err
		}
	}
	return out, filepath.Join(l.run.Dir(), filepath.FromSlash(name)), nil
}
