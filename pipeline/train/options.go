package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// Defaults of Options.
const (
	DefaultGrace   = 10 * time.Second
	DefaultQuota   = 4 << 30
	DefaultLogHead = 1 << 20
	DefaultLogTail = 1 << 20
)

// Options are what a training takes.
type Options struct {
	Dir     string   // the project's folder
	Command string   // with {seed}, {data} and {out}; run by sh -c in a working copy
	Setup   string   // with {env}; run once per lock digest; may be empty
	Inputs  []string // globs with **, relative to Dir; empty: every file of the working copy
	Data    string   // training data, a file or a folder, relative to Dir or absolute
	// Own are globs of what dosirak itself writes or reads, such as manifests and
	// the config: no input and in no copy, unless Inputs name them one by one.
	Own []string
	// Withheld are files and folders that no working copy has: the evaluation
	// data. Files with the same content are withheld too.
	Withheld []string
	Seeds    []int64
	Parallel int           // replicates at once; at least 1
	Timeout  time.Duration // of the setup and of each replicate; 0: none
	Grace    time.Duration // between SIGTERM and SIGKILL; 0: DefaultGrace
	Quota    int64         // bytes that a replicate may write to {out}; 0: DefaultQuota
	LogHead  int64         // bytes of a log that are kept from its beginning; 0: DefaultLogHead
	LogTail  int64         // and from its end; 0: DefaultLogTail
	Env      []string      // environment of the commands; nil: that of this process
	Fresh    bool          // train although nothing changed

	// Prove trains the first seed a second time, past every cache, unless the
	// proof is remembered. Environment is what may change the numbers besides
	// the inputs, such as the processor's model.
	Prove       bool
	Environment string

	Executor Executor // nil: Host
	Runtime  *Runtime // what Describe said; nil: Train looks itself

	Store    *store.Store
	Run      *store.Run // gets the logs and the outputs
	Folder   string     // of the run that gets them; empty: "train"
	Observer Observer   // may be nil
	Now      func() time.Time
}

// Replicate is one training run with one seed.
type Replicate struct {
	Seed     int64              `json:"seed"`
	Key      string             `json:"key"`   // hexadecimal digest of all that it depends on
	Out      string             `json:"out"`   // folder with its outputs, relative to the run's folder
	Files    []store.File       `json:"files"` // the outputs as blobs, sorted by path
	Params   map[string]any     `json:"params,omitempty"`
	Metrics  map[string]float64 `json:"metrics,omitempty"`
	History  string             `json:"history,omitempty"` // history.jsonl, relative to the run's folder
	Log      string             `json:"log"`               // relative to the run's folder
	Duration time.Duration      `json:"duration"`          // nanoseconds; of the training itself, also when reused
	Reused   bool               `json:"reused"`
	Notes    []string           `json:"notes,omitempty"`
}

// Result is what a training gives.
type Result struct {
	Replicates []Replicate `json:"replicates"`      // by seed, in the order of Options.Seeds
	Twin       *Replicate  `json:"twin,omitempty"`  // the first seed again, when it was trained for the proof
	Proof      *Proof      `json:"proof,omitempty"` // when it was remembered
	ProofKey   string      `json:"proof_key,omitempty"`
	Inputs     []Input     `json:"inputs"` // digests of the inputs, sorted by path
	Env        string      `json:"env,omitempty"`
	Runtime    Runtime     `json:"runtime"`
}

// Input is a file that the training depends on.
type Input struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`         // of the content, or of a link's target
	Kind   string `json:"kind,omitempty"` // executable | link
}

// State is how a part of the training stands.
type State string

const (
	Started  State = "started"
	Progress State = "progress" // Text is the latest line of output
	Reused   State = "reused"
	Done     State = "done"
	Failed   State = "failed"
	Stopped  State = "stopped" // another failed, or Ctrl-C
	Noted    State = "noted"   // Text is something worth saying
)

// Event is a piece of progress. Seed and Again mean something when Part is
// "replicate".
type Event struct {
	Part     string // setup | replicate | train
	Seed     int64
	Again    bool // the second training of the first seed
	State    State
	Text     string // one line, without control characters
	Duration time.Duration
}

// Observer is told about progress, from several goroutines.
type Observer interface{ Observe(Event) }

// ObserverFunc is a function as an Observer.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }

// complete checks the options and fills in defaults.
func (o *Options) complete() error {
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		return fault.Usage(fmt.Errorf("training: %w", err))
	}
	// git speaks of the real path, and links are compared with it.
	if o.Dir, err = filepath.EvalSymlinks(abs); err != nil {
		return fault.Usage(fmt.Errorf("training: finding the project's folder: %w", err))
	}
	if strings.TrimSpace(o.Command) == "" {
		return fault.ConfigInvalid.Usage(fmt.Errorf("training: there is no command: set train.command"))
	}
	if len(o.Seeds) == 0 {
		return fault.ConfigInvalid.Usage(fmt.Errorf("training: there are no seeds: set train.seeds, for example [1, 2, 3, 4, 5]"))
	}
	seen := map[int64]bool{}
	for _, seed := range o.Seeds {
		if seen[seed] {
			return fault.ConfigInvalid.Usage(fmt.Errorf("training: seed %d stands twice in train.seeds: every replicate needs a seed of its own", seed))
		}
		seen[seed] = true
	}
	o.Parallel = max(o.Parallel, 1)
	if o.Folder == "" {
		o.Folder = "train"
	}
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	if o.Quota <= 0 {
		o.Quota = DefaultQuota
	}
	if o.LogHead <= 0 {
		o.LogHead = DefaultLogHead
	}
	if o.LogTail <= 0 {
		o.LogTail = DefaultLogTail
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Executor == nil {
		o.Executor = Host{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observer == nil {
		o.Observer = ObserverFunc(func(Event) {})
	}
	return nil
}

func (o *Options) note(text string) {
	o.Observer.Observe(Event{Part: "train", State: Noted, Text: text})
}
