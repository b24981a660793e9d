package store

import (
	"context"
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
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// StepRecord is the content of steps/<name>.json.
type StepRecord struct {
	Schema  string          `json:"schema"`
	Name    string          `json:"name"`
	Key     string          `json:"key"` // what the step depends on; another key means that it must run again
	Status  Status          `json:"status"`
	Started time.Time       `json:"started"`
	Ended   *time.Time      `json:"ended,omitempty"`
	Error   string          `json:"error,omitempty"`
	Files   []File          `json:"files,omitempty"`  // in the run's folder
	Result  json.RawMessage `json:"result,omitempty"` // what later steps need to know
}

// Step is a step that is being made.
type Step struct {
	run *Run

	mu     sync.Mutex
	record StepRecord
}

var stepName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Step makes one step of the run, unless it is done: a step whose record says
// done, with the same key and with files that still have their digests, is
// not made again, and reused is true. That is how a resumed run goes on. With
// key "" a step is always made.
func (r *Run) Step(ctx context.Context, name, key string, make func(context.Context, *Step) error) (record StepRecord, reused bool, err error) {
	if !stepName.MatchString(name) {
		return StepRecord{}, false, fault.Usage(fmt.Errorf("a step cannot be named %q: use small letters, digits and single hyphens", name))
	}
	if record, err := r.store.readStep(r.ID(), name); err == nil && key != "" && record.Key == key && record.Status == Done && r.intact(record.Files) {
		return record, true, nil
	}
	s := &Step{run: r, record: StepRecord{Schema: RunSchema, Name: name, Key: key, Status: Running, Started: r.store.now().UTC()}}
	if err := s.save(); err != nil {
		return StepRecord{}, false, err
	}
	made := ctx.Err()
	if made == nil {
		made = make(ctx, s)
	}
	ended := r.store.now().UTC()
	s.mu.Lock()
	s.record.Status, s.record.Ended = statusOf(made), &ended
	if made != nil {
		s.record.Error = made.Error()
	}
	s.mu.Unlock()
	if err := s.save(); made == nil && err != nil {
		return StepRecord{}, false, err
	}
	return s.record, false, made
}

// WriteFile writes a file of the run's folder and records it with the step.
func (s *Step) WriteFile(name string, data []byte) error {
	if err := s.run.WriteFile(name, data); err != nil {
		return err
	}
	return s.AddFile(name)
}

// AddFile records a file of the run's folder that the step has written.
func (s *Step) AddFile(name string) error {
	path, err := s.run.Path(name)
	if err != nil {
		return err
	}
	digest, size, err := digestFile(path)
	if err != nil {
		return explain("reading", path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.record.Files {
		if s.record.Files[i].Path == name {
			s.record.Files[i].Size, s.record.Files[i].Digest = size, digest
			return nil
		}
	}
	s.record.Files = append(s.record.Files, File{Path: name, Size: size, Digest: digest})
	return nil
}

// AddTree records every file of a folder of the run's folder.
func (s *Step) AddTree(name string) error {
	root, err := s.run.Path(name)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return explain("reading", path, err)
		}
		if entry.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(s.run.dir, path)
		if err != nil {
			return explain("reading", path, err)
		}
		return s.AddFile(filepath.ToSlash(rel))
	})
}

// SetResult records a value for later steps, as JSON.
func (s *Step) SetResult(value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fault.Usage(fmt.Errorf("recording the result of step %s: %w", s.record.Name, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record.Result = data
	return nil
}

func (s *Step) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run.session.writeJSON(atStep, filepath.Join(s.run.dir, "steps", s.record.Name+".json"), s.record)
}

// Result reads the value that a step of this run recorded. ErrNoStep when the
// step is not done.
func (r *Run) Result(step string, into any) error {
	record, err := r.store.readStep(r.ID(), step)
	if err != nil {
		return err
	}
	if record.Status != Done {
		return fault.Usage(fmt.Errorf("step %s of run %s is %s: %w", step, r.ID(), record.Status, ErrNoStep))
	}
	if err := json.Unmarshal(record.Result, into); err != nil {
		return fault.Usage(fmt.Errorf("reading the result of step %s of run %s: %w", step, r.ID(), err))
	}
	return nil
}

// Recall reads the value that a step of this run recorded, and refuses one
// whose files are not what the step wrote.
func (r *Run) Recall(step string, into any) error {
	if err := r.Result(step, into); err != nil {
		return err
	}
	record, err := r.store.readStep(r.ID(), step)
	if err != nil {
		return err
	}
	if !r.intact(record.Files) {
		return fault.StoreDamaged.Usage(fmt.Errorf("run %s: files of the step %s in %s were changed or removed: run again", r.ID(), step, r.dir))
	}
	return nil
}

// ErrNoStep says that a run has no finished step of that name.
var ErrNoStep = errors.New("that step has not been done")

func (s *Store) readStep(id, name string) (StepRecord, error) {
	var record StepRecord
	err := s.readJSON(s.path("runs", id, "steps", name+".json"), &record)
	if errors.Is(err, fs.ErrNotExist) {
		return record, fault.Usage(fmt.Errorf("run %s, step %s: %w", id, name, ErrNoStep))
	}
	return record, err
}

func (r *Run) intact(files []File) bool {
	for _, file := range files {
		path := filepath.Join(r.dir, filepath.FromSlash(file.Path))
		if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
			return false
		}
		if digest, _, err := digestFile(path); err != nil || digest != file.Digest {
			return false
		}
	}
	return true
}

func digestFile(path string) (digest string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	hash := sha256.New()
	if size, err = io.Copy(hash, f); err != nil {
		return "", 0, err
	}
	return digestPrefix + hex.EncodeToString(hash.Sum(nil)), size, nil
}
