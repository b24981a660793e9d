package artifact

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Limits are what an archive may have. A limit of 0 allows nothing.
type Limits struct {
	Artifacts int   // of one run
	Archive   int64 // bytes of one archive, compressed
	Entries   int   // files and folders of one archive
	File      int64 // bytes of one file, unpacked
	Total     int64 // bytes of all files of all archives, unpacked
}

const (
	maxName  = 128 // bytes of one part of a path
	maxDepth = 8   // parts of a path
	// maxDirectory bounds what is read before the number of entries is known,
	// the search for the directory's end included.
	maxDirectory = 1 << 20
)

// part is what a folder or file may be called: names that dosirak itself gives.
// It leaves out "..", hidden files, drives, backslashes and controls.
var part = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// Unpack writes the files of an archive of size bytes into the folder into,
// which must not exist, and returns how many bytes they have. Whatever the
// archive says, nothing is written elsewhere, and nothing stays after an error.
// An archive that is refused is a fault.Usage, a disk that fails a
// fault.Environment.
func Unpack(archive io.ReaderAt, size int64, into string, l Limits) (int64, error) {
	bounded := &budget{at: archive, left: maxDirectory}
	z, err := zip.NewReader(bounded, size)
	if bounded.spent {
		return 0, refuse("its directory has more than %d bytes", maxDirectory)
	}
	// ErrInsecurePath comes with a reader; names are checked below.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return 0, refuse("%w", err)
	}
	bounded.free = true
	if err := check(z.File, l); err != nil {
		return 0, err
	}
	if err := os.Mkdir(into, 0o755); err != nil {
		return 0, making(into, err)
	}
	written, err := extract(z.File, into)
	if err != nil {
		return 0, errors.Join(err, os.RemoveAll(into))
	}
	return written, nil
}

// check refuses an archive for what its directory says.
func check(files []*zip.File, l Limits) error {
	if len(files) > l.Entries {
		return refuse("it has %d entries, at most %d are read", len(files), l.Entries)
	}
	total := int64(0)
	taken := map[string]bool{} // path in lower case -> it is a file
	for _, f := range files {
		name, folder := strings.CutSuffix(f.Name, "/")
		if err := checkName(name); err != nil {
			return err
		}
		kind := fs.FileMode(0)
		if folder {
			kind = fs.ModeDir
		}
		switch {
		case f.Mode().Type() != kind:
			return refuse("%q is neither a file nor a folder", f.Name)
		case f.Flags&1 != 0:
			return refuse("%q is encrypted", f.Name)
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return refuse("%q is compressed by method %d, which is neither of those that GitHub's actions use", f.Name, f.Method)
		case folder && f.UncompressedSize64 != 0:
			return refuse("%q is a folder of %d bytes", f.Name, f.UncompressedSize64)
		case f.UncompressedSize64 > uint64(max(l.File, 0)):
			return refuse("%q has %d bytes, at most %d are read", f.Name, f.UncompressedSize64, l.File)
		}
		if total += int64(f.UncompressedSize64); total > l.Total {
			return refuse("its files have more than %d bytes together", l.Total)
		}
		// Some file systems hold "A" and "a" for one name.
		key := strings.ToLower(name)
		if _, twice := taken[key]; twice {
			return refuse("%q is in it twice", f.Name)
		}
		taken[key] = !folder
	}
	for key := range taken {
		for above := path.Dir(key); above != "."; above = path.Dir(above) {
			if taken[above] {
				return refuse("%q is a file and a folder", above)
			}
		}
	}
	return nil
}

func checkName(name string) error {
	parts := strings.Split(name, "/")
	if len(parts) > maxDepth {
		return refuse("%.64q... lies in more than %d folders", name, maxDepth)
	}
	for _, p := range parts {
		if len(p) > maxName || !part.MatchString(p) {
			return refuse("%.200q is no name that a training's file has: letters, digits, '.', '_' and '-', relative to the archive", name)
		}
	}
	return nil
}

// extract writes files, which are checked, below a folder. The operating system
// holds every path to that folder.
func extract(files []*zip.File, into string) (int64, error) {
	root, err := os.OpenRoot(into)
	if err != nil {
		return 0, fault.Environment(fmt.Errorf("unpacking an artifact: %w", err))
	}
	defer root.Close()
	written := int64(0)
	for _, f := range files {
		name, folder := strings.CutSuffix(f.Name, "/")
		above := name
		if !folder {
			above = path.Dir(name)
		}
		if above != "." {
			if err := root.MkdirAll(above, 0o755); err != nil {
				return 0, fault.Environment(fmt.Errorf("unpacking an artifact: %w", err))
			}
		}
		if folder {
			continue
		}
		if err := extractFile(root, name, f); err != nil {
			return 0, err
		}
		written += int64(f.UncompressedSize64)
	}
	return written, nil
}

func extractFile(root *os.Root, name string, f *zip.File) (err error) {
	content, err := f.Open()
	if err != nil {
		return refuse("%q: %w", name, err)
	}
	defer content.Close()
	// What was promised is the limit: the directory may say less than there is.
	source := &reading{r: io.LimitReader(content, int64(f.UncompressedSize64)+1)}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fault.Environment(fmt.Errorf("unpacking an artifact: %w", err))
	}
	n, err := io.Copy(file, source)
	closed := file.Close()
	switch {
	case source.err != nil:
		return refuse("%q: %w", name, source.err)
	case err != nil || closed != nil:
		return fault.Environment(fmt.Errorf("unpacking an artifact: %w", errors.Join(err, closed)))
	case n != int64(f.UncompressedSize64):
		return refuse("%q does not have the %d bytes that are said", name, f.UncompressedSize64)
	}
	return nil
}

// refuse makes the error of an archive that is not as it should be.
func refuse(format string, args ...any) error {
	return fault.ArtifactRefused.Usage(fmt.Errorf("unpacking an artifact: %w", fmt.Errorf(format, args...)))
}

// reading remembers an error of reading, to tell it from one of writing.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// budget bounds the bytes that are read until it is free.
type budget struct {
	at          io.ReaderAt
	left        int64
	spent, free bool
}

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if !b.free {
		if b.left -= int64(len(p)); b.left < 0 {
			b.spent = true
			return 0, errors.New("the directory is too large")
		}
	}
	return b.at.ReadAt(p, off)
}
