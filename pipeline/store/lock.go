//go:build unix

package store

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked by another process")

// heldLock is a lock that this process holds.
type heldLock struct{ file *os.File }

// Close releases the lock, explicitly: a child that is just being forked holds
// a copy of the file until it runs its program, and a lock ends by itself only
// with the last copy.
func (l *heldLock) Close() {
	_ = unix.Flock(int(l.file.Fd()), unix.LOCK_UN)
	l.file.Close()
}

// lock opens path, which is made when missing, and locks it without waiting;
// errLocked when another holds it. Closing the file releases the lock, as the
// end of the process does. Children do not inherit it: Go opens files with
// O_CLOEXEC.
func lock(path string, exclusive bool) (*heldLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		if err == unix.EWOULDBLOCK {
			return nil, errLocked
		}
		return nil, err
	}
	return &heldLock{f}, nil
}

// await is lock, but waits until the lock is free or ctx ends. It polls, so
// that Ctrl-C is never stuck in a system call.
func await(ctx context.Context, path string, exclusive bool) (*heldLock, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		f, err := lock(path, exclusive)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// held reports whether another process holds the lock at path. It looks with a
// shared lock, which disturbs nobody but a process that takes the same lock in
// this very instant; those wait with await.
func held(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	f, err := lock(path, false)
	if err != nil {
		return errors.Is(err, errLocked)
	}
	f.Close()
	return false
}
