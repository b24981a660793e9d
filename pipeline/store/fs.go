package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store/failpoint"
)

// site is a place of the code that puts a file under its final name, with the
// points at which a process may die there.
type site struct {
	create, written, synced, renamed, done *failpoint.Point
}

func newSite(name string) site {
	point := func(what string) *failpoint.Point { return failpoint.New("store/" + name + "/" + what) }
	return site{
		create:  point("before-write"),
		written: point("after-write"),
		synced:  point("before-rename"),
		renamed: point("after-rename"),
		done:    point("committed"),
	}
}

var (
	atIgnore   = newSite("gitignore")
	atFormat   = newSite("format")
	atRun      = newSite("run-record")
	atStep     = newSite("step-record")
	atRefs     = newSite("refs")
	atFile     = newSite("run-file")
	atBlob     = newSite("blob")
	atCache    = newSite("cache")
	atComplete = newSite("env-complete")
)

// removal is a place of the code that removes something.
type removal struct{ before, after *failpoint.Point }

func newRemoval(name string) removal {
	return removal{failpoint.New("store/" + name + "/before-remove"), failpoint.New("store/" + name + "/after-remove")}
}

// write fills a temporary file by fill and gives it the name path.
func (s *session) write(at site, path string, mode fs.FileMode, fill func(io.Writer) error) error {
	at.create.Hit()
	f, err := os.CreateTemp(s.tmp, "file-")
	if err != nil {
		return explain("making a temporary file for", path, err)
	}
	temp := f.Name()
	err = func() error {
		defer f.Close()
		if err := fill(f); err != nil {
			return err
		}
		at.written.Hit()
		if err := f.Chmod(mode); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		return f.Close()
	}()
	if err == nil {
		at.synced.Hit()
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return explain("writing", path, err)
	}
	at.renamed.Hit()
	if err := syncDir(filepath.Dir(path)); err != nil {
		return explain("writing", path, err)
	}
	at.done.Hit()
	return nil
}

func (s *session) writeBytes(at site, path string, data []byte) error {
	return s.write(at, path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func (s *session) writeJSON(at site, path string, value any) error {
	data, err := encode(value)
	if err != nil {
		return fault.Usage(fmt.Errorf("encoding %s: %w", filepath.Base(path), err))
	}
	return s.writeBytes(at, path, data)
}

func encode(value any) ([]byte, error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// makeDir makes path and syncs the folder that holds it, if it is new.
func makeDir(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return explain("making the folder", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return explain("making the folder", path, err)
	}
	return nil
}

// syncDir makes renames in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems (network, FUSE) refuse to sync a folder; then the
	// rename is as durable as they make it.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// RemoveAll removes a tree, folders without write permission included: an
// environment is read-only once it is set up.
func RemoveAll(path string) error {
	err := os.RemoveAll(path)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(name, 0o755)
		}
		return err
	})
	return os.RemoveAll(path)
}

// explain names the thing, where, and the way out, and gives the error its
// exit code.
func explain(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	// The path is named once: the reason alone is taken from a PathError.
	reason := err
	var inPath *fs.PathError
	var inLink *os.LinkError
	switch {
	case errors.As(err, &inPath):
		reason = inPath.Err
	case errors.As(err, &inLink):
		reason = inLink.Err
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.DiskFull.Environment(fmt.Errorf("%s %s: %w: free some space there (dosirak gc removes old runs) and run again, with --resume to go on where this run stopped", doing, path, reason))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.NotWritable.Usage(fmt.Errorf("%s %s: %w: this user must be able to write there", doing, path, reason))
	}
	return fault.Environment(fmt.Errorf("%s %s: %w", doing, path, reason))
}
