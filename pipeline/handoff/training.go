package handoff

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
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

const (
	trainingSchema = "dosirak/training/v1"
	trainingFile   = "training.json"

	maxTrainingFile = 1 << 20
	maxSideFile     = 64 << 20 // of a history, of predictions
	maxReplicates   = 200
	maxDuration     = 366 * 24 * time.Hour
)

// Training is the content of training.json.
type Training struct {
	Schema     string      `json:"schema"`
	Model      string      `json:"model"`
	Commit     string      `json:"commit,omitempty"`
	Dirty      bool        `json:"dirty,omitempty"` // some of it was not committed
	Replicates []Replicate `json:"replicates"`
	Again      *Replicate  `json:"again,omitempty"` // the first seed a second time
	// Environment is that of the machine that trained the first seed.
	Environment *Environment `json:"environment,omitempty"`
}

// Replicate is one of them.
type Replicate struct {
	Seed    int64 `json:"seed"`
	Model   File  `json:"model"`
	History *File `json:"history,omitempty"`
	// Predictions is what the trained model said of rows of the training table;
	// nil where the trainer left nothing of it, and nothing can be compared.
	Predictions *File          `json:"predictions,omitempty"`
	Params      map[string]any `json:"params,omitempty"`
	DurationMS  int64          `json:"duration_ms"`
}

// File is a file of the folder.
type File struct {
	Path   string `json:"path"` // one name, no folder
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Seed is a replicate that was trained here.
type Seed struct {
	Seed    int64  `json:"seed"`
	Model   string `json:"model"`             // path
	History string `json:"history,omitempty"` // path
	// Predictions is the path of what the trained model said, "" for none.
	Predictions string         `json:"predictions,omitempty"`
	Params      map[string]any `json:"params,omitempty"`
	Duration    time.Duration  `json:"duration"`
	Reused      bool           `json:"reused"`
}

// Origin says what was trained.
type Origin struct {
	Model  string
	Commit string // "" when it is not known
	Dirty  bool   // some of it was not committed
	// Environment is what it was trained in, nil when it is not known.
	Environment *Environment
}

// Write writes replicates into the folder out, again being the first seed's
// second training, or nil.
func Write(out string, o Origin, seeds []Seed, again *Seed) error {
	record := Training{Schema: trainingSchema, Model: o.Model, Commit: o.Commit, Dirty: o.Dirty, Environment: o.Environment, Replicates: []Replicate{}}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	for _, s := range seeds {
		r, err := write(out, fmt.Sprintf("seed-%d", s.Seed), s)
		if err != nil {
			return err
		}
		record.Replicates = append(record.Replicates, r)
	}
	if again != nil {
		r, err := write(out, fmt.Sprintf("seed-%d-again", again.Seed), *again)
		if err != nil {
			return err
		}
		record.Again = &r
	}
	return writeTraining(out, record)
}

func write(out, name string, s Seed) (Replicate, error) {
	r := Replicate{Seed: s.Seed, Params: s.Params, DurationMS: s.Duration.Milliseconds()}
	format, err := bundle.SniffFormat(s.Model)
	if err != nil {
		return r, fmt.Errorf("writing the training: %w", err)
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
	if s.Predictions != "" {
		if info, err := os.Lstat(s.Predictions); err != nil || !info.Mode().IsRegular() || info.Size() > maxSideFile {
			return r, fault.Failed(fmt.Errorf("the trainer's %s is no file of at most %d bytes: write a sample of the rows", filepath.Base(s.Predictions), maxSideFile))
		}
		p, err := copyInto(out, name+".predictions.csv", s.Predictions)
		if err != nil {
			return r, err
		}
		r.Predictions = &p
	}
	return r, nil
}

func copyInto(out, name, from string) (File, error) {
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(out, name), data, 0o644)
	}
	if err != nil {
		return File{}, fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	sum := sha256.Sum256(data)
	return File{Path: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}, nil
}

func writeTraining(out string, record Training) error {
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the training: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, trainingFile), append(text, '\n'), 0o644); err != nil {
		return fault.Environment(fmt.Errorf("writing the training: %w", err))
	}
	return nil
}

