package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Source is where runs leave their artifacts.
type Source interface {
	Artifacts(ctx context.Context, run int64) ([]Artifact, error)
	// Download writes at most limit bytes of an artifact's archive to w.
	Download(ctx context.Context, a Artifact, w io.Writer, limit int64) error
}

// Fetch gives the folder out, which must not exist, one folder for each
// training that a run left of a model, and returns their names. After an error
// there is no such folder.
func Fetch(ctx context.Context, s Source, run Run, model, out string, l Limits) ([]string, error) {
	listed, err := s.Artifacts(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	chosen, err := Select(listed, run, model, l)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		return nil, making(out, err)
	}
	var names []string
	for _, a := range chosen {
		written, err := fetch(ctx, s, a, filepath.Join(out, a.Name), l)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(out))
		}
		l.Total -= written
		names = append(names, a.Name)
	}
	return names, nil
}

// fetch downloads one archive beside nothing of the project's, and unpacks it.
func fetch(ctx context.Context, s Source, a Artifact, into string, l Limits) (written int64, err error) {
	archive, err := os.CreateTemp("", "dosirak-artifact-*.zip")
	if err != nil {
		return 0, fault.Environment(fmt.Errorf("downloading an artifact: %w", err))
	}
	defer func() {
		closed := errors.Join(archive.Close(), os.Remove(archive.Name()))
		if err == nil && closed != nil {
			err = fault.Environment(fmt.Errorf("downloading an artifact: %w", closed))
		}
	}()
	if err := s.Download(ctx, a, archive, l.Archive); err != nil {
		return 0, err
	}
	size, err := archive.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fault.Environment(fmt.Errorf("downloading an artifact: %w", err))
	}
	written, err = Unpack(archive, size, into, l)
	if err != nil {
		return 0, fmt.Errorf("%s of run %d: %w", a.Name, a.Run.ID, err)
	}
	return written, nil
}

// making is the error of a folder that could not be made.
func making(folder string, err error) error {
	if errors.Is(err, os.ErrExist) {
		return fault.ArtifactRefused.Usage(fmt.Errorf("unpacking an artifact: the folder %q is there already: name one that is not, so that nothing of an earlier run is taken for this one's", folder))
	}
	return fault.Environment(fmt.Errorf("unpacking an artifact: %w", err))
}
