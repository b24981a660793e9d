package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const (
	// Folder is the name of the store's folder in a project.
	Folder = ".dosirak"
	// Schema names the format of the folder.
	Schema = "dosirak/store/v1"
)

// Options are what a store takes from outside.
type Options struct {
	Now func() time.Time // the clock of the records; required to write
	Log func(string)     // gets a line for each leftover that was cleaned up; may be nil
}

// Store is the .dosirak folder of one project. Reading creates nothing and
// takes no lock. The first write starts a session: leftovers of dead processes
// are cleaned up, and gc keeps out until Close. Safe for concurrent use.
type Store struct {
	root string
	now  func() time.Time
	log  func(string)

	mu      sync.Mutex
	session *session
}

// session is what a writing process holds.
type session struct {
	tmp     string    // folder of this process below tmp/
	gc      *heldLock // shared lock that keeps gc out
	tmpLock *heldLock
}

// Open opens the store of the project in projectDir. The folder need not exist
// yet.
func Open(projectDir string, o Options) (*Store, error) {
	abs, err := filepath.Abs(projectDir)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("opening the store: %w", err))
	}
	s := &Store{root: filepath.Join(abs, Folder), now: o.Now, log: o.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = func(string) {}
	}
	info, err := os.Stat(s.root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, explain("opening the store", s.root, err)
	case !info.IsDir():
		return nil, fault.StoreDamaged.Usage(fmt.Errorf("opening the store: %s is a file, not a folder: move it away", s.root))
	}
	data, err := os.ReadFile(s.path("store.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // the process that made the folder died before it could say so
	}
	if err != nil {
		return nil, explain("opening the store", s.root, err)
	}
	var format struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &format); err != nil || format.Schema != Schema {
		return nil, fault.StoreDamaged.Usage(fmt.Errorf("opening the store: %s says schema %q, this release knows %q: use the release that wrote it, or move the folder away", s.path("store.json"), format.Schema, Schema))
	}
	return s, nil
}

// Root is the absolute path of the .dosirak folder.
func (s *Store) Root() string { return s.root }

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

// begin returns the session, starting it at the first call.
func (s *Store) begin(ctx context.Context) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return s.session, nil
	}
	for _, folder := range []string{"", "runs", "blobs", "cache", "env", "tmp", "slots"} {
		if err := makeDir(s.path(folder)); err != nil {
			return nil, err
		}
	}
	gc, err := await(ctx, s.path("lock"), false)
	if err != nil {
		return nil, s.lockError(ctx, "lock", err)
	}
	session := &session{gc: gc}
	if err := s.start(ctx, session); err != nil {
		session.close()
		return nil, err
	}
	s.session = session
	return session, nil
}

// start gives the session its folder and cleans up, alone: between the making
// of a folder and the locking of it nobody may take it for a leftover.
func (s *Store) start(ctx context.Context, session *session) error {
	alone, err := await(ctx, s.path("cleanup.lock"), true)
	if err != nil {
		return s.lockError(ctx, "cleanup.lock", err)
	}
	defer alone.Close()
	name := "p-" + random(8)
	session.tmp = s.path("tmp", name)
	if session.tmpLock, err = lock(session.tmp+".lock", true); err != nil {
		return s.lockError(ctx, filepath.Join("tmp", name+".lock"), err)
	}
	if err := os.Mkdir(session.tmp, 0o755); err != nil {
		return explain("making the folder", session.tmp, err)
	}
	if _, err := os.Stat(s.path(".gitignore")); err != nil {
		if err := session.writeBytes(atIgnore, s.path(".gitignore"), []byte("*\n")); err != nil {
			return err
		}
	}
	if _, err := os.Stat(s.path("store.json")); err != nil {
		if err := session.writeJSON(atFormat, s.path("store.json"), map[string]string{"schema": Schema}); err != nil {
			return err
		}
	}
	return s.cleanup(session)
}

func (s *Store) lockError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return explain("locking", s.path(name), err)
}

// Close ends the session: temporary files go, gc may come. What was stored
// stays. A closed store may be used again.
func (s *Store) Close() error {
	s.mu.Lock()
	session := s.session
	s.session = nil
	s.mu.Unlock()
	if session == nil {
		return nil
	}
	return session.close()
}

func (s *session) close() error {
	var err error
	if s.tmpLock != nil {
		// The folder before its lock: a folder that is still there without a
		// held lock is a leftover that anybody may remove.
		err = RemoveAll(s.tmp)
		os.Remove(s.tmp + ".lock")
		s.tmpLock.Close()
	}
	if s.gc != nil {
		s.gc.Close()
	}
	if err != nil {
		return explain("removing", s.tmp, err)
	}
	return nil
}

// TempDir makes a folder that lives until Close, or until the next run cleans
// up should this process die.
func (s *Store) TempDir(ctx context.Context, name string) (string, error) {
	session, err := s.begin(ctx)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(session.tmp, name+"-")
	if err != nil {
		return "", explain("making a folder in", session.tmp, err)
	}
	return dir, nil
}

// random is n random bytes in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b)
}
