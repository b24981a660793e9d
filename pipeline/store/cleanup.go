package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	atTmpGone  = newRemoval("stale-tmp")
	atEnvGone  = newRemoval("half-env")
	atSlotGone = newRemoval("stale-slot")
)

// cleanup removes what dead processes left. It runs alone (cleanup.lock).
func (s *Store) cleanup(own *session) error {
	for _, step := range []func(*session) error{s.cleanTmp, s.cleanRuns, s.cleanEnv, s.cleanSlots} {
		if err := step(own); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) cleanTmp(own *session) error {
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return explain("reading", s.path("tmp"), err)
	}
	for _, entry := range entries {
		dir := s.path("tmp", strings.TrimSuffix(entry.Name(), ".lock"))
		if dir == own.tmp {
			continue
		}
		err := s.remove(atTmpGone, dir, true)
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes dir if nobody holds dir.lock; the lock's file too if asked.
func (s *Store) remove(at removal, dir string, lockToo bool) error {
	held, err := lock(dir+".lock", true)
	if errors.Is(err, errLocked) {
		return nil
	}
	if err != nil {
		return explain("locking", dir, err)
	}
	defer held.Close()
	at.before.Hit()
	if err := RemoveAll(dir); err != nil {
		return explain("removing", dir, err)
	}
	if lockToo {
		if err := os.Remove(dir + ".lock"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain("removing", dir+".lock", err)
		}
	}
	at.after.Hit()
	return nil
}

// cleanRuns marks runs whose process died.
func (s *Store) cleanRuns(own *session) error {
	ids, err := s.ids()
	if err != nil {
		return err
	}
	for _, id := range ids {
		record, err := s.readRecord(id)
		if err != nil || record.Status != Running {
			continue // an unreadable record is for a person to look at
		}
		held, err := lock(s.path("runs", id, "lock"), true)
		if errors.Is(err, errLocked) {
			continue
		}
		if err != nil {
			return explain("locking", s.path("runs", id), err)
		}
		err = s.markInterrupted(own, id)
		held.Close()
		if err != nil {
			return err
		}
		s.log(fmt.Sprintf("run %s was interrupted; --resume %s goes on where it stopped", id, id))
	}
	return nil
}

func (s *Store) markInterrupted(own *session, id string) error {
	// Read again under the lock: it may have ended in between.
	record, err := s.readRecord(id)
	if err != nil || record.Status != Running {
		return err
	}
	steps, err := s.steps(id)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if step.Status == Running {
			step.Status = Interrupted
			if err := own.writeJSON(atStep, s.path("runs", id, "steps", step.Name+".json"), step); err != nil {
				return err
			}
		}
	}
	// The run last: while it says running, the next process tries again.
	record.Status, record.Error = Interrupted, "the process ended before the run did"
	return own.writeJSON(atRun, s.path("runs", id, "run.json"), record)
}

// cleanEnv removes environments that were never completed.
func (s *Store) cleanEnv(*session) error {
	entries, err := os.ReadDir(s.path("env"))
	if err != nil {
		return explain("reading", s.path("env"), err)
	}
	for _, entry := range entries {
		dir := s.path("env", entry.Name())
		if !entry.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, completeFile)); err == nil {
			continue
		}
		if err := s.remove(atEnvGone, dir, false); err != nil {
			return err
		}
	}
	return nil
}

// cleanSlots removes working copies that nobody works in. Processes that may
// still run there are the business of who acquires the slot; here only the
// folder of a slot goes whose owner is dead.
func (s *Store) cleanSlots(*session) error {
	entries, err := os.ReadDir(s.path("slots"))
	if err != nil {
		return explain("reading", s.path("slots"), err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := s.remove(atSlotGone, s.path("slots", entry.Name()), false); err != nil {
				return err
			}
		}
	}
	return nil
}