// Read reads a training.json that anybody may have written.
func Read(folder string) (Training, error) {
	var t Training
	path := filepath.Join(folder, trainingFile)
	refuse := func(format string, args ...any) (Training, error) {
		return Training{}, fault.HandoffDamaged.Usage(fmt.Errorf("reading %s: %w", path, fmt.Errorf(format, args...)))
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("there is no such file: name a folder that `dosirak train --out` or `dosirak gather` wrote")
	}
	if err != nil {
		return Training{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxTrainingFile {
		return refuse("it is no file of at most %d bytes", maxTrainingFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Training{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
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
	case t.Again != nil && t.Again.Seed != t.Replicates[0].Seed && !slices.ContainsFunc(t.Replicates, func(r Replicate) bool { return r.Seed == t.Again.Seed }):
		return refuse("seed %d is said to be trained again and is not among the replicates", t.Again.Seed)
	}
	if t.Commit != "" && !commitName.MatchString(t.Commit) {
		return refuse("its commit is %s, not the full hexadecimal name of one", quote.Text(t.Commit))
	}
	if err := t.Environment.check(); err != nil {
		return refuse("%w", err)
	}
	of := map[string]int64{}
	for _, r := range t.all() {
		if r.DurationMS < 0 || r.DurationMS > maxDuration.Milliseconds() {
			return refuse("seed %d took %d ms", r.Seed, r.DurationMS)
		}
		for _, f := range r.files() {
			if err := f.check(); err != nil {
				return refuse("seed %d: %w", r.Seed, err)
			}
			// The file system may not tell names apart by case.
			if other, twice := of[strings.ToLower(f.Path)]; twice {
				return refuse("%q is a file of seed %d and of seed %d", f.Path, other, r.Seed)
			}
			of[strings.ToLower(f.Path)] = r.Seed
		}
	}
	return t, nil
}

// all are the replicates with the first seed's second training.
func (t Training) all() []Replicate {
	all := slices.Clone(t.Replicates)
	if t.Again != nil {
		all = append(all, *t.Again)
	}
	return all
}

// files are those of a replicate, its model first.
func (r Replicate) files() []File {
	files := []File{r.Model}
	for _, f := range []*File{r.History, r.Predictions} {
		if f != nil {
			files = append(files, *f)
		}
	}
	return files
}

var (
	// fileName is a name that neither leads out of a folder nor hides in it, on
	// any system, and that a terminal shows as it is.
	fileName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	sha        = regexp.MustCompile(`^[0-9a-f]{64}$`)
	commitName = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

func (f File) check() error {
	if !fileName.MatchString(f.Path) || strings.EqualFold(f.Path, trainingFile) {
		return fmt.Errorf("%s is not the name of a file beside %s", quote.Text(f.Path), trainingFile)
	}
	if !sha.MatchString(f.SHA256) {
		return fmt.Errorf("%s has no SHA-256", f.Path)
	}
	return nil
}

// readFile reads a file of the folder and holds it against its digest. A
// link is refused: it could lead to any file of this machine.
func readFile(folder string, f File, limit int64) ([]byte, error) {
	path := filepath.Join(folder, f.Path)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.HandoffDamaged.Usage(fmt.Errorf("reading the training: %s is missing", path))
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the training: %w", err))
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size || f.Size > limit {
		return nil, fault.HandoffDamaged.Usage(fmt.Errorf("reading the training: %s is not the file of %d bytes that %s names (at most %d are read)", path, f.Size, trainingFile, limit))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the training: %w", err))
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, fault.HandoffDamaged.Usage(fmt.Errorf("reading the training: %s does not have the digest that %s names", path, trainingFile))
	}
	return data, nil
}
