package dataset

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Limits of one table. They bound what a file of a few megabytes can make of
// itself in memory: at most MaxBytes of text and four bytes a cell.
const (
	MaxBytes   = 2 << 30 // of text, after decompression
	MaxCells   = 1 << 28
	MaxColumns = 20_000
)

type limits struct {
	bytes   int64
	cells   int
	columns int
}

var defaultLimits = limits{bytes: MaxBytes, cells: MaxCells, columns: MaxColumns}

// formats lists what can be read, by the end of the file's name. A new format
// is one file with its function and one line here.
var formats = []struct {
	suffix string
	read   func(r io.Reader, b *builder) error
}{
	{".csv", readCSV},
}

// Readable reports whether the name is that of a table that Read knows.
func Readable(name string) bool {
	plain := strings.TrimSuffix(name, ".gz")
	for _, f := range formats {
		if strings.HasSuffix(plain, f.suffix) {
			return true
		}
	}
	return false
}

// Read reads the table at path: .csv or .csv.gz. Errors name file and line and
// are of kind fault.Usage, or fault.Environment where reading itself failed.
func Read(path string) (*Table, error) { return read(path, defaultLimits) }

func read(path string, limits limits) (*Table, error) {
	plain, compressed := strings.CutSuffix(path, ".gz")
	var fill func(io.Reader, *builder) error
	for _, f := range formats {
		if strings.HasSuffix(plain, f.suffix) {
			fill = f.read
		}
	}
	if fill == nil {
		return nil, fault.Usage(fmt.Errorf("reading %s: the name must end in .csv or .csv.gz", path))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, opening(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Usage(fmt.Errorf("reading %s: it is no regular file", path))
	}

	sum := sha256.New()
	raw := io.TeeReader(bufio.NewReaderSize(file, 1<<20), sum)
	b := &builder{name: path, limits: limits}
	var text io.Reader = raw
	if compressed {
		unpacked, err := gzip.NewReader(raw)
		if err != nil {
			return nil, damaged(path, err)
		}
		text = unpacked
		b.size = min(unpackedSize(file, info.Size()), limits.bytes)
	} else {
		b.size = min(info.Size(), limits.bytes)
	}
	b.text.Grow(int(b.size) + 1)
	bounded := &boundedReader{r: text, left: limits.bytes}
	err = fill(bounded, b)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, fault.Usage(fmt.Errorf("reading %s: it holds more than %d MiB of text, more than is read; split the file or drop columns", path, limits.bytes>>20))
	case errors.As(err, new(readError)):
		return nil, damaged(path, err)
	case err != nil:
		return nil, err
	}
	// What a format did not need to look at belongs to the digest all the same.
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return nil, damaged(path, err)
	}
	return b.table("sha256:" + hex.EncodeToString(sum.Sum(nil))), nil
}

// unpackedSize returns what the end of a gzip file says about the size of its
// content (RFC 1952, ISIZE: modulo 2^32, of the last member only). It is a
// hint, and held to what deflate can do at best: 1032 to 1.
func unpackedSize(file io.ReaderAt, size int64) int64 {
	var end [4]byte
	if _, err := file.ReadAt(end[:], max(0, size-4)); err != nil {
		return 0
	}
	return min(int64(binary.LittleEndian.Uint32(end[:])), 1032*size)
}

func opening(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Usage(fmt.Errorf("reading %s: there is no such file", path))
	case errors.Is(err, fs.ErrPermission):
		return fault.Usage(fmt.Errorf("reading %s: you may not read it; change its permissions", path))
	}
	return fault.Environment(fmt.Errorf("reading %s: %w", path, err))
}

// damaged tells a file that is broken from a disk that is.
func damaged(path string, err error) error {
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Usage(fmt.Errorf("reading %s: it is no whole gzip file (%v); fetch or write it again", path, cause(err)))
	case errors.As(err, new(flate.CorruptInputError)):
		return fault.Usage(fmt.Errorf("reading %s: its gzip data are damaged (%v); fetch or write it again", path, cause(err)))
	}
	return fault.Environment(fmt.Errorf("reading %s: %w", path, cause(err)))
}

// readError marks an error of reading, as opposed to one of the content.
type readError struct{ err error }

func (e readError) Error() string { return e.err.Error() }
func (e readError) Unwrap() error { return e.err }

func cause(err error) error {
	var r readError
	if errors.As(err, &r) {
		return r.err
	}
	return err
}

var errTooLarge = errors.New("too large")

// boundedReader fails once more than left bytes have come out of it: a few
// kilobytes of gzip can hold a terabyte.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, errTooLarge
	}
	if err != nil && err != io.EOF {
		err = readError{err}
	}
	return n, err
}
