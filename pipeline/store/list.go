package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Stored is a run as it stands in the store.
type Stored struct {
	Record
	Dir    string         `json:"dir"`
	Steps  []StepRecord   `json:"steps"`            // by start, then name
	Report map[string]any `json:"report,omitempty"` // report.json, whatever its schema; nil without one
}

// ids lists the names of runs, oldest first.
func (s *Store) ids() ([]string, error) {
	entries, err := os.ReadDir(s.path("runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("reading", s.path("runs"), err)
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil // ReadDir sorts, and ids sort by time
}

// List returns all runs, newest first. A run whose record cannot be read
// stands in the list with the reason as its error: one damaged file hides
// nothing else.
func (s *Store) List() ([]Stored, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	runs := []Stored{}
	for _, id := range ids {
		run, err := s.Load(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by a gc in between
		}
		if err != nil {
			run = Stored{Record: Record{ID: id, Status: Failed, Error: err.Error()}, Dir: s.path("runs", id)}
		}
		runs = append(runs, run)
	}
	slices.SortStableFunc(runs, func(a, b Stored) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return runs, nil
}

// Load returns one run by its exact id. A run that says running while its
// process is dead is returned as interrupted.
func (s *Store) Load(id string) (Stored, error) {
	if !filepath.IsLocal(id) || strings.ContainsAny(id, `/\`) {
		return Stored{}, fault.NoSuchRun.Usage(fmt.Errorf("%q is no run", id))
	}
	record, err := s.readRecord(id)
	if err != nil {
		return Stored{}, err
	}
	run := Stored{Record: record, Dir: s.path("runs", id)}
	if run.Steps, err = s.steps(id); err != nil {
		return Stored{}, err
	}
	if record.Status == Running && !held(filepath.Join(run.Dir, "lock")) {
		run.Status = Interrupted
		for i := range run.Steps {
			if run.Steps[i].Status == Running {
				run.Steps[i].Status = Interrupted
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(run.Dir, evidence.Report))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Stored{}, explain("reading", filepath.Join(run.Dir, evidence.Report), err)
	default:
		if err := json.Unmarshal(data, &run.Report); err != nil {
			return Stored{}, fault.Usage(fmt.Errorf("reading %s: %w", filepath.Join(run.Dir, evidence.Report), err))
		}
	}
	return run, nil
}

func (s *Store) steps(id string) ([]StepRecord, error) {
	entries, err := os.ReadDir(s.path("runs", id, "steps"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain("reading", s.path("runs", id, "steps"), err)
	}
	steps := []StepRecord{}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		step, err := s.readStep(id, name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	slices.SortStableFunc(steps, func(a, b StepRecord) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return steps, nil
}

// Find returns the id that name means: an id, the beginning or the end of
// exactly one, or "latest".
func (s *Store) Find(name string) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	if len(ids) == 0 {
		return "", fault.NoSuchRun.Usage(fmt.Errorf("there is no run in %s yet: `dosirak run` makes one", s.root))
	}
	if name == "latest" {
		runs, err := s.List()
		if err != nil {
			return "", err
		}
		if len(runs) > 0 {
			return runs[0].ID, nil
		}
	}
	var matches []string
	for _, id := range ids {
		if id == name {
			return id, nil
		}
		if name != "" && (strings.HasPrefix(id, name) || strings.HasSuffix(id, name)) {
			matches = append(matches, id)
		}
	}
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return "", fault.NoSuchRun.Usage(fmt.Errorf("there is no run %q in %s: `dosirak runs list` shows them", name, s.root))
	}
	return "", fault.NoSuchRun.Usage(fmt.Errorf("%q could be %s: give more of the id", name, strings.Join(matches, " or ")))
}
