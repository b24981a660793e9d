package table

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Limits of one table. They bound what a file of a few megabytes can make of
// itself in memory.
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

// Options say how a table is written.
type Options struct {
	// Separator of a text table: one character, or "tab". Empty: it is found.
	Separator string

	// Usual takes the usual separator of the format where the file has two
	// readings, instead of refusing it.
	Usual bool

	limits *limits // nil: the default ones; for tests
}

func (o Options) bounds() limits {
	if o.limits != nil {
		return *o.limits
	}
	return defaultLimits
}

// Header is what a table has for columns.
type Header struct {
	Names []string // "" for a column without a name
	Line  int      // of a text format
	// Nested are the columns of Parquet that are no column of a table, by name:
	// "a list", "a struct".
	Nested map[string]string
	// Rows and Bytes are a hint of what is to come; 0 where it is not known.
	Rows, Bytes int64
	// Float32 are the columns of Parquet whose numbers are float32 (or less).
	Float32 []bool
}

// Sink takes in a table: its header, then either its records in order, or its
// values column by column. An error ends the reading and is returned as it is.
type Sink interface {
	// Header says which columns are wanted; nil means all. A text format hands
	// over all of them in any case.
	Header(h Header) (wanted []bool, err error)
	// Record takes one row of a text format.
	Record(r *Record) error
	// Values takes the next values of a column of Parquet, valid until it returns.
	Values(column int, v Values) error
}

// Info is what reading a file has shown beside its content.
type Info struct {
	Digest string // "sha256:" and the digest of the file's bytes as they lie on disk
	Lines  Lines
	Text   bool // rows stand on lines; otherwise they have numbers only
}

// Place names one row: "name:line", or "name: row n" where there are no
// lines.
func (i *Info) Place(name string, row int) string {
	if i.Text {
		return name + ":" + strconv.Itoa(i.Lines.Line(row))
	}
	return name + ": row " + strconv.Itoa(row+1)
}

// Readable reports whether the name is that of a table that Read knows.
func Readable(name string) bool {
	_, _, ok := layoutOf(name)
	return ok
}

// Names lists the ends of names that Readable accepts, for messages.
const Names = ".csv, .tsv (both also .gz) or .parquet"

type layout int

const (
	commaText layout = iota
	tabText
	parquetFile
)

func layoutOf(name string) (f layout, packed, ok bool) {
	plain, packed := strings.CutSuffix(name, ".gz")
	switch {
	case strings.HasSuffix(plain, ".csv"):
		return commaText, packed, true
	case strings.HasSuffix(plain, ".tsv"):
		return tabText, packed, true
	case strings.HasSuffix(name, ".parquet"):
		return parquetFile, false, true
	}
	return 0, false, false
}

