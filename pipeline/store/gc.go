package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store/failpoint"
)

// GCOptions say what gc keeps.
type GCOptions struct {
	Keep int      // the newest runs
	Runs []string // and these, by exact id
	Plan bool     // say what would go, remove nothing
}

// GCResult says what went.
type GCResult struct {
	Runs  []string `json:"runs"`  // ids, oldest first
	Blobs int      `json:"blobs"` // number of files
	Cache int      `json:"cache"` // number of entries
	Envs  int      `json:"envs"`  // number of folders
	Bytes int64    `json:"bytes"` // of all of it
	Plan  bool     `json:"plan"`
}

var (
	atRunGone   = newRemoval("gc-run")
	atCacheGone = newRemoval("gc-cache")
	atBlobGone  = newRemoval("gc-blob")
	atEnvFreed  = newRemoval("gc-env")
	atMoved     = failpoint.New("store/gc-run/moved-away")
)

// GC removes old runs, then what no remaining run needs: cache entries, blobs,
// environments. It needs the store for itself: while a run is going on it
// removes nothing and says so. Killed at any point it leaves nothing named
// that is not there: what names goes before what is named.
func (s *Store) GC(ctx context.Context, o GCOptions) (GCResult, error) {
	result := GCResult{Runs: []string{}, Plan: o.Plan}
	if o.Keep < 0 {
		return result, fault.BadValue.Usage(fmt.Errorf("removing old runs: cannot keep %d runs", o.Keep))
	}
	if _, err := os.Stat(s.root); errors.Is(err, fs.ErrNotExist) {
		return result, nil
	}
	// A session of its own cleans up first; then the shared lock is given
	// back, for the exclusive one is asked for.
	session, err := s.begin(ctx)
	if err != nil {
		return result, err
	}
	session.gc.Close()
	session.gc = nil
	defer s.Close()
	alone, err := lock(s.path("lock"), true)
	if errors.Is(err, errLocked) {
		return result, fault.StoreBusy.Environment(fmt.Errorf("removing old runs from %s: a run is going on; try again when it has ended", s.root))
	}
	if err != nil {
		return result, explain("locking", s.path("lock"), err)
	}
	defer alone.Close()

	runs, err := s.List()
	if err != nil {
		return result, err
	}
	keep := refs{}
	for i, run := range slices.Backward(runs) {
		if i < o.Keep || slices.Contains(o.Runs, run.ID) {
			var needed refs
			err := s.readJSON(filepath.Join(run.Dir, "refs.json"), &needed)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				// What it needs is not known, so nothing may go.
				return result, fmt.Errorf("removing old runs: %w", err)
			}
			keep.Blobs = append(keep.Blobs, needed.Blobs...)
			keep.Cache = append(keep.Cache, needed.Cache...)
			keep.Env = append(keep.Env, needed.Env...)
			continue
		}
		if err := ctx.Err(); err != nil {
			return result, err
		}
		result.Runs = append(result.Runs, run.ID)
		result.Bytes += sizeOf(run.Dir)
		if o.Plan {
			continue
		}
		atRunGone.before.Hit()
		// A folder that is half removed must not look like a run.
		away := filepath.Join(session.tmp, run.ID)
		if err := os.Rename(run.Dir, away); err != nil {
			return result, explain("removing", run.Dir, err)
		}
		atMoved.Hit()
		if err := RemoveAll(away); err != nil {
			return result, explain("removing", run.Dir, err)
		}
		atRunGone.after.Hit()
	}
	err = s.sweep(ctx, o, keep, &result)
	return result, err
}

func (s *Store) sweep(ctx context.Context, o GCOptions, keep refs, result *GCResult) error {
	blobs := map[string]bool{}
	for _, digest := range keep.Blobs {
		blobs[strings.TrimPrefix(digest, digestPrefix)] = true
	}
	err := eachFile(s.path("cache"), func(path string, size int64) error {
		kind := filepath.Base(filepath.Dir(path))
		key := strings.TrimSuffix(filepath.Base(path), ".json")
		if slices.Contains(keep.Cache, kind+"/"+key) {
			if entry, err := s.readCache(path); err == nil {
				for _, digest := range entry.Blobs {
					blobs[strings.TrimPrefix(digest, digestPrefix)] = true
				}
				return nil
			}
		}
		result.Cache++
		return s.free(ctx, atCacheGone, path, size, o, result)
	})
	if err != nil {
		return err
	}
	err = eachFile(s.path("blobs"), func(path string, size int64) error {
		if blobs[filepath.Base(path)] {
			return nil
		}
		result.Blobs++
		return s.free(ctx, atBlobGone, path, size, o, result)
	})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(s.path("env"))
	if err != nil {
		return explain("reading", s.path("env"), err)
	}
	for _, entry := range entries {
		dir := s.path("env", entry.Name())
		if !entry.IsDir() || slices.Contains(keep.Env, digestPrefix+entry.Name()) {
			continue
		}
		result.Envs++
		size := sizeOf(dir)
		if !o.Plan {
			// Without the marker it is nothing, should this process die now.
			if err := os.Remove(filepath.Join(dir, completeFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return explain("removing", dir, err)
			}
		}
		if err := s.free(ctx, atEnvFreed, dir, size, o, result); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) free(ctx context.Context, at removal, path string, size int64, o GCOptions, result *GCResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result.Bytes += size
	if o.Plan {
		return nil
	}
	at.before.Hit()
	if err := RemoveAll(path); err != nil {
		return explain("removing", path, err)
	}
	at.after.Hit()
	return nil
}

// eachFile calls visit for the files of the folders in dir, sorted.
func eachFile(dir string, visit func(path string, size int64) error) error {
	folders, err := os.ReadDir(dir)
	if err != nil {
		return explain("reading", dir, err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, folder.Name()))
		if err != nil {
			return explain("reading", filepath.Join(dir, folder.Name()), err)
		}
		for _, file := range files {
			info, err := file.Info()
			if err != nil {
				return explain("reading", filepath.Join(dir, folder.Name(), file.Name()), err)
			}
			if err := visit(filepath.Join(dir, folder.Name(), file.Name()), info.Size()); err != nil {
				return err
			}
		}
	}
	return nil
}

// sizeOf adds up the bytes of the files below dir, as far as they can be seen.
func sizeOf(dir string) int64 {
	var bytes int64
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}
