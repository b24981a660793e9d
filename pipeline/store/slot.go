package store

import (
	"context"
	"errors"
	"os"
	"strconv"
)

// Slot is a folder for a working copy. Its path is one of few, and the same
// from run to run: compilers that name files by path find their caches again,
// and a model that wrongly holds a path does not differ for that reason only.
type Slot struct {
	Dir  string // absolute, empty when acquired
	lock *heldLock
}

// Slot returns a free slot. before is called with the folder when a leftover
// of a dead process is about to be removed, and may be nil.
func (s *Store) Slot(ctx context.Context, before func(dir string)) (*Slot, error) {
	if _, err := s.begin(ctx); err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir := s.path("slots", strconv.Itoa(n))
		held, err := lock(dir+".lock", true)
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return nil, explain("locking", dir, err)
		}
		if _, err := os.Lstat(dir); err == nil && before != nil {
			before(dir)
		}
		if err = RemoveAll(dir); err == nil {
			err = os.Mkdir(dir, 0o755)
		}
		if err != nil {
			held.Close()
			return nil, explain("making the folder", dir, err)
		}
		return &Slot{Dir: dir, lock: held}, nil
	}
}

// Release empties the slot and gives it back.
func (s *Slot) Release() error {
	err := RemoveAll(s.Dir)
	s.lock.Close()
	if err != nil {
		return explain("removing", s.Dir, err)
	}
	return nil
}
