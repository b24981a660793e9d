package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const (
	lockSchema = "dosirak/lock/v1"
	maxLock    = 1 << 20
)

// Lock names the data of a commit.
type Lock struct {
	Schema string `json:"schema"`
	Data   []File `json:"data"` // sorted by path
}

// File is a file that was fetched.
type File struct {
	Path   string `json:"path"` // relative to the project, with slashes
	Digest string `json:"sha256"`
	Size   int64  `json:"size"` // bytes
}

// of returns the entry of a path.
func (l *Lock) of(name string) (File, bool) {
	if l == nil {
		return File{}, false
	}
	i := slices.IndexFunc(l.Data, func(f File) bool { return f.Path == name })
	if i < 0 {
		return File{}, false
	}
	return l.Data[i], true
}

// Text is the lock's file.
func (l Lock) Text() []byte {
	l.Schema = lockSchema
	l.Data = slices.Clone(l.Data)
	slices.SortFunc(l.Data, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("encoding strings and numbers: %v", err))
	}
	return append(text, '\n')
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseLock reads a lock strictly.
func ParseLock(text []byte) (Lock, error) {
	var l Lock
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return Lock{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Lock{}, errors.New("something follows the object")
	}
	if l.Schema != lockSchema {
		return Lock{}, fmt.Errorf("its schema is %q, this release knows %q", l.Schema, lockSchema)
	}
	seen := map[string]bool{}
	for _, f := range l.Data {
		switch {
		case f.Path == "" || f.Path != path.Clean(f.Path) || !filepath.IsLocal(filepath.FromSlash(f.Path)) || strings.Contains(f.Path, `\`):
			return Lock{}, fmt.Errorf("%q is no path of a file in the project", f.Path)
		case seen[f.Path]:
			return Lock{}, fmt.Errorf("%s stands there twice", f.Path)
		case !hexadecimal.MatchString(f.Digest):
			return Lock{}, fmt.Errorf("%s: %q is no SHA-256 of 64 hexadecimal digits", f.Path, f.Digest)
		case f.Size < 0:
			return Lock{}, fmt.Errorf("%s has %d bytes", f.Path, f.Size)
		}
		seen[f.Path] = true
	}
	return l, nil
}

// readLock reads the project's lock; nil where there is none.
func readLock(dir string) (*Lock, error) {
	file := filepath.Join(dir, config.LockFile)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	broken := func(err error) error {
		return fault.DataLockInvalid.Usage(fmt.Errorf("reading %s: %w: restore it from Git, or write it anew with `dosirak fetch --update`", config.LockFile, err))
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxLock) {
		return nil, broken(fmt.Errorf("it is no file of at most %d bytes", maxLock))
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading %s: %w", config.LockFile, err))
	}
	l, err := ParseLock(text)
	if err != nil {
		return nil, broken(err)
	}
	return &l, nil
}
