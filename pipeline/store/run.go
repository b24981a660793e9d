package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store/failpoint"
)

// RunSchema names the format of run.json and of the records of steps.
const RunSchema = "dosirak/run/v1"

// Status says how a run or a step stands.
type Status string

const (
	Running     Status = "running"
	Done        Status = "done"        // came to its end, whatever the verdict
	Failed      Status = "failed"      // ended with an error
	Interrupted Status = "interrupted" // Ctrl-C, or the process died
)

// Record is the content of run.json.
type Record struct {
	Schema   string            `json:"schema"`
	ID       string            `json:"id"`
	Command  string            `json:"command"` // of dosirak, such as "run"
	Status   Status            `json:"status"`
	Started  time.Time         `json:"started"`
	Ended    *time.Time        `json:"ended,omitempty"`
	ExitCode *int              `json:"exit_code,omitempty"`
	Error    string            `json:"error,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"` // model, commit, ...: for people
}

// Run is a run that this process writes. Safe for concurrent use.
type Run struct {
	store   *Store
	session *session
	dir     string
	lock    *heldLock

	mu     sync.Mutex
	record Record
	refs   refs
}

// refs is what a run needs to stay: the content of refs.json.
type refs struct {
	Blobs []string `json:"blobs"`
	Cache []string `json:"cache"` // "kind/key"
	Env   []string `json:"env"`
}

var (
	atRunDirBefore = failpoint.New("store/run-folder/before-rename")
	atRunDirAfter  = failpoint.New("store/run-folder/after-rename")
)

