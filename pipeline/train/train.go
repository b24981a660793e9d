package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// Train trains one replicate for each seed, or reuses stored ones. When one
// fails the others are stopped: the change does not train, and the rest would
// only cost time.
func Train(ctx context.Context, o Options) (*Result, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	text, err := program(o.Command, "seed", "data", "out", "env")
	if err != nil {
		return nil, fmt.Errorf("train.command: %w", err)
	}
	if err := o.describe(ctx); err != nil {
		return nil, err
	}
	entries, err := o.list(ctx)
	if err != nil {
		return nil, err
	}
	o.remark(entries)
	t := &training{Options: o, text: text, entries: entries}
	if t.keys, err = o.digest(ctx, o.original, entries); err != nil {
		return nil, err
	}
	jobs, err := t.plan(ctx)
	if err != nil {
		return nil, err
	}
	if len(jobs) > 0 {
		if jobs, err = t.snapshot(ctx, jobs); err != nil {
			return nil, err
		}
		defer store.RemoveAll(t.from)
	}
	if len(jobs) > 0 {
		if len(t.Inputs) == 0 {
			t.note("train.inputs is not set: every file of the project but dosirak's own counts as an input, so any edit trains every replicate again; name what training reads to reuse more")
		}
		if t.env, err = t.setUp(ctx, t.keys.setup, t.from, entries); err != nil {
			return nil, err
		}
		if err := t.all(ctx, jobs); err != nil {
			return nil, err
		}
	}
	return t.result(ctx)
}

// training is a training that is going on.
type training struct {
	Options
	text    string // of the command, for sh
	entries []entry
	from    string // snapshot of the project
	keys    keys
	env     string // environment's folder

	mu         sync.Mutex
	replicates map[int64]Replicate
	twin       *Replicate
	proof      *Proof
	proofKey   string
}

// task is a replicate to train.
type task struct {
	seed  int64
	again bool
}

// plan takes what is stored and returns what is to be trained.
func (t *training) plan(ctx context.Context) ([]task, error) {
	t.replicates = map[int64]Replicate{}
	t.proof, t.proofKey = nil, ""
	var tasks []task
	for _, seed := range t.Seeds {
		r, found, err := t.recall(ctx, seed)
		if err != nil {
			return nil, err
		}
		if found {
			t.replicates[seed] = r
		} else {
			tasks = append(tasks, task{seed: seed})
		}
	}
	if t.Prove {
		first := t.Seeds[0]
		t.proofKey = sum("dosirak/proof/v2", t.keys.seeds[first], t.Environment)
		if r, reused := t.replicates[first]; reused {
			var proof Proof
			if found, err := t.Store.GetCache(proofKind, t.proofKey, &proof); err == nil && found && slices.Equal(proof.Files, r.Files) {
				t.proof = &proof
				return tasks, t.Run.HoldCache(proofKind, t.proofKey)
			}
		}
		// Early, since both trainings of the first seed must end before
		// anything can be said of the proof.
		at := 0
		if len(tasks) > 0 && tasks[0].seed == first {
			at = 1
		}
		tasks = slices.Insert(tasks, at, task{seed: first, again: true})
	}
	return tasks, nil
}

// snapshot copies the project, so that all replicates train on the same, and
// plans again where the project changed since the digests were taken.
func (t *training) snapshot(ctx context.Context, tasks []task) ([]task, error) {
	var err error
	if t.from, err = t.Store.TempDir(ctx, "snapshot"); err != nil {
		return nil, err
	}
	if err := copyTree(ctx, t.original, t.from, t.entries); err != nil {
		return nil, err
	}
	before := t.keys.seeds[t.Seeds[0]]
	if t.keys, err = t.digest(ctx, in(t.from), t.entries); err != nil {
		return nil, err
	}
	if t.keys.seeds[t.Seeds[0]] == before {
		return tasks, nil
	}
	return t.plan(ctx)
}