// Read reads the table at path into sink. Errors name file, line and column;
// they are of kind fault.Usage, or fault.Environment where reading itself
// failed; when ctx ends, the error is its.
func Read(ctx context.Context, path string, o Options, sink Sink) (Info, error) {
	if _, _, ok := layoutOf(path); !ok {
		return Info{}, fault.NoTable.Usage(fmt.Errorf("reading %s: the name must end in %s", path, Names))
	}
	file, err := openFile(path)
	if err != nil {
		return Info{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Info{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	return ReadFrom(ctx, file, info.Size(), path, o, sink)
}

// ReadFrom is Read for size bytes that lie elsewhere; name tells the format and
// stands in messages.
func ReadFrom(ctx context.Context, r io.ReaderAt, size int64, name string, o Options, sink Sink) (Info, error) {
	f, packed, ok := layoutOf(name)
	switch {
	case !ok:
		return Info{}, fault.NoTable.Usage(fmt.Errorf("reading %s: the name must end in %s", name, Names))
	case f == parquetFile:
		return readParquetFile(ctx, r, size, name, o.bounds(), sink)
	}
	return readTextFile(ctx, r, size, name, f, packed, o, sink)
}

// ReadText reads a text table from r; name is used in messages.
func ReadText(ctx context.Context, r io.Reader, name string, o Options, sink Sink) (Info, error) {
	sum := sha256.New()
	raw := io.TeeReader(&contextReader{ctx, r}, sum)
	lines, err := textFrom(ctx, raw, name, commaText, o, sink)
	if err != nil {
		return Info{}, bounded(name, err, o.bounds())
	}
	return Info{Digest: digest.Sum(sum), Lines: lines, Text: true}, nil
}

// textFrom looks at the beginning of a text table and reads it.
func textFrom(ctx context.Context, r io.Reader, name string, f layout, o Options, sink Sink) (Lines, error) {
	l := o.bounds()
	in := bufio.NewReaderSize(&boundedReader{r: r, left: l.bytes}, sampleBytes)
	sample, err := in.Peek(sampleBytes)
	if err != nil && err != io.EOF {
		return Lines{}, err
	}
	if err := checkKind(name, sample, err == io.EOF); err != nil {
		return Lines{}, err
	}
	separator := byte(',')
	if f == tabText {
		separator = '\t'
	}
	if o.Separator != "" {
		if separator, err = parseSeparator(o.Separator); err != nil {
			return Lines{}, fault.Usage(fmt.Errorf("reading %s: %w", name, err))
		}
	} else if separator, err = findSeparator(bytes.Clone(sample), err == io.EOF, name, separator, o.Usual); err != nil {
		return Lines{}, err
	}
	return readText(ctx, in, name, separator, l, sink)
}

// sampleBytes is how much of a file is looked at before it is read.
const sampleBytes = 1 << 16

func readTextFile(ctx context.Context, file io.ReaderAt, size int64, path string, f layout, packed bool, o Options, sink Sink) (Info, error) {
	sum := sha256.New()
	raw := bufio.NewReaderSize(io.TeeReader(&contextReader{ctx, io.NewSectionReader(file, 0, size)}, sum), 1<<20)
	text := io.Reader(raw)
	if packed {
		var err error
		if text, err = unpack(raw, path); err != nil {
			return Info{}, err
		}
		size = unpackedSize(file, size)
	}
	lines, err := textFrom(ctx, text, path, f, o, hinted{sink, min(size, o.bounds().bytes)})
	if err != nil {
		return Info{}, bounded(path, err, o.bounds())
	}
	// What did not need to be looked at belongs to the digest all the same.
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return Info{}, damaged(path, err)
	}
	return Info{Digest: digest.Sum(sum), Lines: lines, Text: true}, nil
}

// hinted adds to the header how much text is to come.
type hinted struct {
	Sink
	bytes int64
}

func (h hinted) Header(head Header) ([]bool, error) {
	head.Bytes = h.bytes
	return h.Sink.Header(head)
}

// Text opens a file of text that is no table, such as one of JSON lines:
// unpacked where its name ends in .gz, bounded, and refused where it is
// something else. The caller closes it. An error of reading it is made an
// error of the file by Failed.
func Text(ctx context.Context, path string) (io.ReadCloser, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(&contextReader{ctx, file}, sampleBytes)
	var text io.Reader = in
	if strings.HasSuffix(path, ".gz") {
		if text, err = unpack(in, path); err != nil {
			file.Close()
			return nil, err
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{&boundedReader{r: text, left: MaxBytes}, file}, nil
}

// Failed says of an error of reading the text of Text what it means for the
// file.
func Failed(path string, err error) error { return bounded(path, err, defaultLimits) }

// unpack opens a gzip stream, or says what else it is.
func unpack(raw *bufio.Reader, path string) (io.Reader, error) {
	head, _ := raw.Peek(512)
	if !bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		if err := checkKind(path, head, len(head) < 512); err != nil {
			return nil, err
		}
	}
	unpacked, err := gzip.NewReader(raw)
	if err != nil {
		return nil, damaged(path, err)
	}
	return unpacked, nil
}

// bounded says what an error of reading a text means.
func bounded(path string, err error, l limits) error {
	switch {
	case errors.Is(err, errTooLarge):
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: it holds more than %d MiB of text, more than is read; split the file or drop columns", path, l.bytes>>20))
	case errors.As(err, new(readError)):
		return damaged(path, err)
	}
	return err
}

// openFile opens a regular file, or says what stands in its place.
func openFile(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, opening(path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	case info.IsDir():
		err = fault.DataAbsent.Usage(fmt.Errorf("reading %s: it is a folder; name a file in it", path))
	case !info.Mode().IsRegular():
		err = fault.DataAbsent.Usage(fmt.Errorf("reading %s: it is no regular file", path))
	default:
		return file, nil
	}
	file.Close()
	return nil, err
}

func opening(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(path + ".dvc"); err == nil {
			return fault.DataAbsent.Usage(fmt.Errorf("reading %s: there is no such file, but %s.dvc: DVC keeps it elsewhere; run dvc pull", path, path))
		}
		if target, err := os.Readlink(path); err == nil {
			hint := "bring the file there, or mend the link"
			if strings.Contains(target, "annex/objects") {
				hint = "git-annex keeps it elsewhere; run git annex get"
			}
			return fault.DataAbsent.Usage(fmt.Errorf("reading %s: it is a link to %s, where there is nothing: %s", path, clip(target), hint))
		}
		return fault.DataAbsent.Usage(fmt.Errorf("reading %s: there is no such file", path))
	case errors.Is(err, fs.ErrPermission):
		return fault.DataAbsent.Usage(fmt.Errorf("reading %s: you may not read it; change its permissions", path))
	}
	return fault.Environment(fmt.Errorf("reading %s: %w", path, err))
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

// damaged tells a file that is broken from a disk that is.
func damaged(path string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return cause(err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: it is no whole gzip file (%w); fetch or write it again", path, cause(err)))
	case errors.As(err, new(flate.CorruptInputError)):
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: its gzip data are damaged (%w); fetch or write it again", path, cause(err)))
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

// contextReader ends when its context does.
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

// checkHeader refuses names that cannot be told apart or shown.
func checkHeader(name string, line int, names []string, l limits) error {
	if len(names) > l.columns {
		return refuse(name, line, "%d columns; at most %d are read", len(names), l.columns)
	}
	seen := make(map[string]int, len(names))
	for j, column := range names {
		if column == "" {
			continue
		}
		if strings.ContainsRune(column, '\r') {
			return refuse(name, line, "the lines end with CR alone, as on Macs before 2001; write them with LF")
		}
		if strings.ContainsFunc(column, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return refuse(name, line, "the name of column %d, %q, has a control character", j+1, clip(column))
		}
		if first, twice := seen[column]; twice {
			return refuse(name, line, "columns %d and %d are both named %q; rename one", first+1, j+1, clip(column))
		}
		seen[column] = j
	}
	return nil
}

// refuse is an error of a file's content. Line 0: the format has no lines.
func refuse(name string, line int, format string, args ...any) error {
	if line > 0 {
		name += ":" + strconv.Itoa(line)
	}
	return fault.At(name, fault.TableMalformed.Usage(fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...))))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// clip shortens text from a file for a message.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
