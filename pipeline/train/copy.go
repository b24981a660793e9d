package train

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// copyTree copies entries from where place says to the folder to, which exists. Plain
// copies: a hard link would let a trainer change the original. os.File's
// ReadFrom asks the kernel to copy (copy_file_range), which shares blocks where
// the file system can.
func copyTree(ctx context.Context, place func(entry) string, to string, entries []entry) error {
	made := map[string]bool{}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(e.path))
		if dir := filepath.Dir(target); !made[dir] {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return copyError(e.path, err)
			}
			made[dir] = true
		}
		var err error
		if e.mode&fs.ModeSymlink != 0 {
			err = os.Symlink(e.link, target)
		} else {
			err = copyFile(place(e), target, e.mode)
		}
		if err != nil {
			return copyError(e.path, err)
		}
	}
	return nil
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode|0o200)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(mode) // past the umask
	}
	return errors.Join(err, out.Close())
}

func copyError(name string, err error) error {
	err = fmt.Errorf("copying %s into a working copy: %w", name, err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.DiskFull.Environment(fmt.Errorf("%w: free some space (dosirak gc removes old runs), or run fewer replicates at once (train.parallel)", err))
	case errors.Is(err, fs.ErrNotExist):
		return fault.WorkingCopy.Environment(fmt.Errorf("%w: the project changed while it was copied; run again", err))
	case errors.Is(err, fs.ErrPermission):
		return fault.WorkingCopy.Usage(err)
	}
	return fault.Environment(err)
}

// digestFile is "sha256:..." of a file's content.
func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return digest.Sum(hash), nil
}