// all trains the tasks, Parallel at once, and returns the first failure that
// is not the consequence of another.
func (t *training) all(ctx context.Context, tasks []task) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan task, len(tasks))
	for _, task := range tasks {
		queue <- task
	}
	close(queue)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	for range min(t.Parallel, len(tasks)) {
		wg.Go(func() {
			for task := range queue {
				if within.Err() != nil {
					return
				}
				if err := t.one(within, task); err != nil {
					mu.Lock()
					if failure == nil {
						failure = err
					}
					mu.Unlock()
					cancel()
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	return failure
}

func (t *training) name(k task) string {
	if k.again {
		return fmt.Sprintf("%s/seed-%d-again", t.Folder, k.seed)
	}
	return fmt.Sprintf("%s/seed-%d", t.Folder, k.seed)
}

// one trains one replicate and stores it.
func (t *training) one(ctx context.Context, k task) error {
	started := t.Now()
	event := func(state State, text string) {
		t.Observer.Observe(Event{Part: "replicate", Seed: k.seed, Again: k.again, State: state, Text: text, Duration: t.Now().Sub(started)})
	}
	event(Started, "")
	r, err := t.train(ctx, k, func(line string) { event(Progress, line) })
	switch {
	case err != nil && errors.Is(err, context.Canceled):
		event(Stopped, "")
		return err
	case err != nil:
		event(Failed, "")
		return err
	}
	event(Done, "")
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.again {
		t.twin = &r
	} else {
		t.replicates[k.seed] = r
	}
	return nil
}

func (t *training) train(ctx context.Context, k task, line func(string)) (Replicate, error) {
	slot, err := t.Store.Slot(ctx, t.Executor.Clear)
	if err != nil {
		return Replicate{}, err
	}
	defer slot.Release()
	work, out := filepath.Join(slot.Dir, "copy"), filepath.Join(slot.Dir, "out")
	for _, dir := range []string{work, out} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return Replicate{}, fault.Environment(fmt.Errorf("making a working copy: %w", err))
		}
	}
	if err := copyTree(ctx, in(t.from), work, t.entries); err != nil {
		return Replicate{}, err
	}
	r := Replicate{Seed: k.seed, Key: t.keys.seeds[k.seed], Log: t.name(k) + ".log"}
	logPath, err := t.Run.Path(r.Log)
	if err != nil {
		return Replicate{}, err
	}
	log, err := newLog(logPath, t.LogHead, t.LogTail, line)
	if err != nil {
		return Replicate{}, err
	}
	started := t.Now()
	end, err := t.Executor.Run(ctx, Job{
		Program: t.text, Dir: work, Read: t.readOutside(), Write: []string{out}, Env: t.variables(k.seed, work, out), Slot: slot.Dir, Log: log,
		Timeout: t.Timeout, Grace: t.Grace, Out: out, Quota: t.Quota,
	})
	r.Duration = t.Now().Sub(started)
	if closing := log.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return Replicate{}, fmt.Errorf("seed %d: %w", k.seed, err)
	}
	who := fmt.Sprintf("seed %d: the trainer", k.seed)
	if k.again {
		who = fmt.Sprintf("seed %d, trained again for the proof: the trainer", k.seed)
	}
	if err := t.verdict(ctx, who, failing{Options: &t.Options, work: work, out: out, end: end}, log); err != nil {
		return Replicate{}, err
	}
	if end.Strays > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("the trainer left processes running when it ended; they were stopped (%d)", end.Strays))
	}
	return t.keep(ctx, k, r, slot.Dir, log)
}

