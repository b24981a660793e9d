package train

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// lockFiles pin what a training runs with. Those that exist at the top of the
// project are part of every key, whether the inputs name them or not.
var lockFiles = []string{
	"requirements.lock", "requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "pylock.toml",
	"environment.yml", "environment.yaml", "conda-lock.yml", "pixi.lock",
	"go.mod", "go.sum", "Cargo.lock", "package-lock.json", "renv.lock", "Manifest.toml", ".python-version",
}

// HasLockFile reports whether a project pins what a training runs with.
func HasLockFile(dir string) bool {
	return slices.ContainsFunc(lockFiles, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

// isSetup reports whether a file is one that the setup depends on: a lock file,
// or one that the command names.
func (o *Options) isSetup(name string) bool {
	return slices.Contains(lockFiles, name) || Names(o.Setup, name)
}

// Names reports whether a command names a file.
func Names(command, file string) bool {
	words := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n\"';&|<>()=", r) })
	return slices.ContainsFunc(words, func(word string) bool { return filepath.ToSlash(filepath.Clean(word)) == file })
}

// DependsOn reports whether a training with these inputs and this setup depends
// on a file, as the key of a replicate does; every one is an input where none
// are named.
func DependsOn(file string, inputs []string, setup string) bool {
	return len(inputs) == 0 || Names(setup, file) || slices.Contains(lockFiles, file) ||
		slices.ContainsFunc(inputs, func(pattern string) bool { return glob(pattern, file) })
}

// setUp returns the environment of the replicates, building it if its digest
// is new; "" without a setup.
func (o *Options) setUp(ctx context.Context, digest, snapshot string, entries []entry) (string, error) {
	if strings.TrimSpace(o.Setup) == "" {
		return "", nil
	}
	text, err := program(o.Setup, "env")
	if err != nil {
		return "", fmt.Errorf("train.setup: %w", err)
	}
	started := o.Now()
	event := func(state State, text string) {
		o.Observer.Observe(Event{Part: "setup", State: state, Text: text, Duration: o.Now().Sub(started)})
	}
	dir, reused, err := o.Store.Env(ctx, digest, func(dir string) error {
		event(Started, "")
		return o.build(ctx, text, dir, snapshot, entries, func(line string) { event(Progress, line) })
	})
	if err != nil {
		event(Failed, "")
		return "", err
	}
	if reused {
		event(Reused, "")
	} else {
		event(Done, "")
	}
	return dir, o.Run.HoldEnv(digest)
}

func (o *Options) build(ctx context.Context, text, dir, snapshot string, entries []entry, line func(string)) error {
	slot, err := o.Store.Slot(ctx, o.Executor.Clear)
	if err != nil {
		return err
	}
	defer slot.Release()
	work := filepath.Join(slot.Dir, "copy")
	if err := os.Mkdir(work, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("setting up: %w", err))
	}
	if err := copyTree(ctx, in(snapshot), work, entries); err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	path, err := o.Run.Path(o.Folder + "/setup.log")
	if err != nil {
		return err
	}
	log, err := newLog(path, o.LogHead, o.LogTail, line)
	if err != nil {
		return err
	}
	env := append(slices.Clone(o.Env), "DOSIRAK_ENV="+dir, "DOSIRAK_RUN_ID="+o.Run.ID())
	end, err := o.Executor.Run(ctx, Job{
		Program: text, Dir: work, Write: []string{dir}, Env: env, Slot: slot.Dir, Network: true, Log: log, Timeout: o.Timeout, Grace: o.Grace,
	})
	if closing := log.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("setting up: %w", err)
	}
	if err := o.verdict(ctx, "the setup", failing{Options: o, work: work, end: end}, log); err != nil {
		return err
	}
	return readOnly(dir)
}

// readOnly takes the permission to write from everything in dir, so that one
// replicate cannot change what the next one runs with. dir itself stays
// writable for the store's marker. (It does not bind root.)
func readOnly(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o222)
	})
	if err != nil {
		return fault.Environment(fmt.Errorf("making the environment read-only: %w", err))
	}
	return nil
}

// verdict turns the ending of a command into its error, or nil.
func (o *Options) verdict(ctx context.Context, who string, f failing, log *boundedLog) error {
	end := f.end
	var what string
	switch {
	case end.OverQuota:
		what = fmt.Sprintf("wrote more than %d bytes to its output folder and was stopped: write less, or raise the quota", o.Quota)
	case end.TimedOut:
		what = fmt.Sprintf("did not end within %s and was stopped: it hangs, or train.timeout is too short", o.Timeout)
	case end.Signal != 0:
		what = fmt.Sprintf("was killed by signal %d (%s)", end.Signal, end.Signal)
		if end.Signal == 9 {
			what += ": out of memory, perhaps; run fewer replicates at once (train.parallel)"
		}
	case end.Code == 127:
		what = "ended with exit status 127: the shell did not find a command"
	case end.Code == 126:
		what = "ended with exit status 126: a command is not executable (chmod +x, and git update-index --chmod=+x, let it be run)"
	case end.Code > 128 && end.Code <= 128+64:
		// A shell reports the death of what it started as 128 + signal.
		what = fmt.Sprintf("ended with exit status %d, killed by signal %d (%s)", end.Code, end.Code-128, syscall.Signal(end.Code-128))
		if end.Code == 128+9 {
			what += ": out of memory, perhaps; run fewer replicates at once (train.parallel)"
		}
	case end.Code != 0:
		what = fmt.Sprintf("ended with exit status %d", end.Code)
	default:
		return nil
	}
	f.lines = log.lines()
	text := o.tell(log, f.short(excerpt(f.lines)))
	if hint := f.hint(ctx); hint != "" && !end.OverQuota && !end.TimedOut {
		text += "\n  " + hint
	}
	return fault.TrainerFailed.Failed(fmt.Errorf("%s %s%s", who, what, text))
}

// short names files of the copy as the project does.
func (f failing) short(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		line = strings.ReplaceAll(line, f.work+string(filepath.Separator), "")
		if f.out != "" {
			line = strings.ReplaceAll(line, f.out, "{out}")
		}
		out[i] = line
	}
	return out
}

// tell shows lines of a log, and where the whole is.
func (o *Options) tell(log *boundedLog, lines []string) string {
	path := log.path
	if rel, err := filepath.Rel(o.Dir, path); err == nil && filepath.IsLocal(rel) {
		path = rel
	}
	text := "\n  log: " + path
	for _, line := range lines {
		text += "\n  | " + line
	}
	return text
}
