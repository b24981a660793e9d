package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// ErrCorrupt says that a blob's content is not what its name says.
var ErrCorrupt = errors.New("content does not match its digest")

// File is a file of a stored folder.
type File struct {
	Path   string `json:"path"` // relative, with slashes
	Size   int64  `json:"size"` // bytes
	Digest string `json:"digest"`
}

const digestPrefix = "sha256:"

// hexOf returns the hexadecimal part of a digest, or an error that keeps a
// digest out of a path that it could escape by.
func hexOf(digest string) (string, error) {
	text, ok := strings.CutPrefix(digest, digestPrefix)
	if raw, err := hex.DecodeString(text); !ok || err != nil || len(raw) != sha256.Size || strings.ToLower(text) != text {
		return "", fault.Usage(fmt.Errorf("%q is not a digest such as sha256:<64 hexadecimal digits>", digest))
	}
	return text, nil
}

func (s *Store) blobPath(hexadecimal string) string {
	return s.path("blobs", hexadecimal[:2], hexadecimal)
}

// PutBlob stores what r gives and returns its digest ("sha256:...") and size
// in bytes. Storing the same content again replaces the file by an equal one,
// which also heals a damaged one. The blob is safe from gc until Close; by
// then a run or a cache entry must name it.
func (s *Store) PutBlob(ctx context.Context, r io.Reader) (digest string, size int64, err error) {
	session, err := s.begin(ctx)
	if err != nil {
		return "", 0, err
	}
	// The name is known only when all is read, so the content goes to a
	// temporary file first, and is renamed from there by hand.
	atBlob.create.Hit()
	f, err := os.CreateTemp(session.tmp, "blob-")
	if err != nil {
		return "", 0, explain("making a temporary file in", session.tmp, err)
	}
	temp := f.Name()
	defer os.Remove(temp)
	defer f.Close()
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, hash), &contextReader{ctx, r})
	if err != nil {
		return "", 0, explain("storing a blob in", s.path("blobs"), err)
	}
	atBlob.written.Hit()
	hexadecimal := hex.EncodeToString(hash.Sum(nil))
	path := s.blobPath(hexadecimal)
	if err := f.Chmod(0o444); err != nil {
		return "", 0, explain("storing a blob in", path, err)
	}
	if err := f.Sync(); err != nil {
		return "", 0, explain("storing a blob in", path, err)
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return "", 0, err
	}
	atBlob.synced.Hit()
	if err := os.Rename(temp, path); err != nil {
		return "", 0, explain("storing a blob in", path, err)
	}
	atBlob.renamed.Hit()
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", 0, explain("storing a blob in", path, err)
	}
	atBlob.done.Hit()
	return digestPrefix + hexadecimal, size, nil
}

// PutFile stores the file at path as a blob.
func (s *Store) PutFile(ctx context.Context, path string) (digest string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, explain("storing", path, err)
	}
	defer f.Close()
	return s.PutBlob(ctx, f)
}

// PutTree stores every file below dir, sorted by path. Anything but files and
// folders is refused: a link or a pipe has no content to keep.
func (s *Store) PutTree(ctx context.Context, dir string) ([]File, error) {
	files := []File{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return explain("reading", name, err)
		}
		if entry.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return explain("reading", name, err)
		}
		if !entry.Type().IsRegular() {
			return fault.Failed(fmt.Errorf("%s is neither a file nor a folder (%s): write plain files", name, entry.Type()))
		}
		digest, size, err := s.PutFile(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, File{Path: filepath.ToSlash(rel), Size: size, Digest: digest})
		return nil
	})
	return files, err
}

// GetTree writes stored files below dir, verifying each.
func (s *Store) GetTree(ctx context.Context, files []File, dir string) error {
	if err := makeDir(dir); err != nil {
		return err
	}
	for _, file := range files {
		if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
			return fault.Usage(fmt.Errorf("a stored file is named %q, which leads out of its folder", file.Path))
		}
		if err := s.CopyBlob(ctx, file.Digest, filepath.Join(dir, filepath.FromSlash(file.Path))); err != nil {
			return fmt.Errorf("getting %s: %w", file.Path, err)
		}
	}
	return nil
}

// CopyBlob writes a blob to the file path, which must not exist, and verifies
// it on the way. Nothing is left at path when the content is wrong.
func (s *Store) CopyBlob(ctx context.Context, digest, path string) (err error) {
	hexadecimal, err := hexOf(digest)
	if err != nil {
		return err
	}
	from, err := os.Open(s.blobPath(hexadecimal))
	if err != nil {
		return explain("reading the blob", s.blobPath(hexadecimal), err)
	}
	defer from.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return explain("making the folder of", path, err)
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return explain("writing", path, err)
	}
	defer func() {
		if closing := to.Close(); err == nil && closing != nil {
			err = explain("writing", path, closing)
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, hash), &contextReader{ctx, from}); err != nil {
		return explain("writing", path, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != hexadecimal {
		return corrupt(s.blobPath(hexadecimal))
	}
	return nil
}

func corrupt(path string) error {
	return fault.StoreDamaged.Environment(fmt.Errorf("reading the blob %s: %w: remove the file; what it held is made anew", path, ErrCorrupt))
}

// contextReader ends a long copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