// keep stores the outputs of a replicate.
func (t *training) keep(ctx context.Context, k task, r Replicate, slot string, log *boundedLog) (Replicate, error) {
	out := filepath.Join(slot, "out")
	if info, err := os.Lstat(out); err != nil || !info.IsDir() {
		return Replicate{}, fault.NoModel.Failed(fmt.Errorf("seed %d: the trainer put something else in the place of {out}, or removed it: {out} is a folder, write the model into it, for example to {out}/model.onnx%s", k.seed, t.tell(log, excerpt(log.lines()))))
	}
	var err error
	if r.Files, err = t.Store.PutTree(ctx, out); err != nil {
		return Replicate{}, fmt.Errorf("seed %d: storing the trainer's output: %w", k.seed, err)
	}
	if !slices.ContainsFunc(r.Files, func(f store.File) bool { return !slices.Contains(sideFiles, f.Path) }) {
		return Replicate{}, fault.NoModel.Failed(fmt.Errorf("seed %d: the trainer ended well but wrote no model: it must write one model file, or an MLflow model directory, to the folder {out} (DOSIRAK_OUT)%s%s", k.seed, t.misplaced(slot), t.tell(log, excerpt(log.lines()))))
	}
	digests := []string{}
	for _, file := range r.Files {
		digests = append(digests, file.Digest)
	}
	r.Out = t.name(k) + "/out"
	target, err := t.clear(r.Out)
	if err != nil {
		return Replicate{}, err
	}
	if err := os.Rename(out, target); err != nil {
		return Replicate{}, fault.Environment(fmt.Errorf("seed %d: keeping the trainer's output: %w", k.seed, err))
	}
	if err := t.readSide(&r, target); err != nil {
		return Replicate{}, err
	}
	if k.again {
		// The twin is no replicate to reuse; the run needs its blobs.
		return r, t.Run.HoldBlobs(digests...)
	}
	if err := t.Store.PutCache(ctx, replicateKind, r.Key, storedReplicate{Seed: r.Seed, Files: r.Files, Duration: r.Duration, Notes: r.Notes, Run: t.Run.ID(), Log: r.Log}, digests...); err != nil {
		return Replicate{}, err
	}
	if err := t.Run.HoldBlobs(digests...); err != nil {
		return Replicate{}, err
	}
	return r, t.Run.HoldCache(replicateKind, r.Key)
}

// misplaced names a model that the trainer left beside the folder {out}, or in
// its working copy.
func (t *training) misplaced(slot string) string {
	had := map[string]bool{}
	for _, e := range t.entries {
		had["copy/"+e.path] = true
	}
	found := ""
	_ = filepath.WalkDir(slot, func(name string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(slot, name)
		if err != nil || relErr != nil || found != "" || !d.Type().IsRegular() {
			return nil
		}
		rel = filepath.ToSlash(rel)
		if slices.Contains(modelEndings, path.Ext(rel)) && !had[rel] && !strings.HasPrefix(rel, "out/") {
			found = strings.TrimPrefix(rel, "copy/")
		}
		return nil
	})
	if found == "" {
		return ""
	}
	return fmt.Sprintf("; it left %s beside it, where nobody looks", printable(found))
}

// modelEndings are those of files that people take for models.
var modelEndings = []string{".onnx", ".json", ".ubj", ".txt", ".pkl", ".pickle", ".joblib", ".pt", ".pth", ".h5", ".keras", ".cbm", ".bin", ".safetensors"}

// clear makes room for a folder in the run's folder, which a resumed run may
// have filled before.
func (t *training) clear(name string) (string, error) {
	path, err := t.Run.Path(name)
	if err != nil {
		return "", err
	}
	if err := store.RemoveAll(path); err != nil {
		return "", fault.Environment(fmt.Errorf("removing %s: %w", path, err))
	}
	return path, nil
}

// readOutside is what a replicate reads outside of its working copy.
func (t *training) readOutside() []string {
	var paths []string
	if _, inside := t.dataInside(); !inside && t.Data != "" {
		paths = append(paths, t.Data)
	}
	if t.env != "" {
		paths = append(paths, t.env)
	}
	return paths
}

