package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// Options are what a fetch takes.
type Options struct {
	Dir     string   // the project's folder
	Command string   // data.fetch
	Files   []string // data files that the config names, relative to Dir
	Update  bool     // run the command, and accept what it brings
	Timeout time.Duration

	Store    *store.Store
	Executor train.Executor // nil: train.Host
	Log      func(line string)
}

// Result says what was done.
type Result struct {
	Ran     bool   `json:"ran"`     // the command
	Written bool   `json:"written"` // the lock, which is to be committed
	Data    []File `json:"data"`
}

// Ensure makes every file be what the lock names, by running the command where
// it must.
func Ensure(ctx context.Context, o Options) (Result, error) {
	names, err := o.names()
	if err != nil {
		return Result{}, err
	}
	lock, err := readLock(o.Dir)
	if err != nil && !o.Update {
		return Result{}, err
	}
	var r Result
	missing := true
	if !o.Update {
		if missing, err = o.look(ctx, lock, names); err != nil {
			return r, err
		}
	}
	if missing {
		if err := o.run(ctx); err != nil {
			return r, err
		}
		r.Ran = true
	}
	for _, name := range names {
		f, err := o.found(ctx, name)
		if err != nil {
			return r, err
		}
		if want, ok := lock.of(name); ok && !o.Update && want != f {
			return r, fault.DataChanged.Usage(fmt.Errorf("data.fetch brought %s with sha256:%.12s… (%d bytes), and %s names sha256:%.12s… (%d bytes): the source is not what it was; restore it there, or accept what it has today with `dosirak fetch --update` and commit %s", name, f.Digest, f.Size, config.LockFile, want.Digest, want.Size, config.LockFile))
		}
		r.Data = append(r.Data, f)
	}
	if err := o.remember(ctx, r.Data); err != nil {
		return r, err
	}
	written := Lock{Data: r.Data}.Text()
	old, err := os.ReadFile(filepath.Join(o.Dir, config.LockFile))
	if err == nil && bytes.Equal(old, written) {
		return r, nil
	}
	// Without --update a lock gains what it lacks, and loses what the config
	// does not name any more; it was held against the rest above.
	r.Written = true
	return r, write(filepath.Join(o.Dir, config.LockFile), written)
}

// names are the files, as the lock has them.
func (o Options) names() ([]string, error) {
	var names []string
	for _, name := range o.Files {
		rel := filepath.Clean(filepath.FromSlash(name))
		if filepath.IsAbs(rel) {
			var err error
			if rel, err = filepath.Rel(o.Dir, rel); err != nil {
				rel = ".."
			}
		}
		if !filepath.IsLocal(rel) {
			return nil, fault.DataNotFetched.Usage(fmt.Errorf("data.fetch brings data into the project, and %s lies outside of it: name a path inside, which may be a link and ignored by Git", name))
		}
		names = append(names, filepath.ToSlash(rel))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// look reports whether the command must run.
func (o Options) look(ctx context.Context, lock *Lock, names []string) (bool, error) {
	last := o.recall()
	missing := false
	for _, name := range names {
		want, locked := lock.of(name)
		f, err := digest(ctx, filepath.Join(o.Dir, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errPointer):
			missing = true
			continue
		case err != nil:
			return false, o.readError(ctx, name, err)
		}
		f.Path = name
		before, fetched := last.of(name)
		switch {
		case locked && f == want:
		case fetched && f != before:
			return false, fault.DataChanged.Usage(fmt.Errorf("%s was changed since it was fetched (sha256:%.12s…, it was sha256:%.12s…): remove it, so that it is fetched again, or bring the change to where data.fetch reads, and run `dosirak fetch --update`", name, f.Digest, before.Digest))
		default:
			missing = true // of another commit, or nobody knows what it is
		}
	}
	return missing, nil
}

// found digests a file that the command must have brought.
func (o Options) found(ctx context.Context, name string) (File, error) {
	f, err := digest(ctx, filepath.Join(o.Dir, filepath.FromSlash(name)))
	f.Path = name
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, fault.DataNotFetched.Usage(fmt.Errorf("data.fetch (%s) ended well, and %s is not there: let it write that file, or correct data.train and data.eval", o.Command, name))
	case errors.Is(err, errPointer):
		return f, fault.DataNotFetched.Usage(fmt.Errorf("data.fetch (%s) ended well, and %s is still a Git LFS pointer: git lfs pull brings its content", o.Command, name))
	case err != nil:
		return f, o.readError(ctx, name, err)
	}
	return f, nil
}

func (o Options) readError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("fetching the data: %w", ctx.Err())
	}
	return fault.Environment(fmt.Errorf("fetching the data: reading %s: %w", name, err))
}

