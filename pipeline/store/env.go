package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/store/failpoint"
)

const completeFile = ".complete"

var (
	atEnvBefore = failpoint.New("store/env-folder/before-make")
	atEnvAfter  = failpoint.New("store/env-folder/after-make")
	atEnvBuilt  = failpoint.New("store/env-folder/built")
)

// Env returns the folder env/<digest>, built by build if it is not there yet.
// The folder is built where it stays, since environments such as Python's venv
// hold their own path (https://docs.python.org/3/library/venv.html: "not
// movable or copyable"), so a marker says that it is complete. Of two
// processes that want the same folder one builds, the other waits. A build
// that fails leaves nothing.
func (s *Store) Env(ctx context.Context, digest string, build func(dir string) error) (dir string, reused bool, err error) {
	session, err := s.begin(ctx)
	if err != nil {
		return "", false, err
	}
	hexadecimal, err := hexOf(digest)
	if err != nil {
		return "", false, err
	}
	dir = s.path("env", hexadecimal)
	complete := filepath.Join(dir, completeFile)
	if _, err := os.Stat(complete); err == nil {
		return dir, true, nil
	}
	building, err := await(ctx, dir+".lock", true)
	if err != nil {
		return "", false, s.lockError(ctx, filepath.Join("env", hexadecimal+".lock"), err)
	}
	defer building.Close()
	if _, err := os.Stat(complete); err == nil {
		return dir, true, nil
	}
	if err := RemoveAll(dir); err != nil {
		return "", false, explain("removing", dir, err)
	}
	atEnvBefore.Hit()
	if err := makeDir(dir); err != nil {
		return "", false, err
	}
	atEnvAfter.Hit()
	if err := build(dir); err != nil {
		if removing := RemoveAll(dir); removing != nil {
			err = errors.Join(err, explain("removing", dir, removing))
		}
		return "", false, err
	}
	atEnvBuilt.Hit()
	if err := session.writeBytes(atComplete, complete, nil); err != nil {
		return "", false, errors.Join(err, RemoveAll(dir))
	}
	return dir, false, nil
}