// variables is the environment of a replicate.
func (t *training) variables(seed int64, work, out string) []string {
	data := ""
	if inside, ok := t.dataInside(); ok {
		data = filepath.Join(work, filepath.FromSlash(inside))
	} else if t.Data != "" {
		data = t.Data
	}
	env := append(slices.Clone(t.Env), t.Runtime.Threads...)
	env = append(env,
		fmt.Sprintf("DOSIRAK_SEED=%d", seed),
		"DOSIRAK_DATA="+data,
		"DOSIRAK_OUT="+out,
		"DOSIRAK_RUN_ID="+t.Run.ID(),
		"DOSIRAK_ENV="+t.env,
		fmt.Sprintf("PYTHONHASHSEED=%d", uint32(seed)),
	)
	if t.env == "" {
		return env
	}
	path := ""
	for _, variable := range t.Env {
		if len(variable) > 5 && variable[:5] == "PATH=" {
			path = variable[5:]
		}
	}
	bin := filepath.Join(t.env, "bin")
	if path != "" {
		bin += string(os.PathListSeparator) + path
	}
	env = append(env, "PATH="+bin)
	// A venv that is on PATH but not named confuses tools that look for the
	// name of the one that the user has activated.
	if _, err := os.Stat(filepath.Join(t.env, "pyvenv.cfg")); err == nil {
		env = append(env, "VIRTUAL_ENV="+t.env)
	}
	return env
}

// storedReplicate is what the cache holds.
type storedReplicate struct {
	Seed     int64         `json:"seed"`
	Files    []store.File  `json:"files"`
	Duration time.Duration `json:"duration"`
	Notes    []string      `json:"notes,omitempty"`
	Run      string        `json:"run"` // that trained it
	Log      string        `json:"log"` // in that run's folder
}

const (
	replicateKind = "replicate"
	proofKind     = "proof"
)

// recall gets a stored replicate into the run's folder.
func (t *training) recall(ctx context.Context, seed int64) (Replicate, bool, error) {
	if t.Fresh {
		return Replicate{}, false, nil
	}
	key := t.keys.seeds[seed]
	var stored storedReplicate
	found, err := t.Store.GetCache(replicateKind, key, &stored)
	if err != nil || !found || stored.Seed != seed {
		return Replicate{}, false, err
	}
	k := task{seed: seed}
	r := Replicate{Seed: seed, Key: key, Files: stored.Files, Duration: stored.Duration, Notes: stored.Notes, Reused: true, Out: t.name(k) + "/out", Log: t.name(k) + ".log"}
	target, err := t.clear(r.Out)
	if err != nil {
		return Replicate{}, false, err
	}
	if err := t.Store.GetTree(ctx, stored.Files, target); err != nil {
		switch {
		case ctx.Err() != nil:
			return Replicate{}, false, fmt.Errorf("training: %w", ctx.Err())
		case errors.Is(err, store.ErrCorrupt), errors.Is(err, fs.ErrNotExist):
			t.note(fmt.Sprintf("seed %d: the stored replicate is damaged (%v); it is trained again", seed, err))
			return Replicate{}, false, nil
		}
		return Replicate{}, false, err
	}
	if err := t.readSide(&r, target); err != nil {
		return Replicate{}, false, err
	}
	note := fmt.Sprintf("nothing changed since run %s; its log is there\n", stored.Run)
	if err := t.Run.WriteFile(r.Log, []byte(note)); err != nil {
		return Replicate{}, false, err
	}
	for _, file := range stored.Files {
		if err := t.Run.HoldBlobs(file.Digest); err != nil {
			return Replicate{}, false, err
		}
	}
	if err := t.Run.HoldCache(replicateKind, key); err != nil {
		return Replicate{}, false, err
	}
	t.Observer.Observe(Event{Part: "replicate", Seed: seed, State: Reused, Text: "unchanged since run " + stored.Run, Duration: stored.Duration})
	return r, true, nil
}

func (t *training) result(ctx context.Context) (*Result, error) {
	inputs, err := t.asStored(ctx)
	if err != nil {
		return nil, err
	}
	result := &Result{Inputs: inputs, Twin: t.twin, Proof: t.proof, ProofKey: t.proofKey, Env: t.keys.setup, Runtime: *t.Runtime}
	for _, seed := range t.Seeds {
		r, ok := t.replicates[seed]
		if !ok {
			return nil, fault.Environment(fmt.Errorf("training: seed %d was not trained", seed))
		}
		result.Replicates = append(result.Replicates, r)
	}
	return result, nil
}