// NewRun begins a run of a command. Its id is the time in UTC and six random
// digits, so that ids sort by time and nobody has to type a digest.
func (s *Store) NewRun(ctx context.Context, command string, labels map[string]string) (*Run, error) {
	session, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	started := s.now().UTC()
	for {
		id := started.Format("20060102-150405") + "-" + random(3)
		r := &Run{store: s, session: session, dir: s.path("runs", id)}
		r.record = Record{Schema: RunSchema, ID: id, Command: command, Status: Running, Started: started, Labels: labels}
		err := r.create(filepath.Join(session.tmp, "run-"+id))
		if errors.Is(err, fs.ErrExist) {
			continue // another run of this second drew the same digits
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

// create makes the run's folder elsewhere and moves it to its place, so that a
// run that can be seen has a record and a lock.
func (r *Run) create(temp string) error {
	if err := os.Mkdir(temp, 0o755); err != nil {
		return explain("making the folder", temp, err)
	}
	if err := os.Mkdir(filepath.Join(temp, "steps"), 0o755); err != nil {
		return explain("making the folder", temp, err)
	}
	held, err := lock(filepath.Join(temp, "lock"), true)
	if err != nil {
		return explain("locking", temp, err)
	}
	if err = r.session.writeJSON(atRun, filepath.Join(temp, "run.json"), r.record); err == nil {
		atRunDirBefore.Hit()
		if _, exists := os.Lstat(r.dir); exists == nil {
			err = fs.ErrExist
		} else if err = os.Rename(temp, r.dir); err != nil {
			err = explain("making the run", r.dir, err)
		}
	}
	if err != nil {
		held.Close()
		os.RemoveAll(temp)
		return err
	}
	atRunDirAfter.Hit()
	r.lock = held
	if err := syncDir(filepath.Dir(r.dir)); err != nil {
		return explain("making the run", r.dir, err)
	}
	return nil
}

// Resume goes on with a run that ended early or whose process died; one that
// is going on is refused. A step of a finished run can be made again too.
func (s *Store) Resume(ctx context.Context, id string) (*Run, error) {
	session, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	id, err = s.Find(id)
	if err != nil {
		return nil, err
	}
	r := &Run{store: s, session: session, dir: s.path("runs", id)}
	// A reader may hold the lock for an instant to see whether the run is
	// alive: wait a little before calling it so.
	waiting, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r.lock, err = await(waiting, filepath.Join(r.dir, "lock"), true)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fault.StoreBusy.Usage(fmt.Errorf("resuming run %s: it is going on in another process: wait for it, or begin a new run", id))
	case err != nil:
		return nil, explain("locking", r.dir, err)
	}
	r.record, err = s.readRecord(id)
	if err == nil {
		err = s.readJSON(filepath.Join(r.dir, "refs.json"), &r.refs)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		r.record.Status, r.record.Ended, r.record.ExitCode, r.record.Error = Running, nil, nil, ""
		err = r.save()
	}
	if err != nil {
		r.lock.Close()
		return nil, err
	}
	return r, nil
}

// Reopen takes up a run that has ended, to be read: gc keeps it meanwhile, its
// record stays as it is, and Finish does nothing.
func (s *Store) Reopen(ctx context.Context, id string) (*Run, error) {
	session, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := s.Load(id)
	if err != nil {
		return nil, err
	}
	if stored.Status == Running {
		return nil, fault.StoreBusy.Usage(fmt.Errorf("run %s is going on in another process: wait for it", id))
	}
	return &Run{store: s, session: session, dir: stored.Dir, record: stored.Record}, nil
}

// Relabel says what a run that goes on is of now.
func (r *Run) Relabel(labels map[string]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.Labels = labels
	return r.save()
}

// Labels say what the run is of.
func (r *Run) Labels() map[string]string { return r.record.Labels }

// ID is the name of the run.
func (r *Run) ID() string { return r.record.ID }

// Started is when the run began; of one that goes on, when it began at first.
func (r *Run) Started() time.Time { return r.record.Started }

// Dir is the absolute path of the run's folder.
func (r *Run) Dir() string { return r.dir }

// Path is an absolute path inside the run's folder; its folder is made.
func (r *Run) Path(name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", fault.Usage(fmt.Errorf("%q leads out of the run's folder", name))
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", explain("making the folder of", path, err)
	}
	return path, nil
}

// WriteFile writes a file of the run's folder, whole or not at all.
func (r *Run) WriteFile(name string, data []byte) error {
	path, err := r.Path(name)
	if err != nil {
		return err
	}
	return r.session.writeBytes(atFile, path, data)
}

// HoldBlobs makes gc keep blobs as long as the run.
func (r *Run) HoldBlobs(digests ...string) error {
	return r.hold(func(refs *refs) *[]string { return &refs.Blobs }, digests)
}

// HoldCache makes gc keep a cache entry as long as the run.
func (r *Run) HoldCache(kind, key string) error {
	return r.hold(func(refs *refs) *[]string { return &refs.Cache }, []string{kind + "/" + key})
}

// HoldEnv makes gc keep an environment as long as the run.
func (r *Run) HoldEnv(digest string) error {
	return r.hold(func(refs *refs) *[]string { return &refs.Env }, []string{digest})
}

func (r *Run) hold(list func(*refs) *[]string, names []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := list(&r.refs)
	before := len(*held)
	for _, name := range names {
		if at, found := slices.BinarySearch(*held, name); !found {
			*held = slices.Insert(*held, at, name)
		}
	}
	if len(*held) == before {
		return nil
	}
	return r.session.writeJSON(atRefs, filepath.Join(r.dir, "refs.json"), r.refs)
}

// Finish ends the run: as interrupted when err says so, as failed at another
// err, as done else. exitCode is the code of the command.
func (r *Run) Finish(exitCode int, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lock == nil {
		return nil
	}
	ended := r.store.now().UTC()
	r.record.Status, r.record.Ended, r.record.ExitCode = statusOf(err), &ended, &exitCode
	if err != nil {
		r.record.Error = err.Error()
	}
	saved := r.save()
	r.lock.Close()
	r.lock = nil
	return saved
}

func statusOf(err error) Status {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

func (r *Run) save() error {
	return r.session.writeJSON(atRun, filepath.Join(r.dir, "run.json"), r.record)
}

func (s *Store) readRecord(id string) (Record, error) {
	var record Record
	path := s.path("runs", id, "run.json")
	if err := s.readJSON(path, &record); err != nil {
		return Record{}, err
	}
	if record.Schema != RunSchema {
		return Record{}, fault.StoreDamaged.Usage(fmt.Errorf("%s says schema %q, this release knows %q", path, record.Schema, RunSchema))
	}
	return record, nil
}

// readJSON reads a record. Unknown fields are allowed: they are of a newer
// release, and a record decides nothing.
func (s *Store) readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return explain("reading", path, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fault.StoreDamaged.Usage(fmt.Errorf("reading %s: %w: the file was changed by hand or damaged: remove it", path, err))
	}
	return nil
}