// errPointer says that a file is a Git LFS pointer in the place of its content.
var errPointer = errors.New("a Git LFS pointer")

// pointerStart begins every pointer.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
const pointerStart = "version https://git-lfs.github.com/spec/v1\n"

func digest(ctx context.Context, file string) (File, error) {
	f, err := os.Open(file)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("it is no file, and data that are fetched are files")
	}
	hash := sha256.New()
	start := make([]byte, len(pointerStart))
	if n, _ := io.ReadFull(f, start); string(start[:n]) == pointerStart && info.Size() < 1024 {
		return File{}, errPointer
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return File{}, err
	}
	size, err := io.Copy(hash, &reader{ctx, f})
	if err != nil {
		return File{}, err
	}
	return File{Digest: hex.EncodeToString(hash.Sum(nil)), Size: size}, nil
}

// reader ends a long reading when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// run runs the command in the project's folder.
func (o Options) run(ctx context.Context) error {
	slot, err := o.Store.TempDir(ctx, "fetch")
	if err != nil {
		return err
	}
	executor := o.Executor
	if executor == nil {
		executor = train.Host{}
	}
	out := &tail{line: o.Log}
	end, err := executor.Run(ctx, train.Job{
		Program: o.Command, Dir: o.Dir, Env: os.Environ(), Slot: slot, Network: true, Log: out, Timeout: o.Timeout, Grace: train.DefaultGrace,
	})
	if err != nil {
		return fmt.Errorf("fetching the data: %w", err)
	}
	what := ""
	switch {
	case end.TimedOut:
		what = fmt.Sprintf("did not end within %s (train.timeout) and was stopped", o.Timeout)
	case end.Signal != 0:
		what = fmt.Sprintf("was killed by signal %d (%s)", end.Signal, end.Signal)
	case end.Code != 0:
		what = fmt.Sprintf("ended with exit status %d", end.Code)
	default:
		return nil
	}
	for _, line := range train.Excerpt(out.text) {
		what += "\n  | " + line
	}
	return fault.DataNotFetched.Failed(fmt.Errorf("data.fetch (%s) %s", o.Command, what))
}

// tail keeps the end of what a command prints, and tells about lines.
type tail struct {
	line func(string)
	text []byte
	rest []byte
}

const maxTail = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - maxTail; extra > maxTail {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	if t.line == nil {
		return len(p), nil
	}
	t.rest = append(t.rest, p...)
	for {
		line, rest, ok := bytes.Cut(t.rest, []byte("\n"))
		if !ok {
			break
		}
		if lines := train.Excerpt(line); len(lines) > 0 {
			t.line(lines[len(lines)-1])
		}
		t.rest = rest
	}
	if len(t.rest) > maxTail {
		t.rest = nil // a progress bar without line breaks
	}
	return len(p), nil
}

// rememberedFile holds what the last fetch left, in the store's folder.
const rememberedFile = "fetched.json"

func (o Options) recall() *Lock {
	text, err := os.ReadFile(filepath.Join(o.Store.Root(), rememberedFile))
	if err != nil {
		return nil
	}
	l, err := ParseLock(text)
	if err != nil {
		return nil // ours, and damaged: as good as none
	}
	return &l
}

func (o Options) remember(ctx context.Context, data []File) error {
	text := Lock{Data: data}.Text()
	file := filepath.Join(o.Store.Root(), rememberedFile)
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if _, err := o.Store.TempDir(ctx, "fetch"); err != nil { // makes the folder where there is none
		return err
	}
	return write(file, text)
}

// write replaces a file as a whole.
func write(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".dosirak-")
	if err == nil {
		defer os.Remove(f.Name())
		_, err = f.Write(text)
		err = errors.Join(err, f.Chmod(0o644), f.Close())
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fault.Environment(fmt.Errorf("writing %s: %w", file, err))
	}
	return nil
}

// Borrow copies into the folder to, where an older commit was written, the data
// files that its lock names and that the project has today with the same
// content. What is not there has to be fetched.
func Borrow(ctx context.Context, from, to string, files []string) error {
	lock, err := readLock(to)
	if err != nil || lock == nil {
		return err
	}
	for _, name := range files {
		name = filepath.ToSlash(filepath.Clean(name))
		want, ok := lock.of(name)
		if !ok || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		source, target := filepath.Join(from, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))
		f, err := digest(ctx, source)
		if err != nil || f.Digest != want.Digest {
			continue
		}
		if _, err := os.Stat(target); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fault.Environment(fmt.Errorf("fetching the data: %w", err))
		}
		real, err := filepath.EvalSymlinks(source)
		if err == nil {
			err = os.Symlink(real, target)
		}
		if err != nil {
			return fault.Environment(fmt.Errorf("fetching the data: %w", err))
		}
	}
	return nil
}
