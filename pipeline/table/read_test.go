package table

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// cells is a sink that keeps all cells as text.
type cells struct {
	head  Header
	rows  [][]string
	lines []int
}

func (c *cells) Header(h Header) ([]bool, error) {
	c.head = h
	return nil, nil
}

func (c *cells) Record(r *Record) error {
	row := make([]string, r.Cells())
	for i := range row {
		row[i] = string(r.Cell(i))
	}
	c.rows, c.lines = append(c.rows, row), append(c.lines, r.Line)
	return nil
}

func (c *cells) Values(int, Values) error { panic("these are tests of text") }

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func zipped(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func read(t testing.TB, path string, o Options) (*cells, error) {
	t.Helper()
	c := &cells{}
	_, err := Read(t.Context(), path, o, c)
	return c, err
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for _, c := range []struct{ name, content, want string }{
		{"short.csv", "a,b,c\n1,2,3\n1,2\n", `short.csv:3: row has 2 fields, header has 3: nothing stands for column "c"`},
		{"one.csv", "a,b\n1\n", `one.csv:2: row has 1 field, header has 2: nothing stands for column "b"`},
		{"long.csv", "a,b\n1,2\n1,2,3\n", `long.csv:3: row has 3 fields, header has 2: "3" stands after the last column`},
		{"index.csv", "a,b\nr1,1,2\n", "index.csv:2: row has 3 fields, header has 2: if the first is an index without a name, write the file without it (pandas: index=False, R: row.names=FALSE)"},
		{"after-newline.csv", "a,b\n\"1\n2\",3\n4\n", "after-newline.csv:4: row has 1 field, header has 2"},
		{"empty.csv", "", "empty.csv:1: the file is empty; its first line must name the columns"},
		{"blank.csv", "\n\n", "blank.csv:1: the file is empty"},
		{"mark.csv", "\xef\xbb\xbf", "mark.csv:1: the file is empty"},
		{"blank-in-one.csv", "a\n1\n\n\n3\n", "blank-in-one.csv:3: the line is blank; delete it, or write \"\" for an empty cell"},
		{"twice.csv", "a,b,a\n", `twice.csv:1: columns 1 and 3 are both named "a"`},
		{"control.csv", "a,\"b\tc\"\n", "control.csv:1: the name of column 2, \"b\\tc\", has a control character"},
		{"mac.csv", "a,b\r1,2\r3,4\r", "mac.csv:1: the lines end with CR alone"},
		{"nul.csv", "a,b\n1,\x00\n", `nul.csv:2: column "b": there is a NUL byte`},
		{"utf16.csv", "\xff\xfea\x00,\x00b\x00\n\x00", "utf16.csv: it is UTF-16 text; save it as UTF-8"},
		{"utf16-no-mark.csv", "a\x00,\x00b\x00\n\x00", "utf16-no-mark.csv:1: there is a NUL byte; the file is damaged, or UTF-16"},
		{"latin1.csv", "a,b\n1,caf\xe9\n", `latin1.csv:2: column "b": the text is not UTF-8; save the file as UTF-8`},
		{"stray.csv", "a,b\n1,x\"y\n", `stray.csv:2: column "b": the cell has a quote but does not begin with one`},
		{"goes-on.csv", "a,b\n\"1\"x,2\n", `goes-on.csv:2: column "a": the cell goes on after its closing quote`},
		{"unclosed.csv", "a,b\n1,2\n3,\"4\n5,6\n", `unclosed.csv:3: column "b": the cell begins with a quote that is never closed`},
		{"data.txt", "a\tb\n", "the name must end in .csv, .tsv (both also .gz) or .parquet"},
		{"many.csv", strings.Repeat("a,", 12) + "b\n", "many.csv:1: 13 columns; at most 10 are read"},
		{"large.csv", "a\n" + strings.Repeat(long+"\n", 100), "it holds more than 0 MiB of text"},
		{"cells.csv", "a,b\n" + strings.Repeat("1,2\n", 40), "cells.csv:32: more than 60 cells"},
		{"plain.csv.gz", "a,b\n1,2\n", "it is no whole gzip file"},
		{"empty.csv.gz", "", "the file is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{}
			if c.name == "large.csv" || c.name == "many.csv" || c.name == "cells.csv" {
				o.limits = &limits{bytes: 1 << 12, cells: 60, columns: 10}
			}
			_, err := read(t, write(t, c.name, []byte(c.content)), o)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

func TestBlankLinesAreNoRows(t *testing.T) {
	t.Parallel()
	path := write(t, "x.csv", []byte("\n  \na,b\n1,2\n\n \t\r\n3,\"4\n\n\"\n\n"))
	c := &cells{}
	info, err := Read(t.Context(), path, Options{}, c)
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"1", "2"}, {"3", "4\n\n"}}, c.rows)
	assert.Equal(t, []int{4, 7}, c.lines)
	assert.Equal(t, path+":4", info.Place(path, 0))
	assert.Equal(t, path+":7", info.Place(path, 1))
}

func TestReadRefusesDamagedGzip(t *testing.T) {
	t.Parallel()
	whole := zipped(t, "a,b\n"+strings.Repeat("1,2\n3,4\n", 1000))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1
	for name, data := range map[string][]byte{
		"cut.csv.gz": whole[:len(whole)-9], "flipped.csv.gz": flipped, "more.csv.gz": append(bytes.Clone(whole), "trailing"...),
	} {
		_, err := read(t, write(t, name, data), Options{})
		require.ErrorContains(t, err, "it is no whole gzip file", name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), name)
	}
}

// A few kilobytes that unpack to much more than the limit are given up at the
// limit.
func TestReadBoundsGzip(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, "a,b\n"+strings.Repeat("1,2\n", 1<<20))
	_, err := read(t, write(t, "bomb.csv.gz", bomb), Options{limits: &limits{bytes: 1 << 20, cells: MaxCells, columns: 10}})
	require.ErrorContains(t, err, "it holds more than 1 MiB of text, more than is read")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestSeparators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content, separator string
		want                     [][]string
	}{
		{"semicolon.csv", "a;b;c\n1;2,5;x\n3;4,5;\"y;z\"\n", "", [][]string{{"1", "2,5", "x"}, {"3", "4,5", "y;z"}}},
		{"tab.csv", "a\tb\n1,5\t2\n", "", [][]string{{"1,5", "2"}}},
		{"bar.csv", "a|b\n1|2\n", "", [][]string{{"1", "2"}}},
		{"tab.tsv", "a\tb\n1\tx, y\n", "", [][]string{{"1", "x, y"}}},
		{"comma.tsv", "a,b\n1,2\n", "", [][]string{{"1", "2"}}},
		{"comma.csv", "a,\"b;c\"\n1,\"2;3\"\n4,5\n", "", [][]string{{"1", "2;3"}, {"4", "5"}}},
		{"lists.csv", "a,tags\n1,x;y\n2,z\n", "", [][]string{{"1", "x;y"}, {"2", "z"}}},
		{"one.csv", "a\n1\n2\n", "", [][]string{{"1"}, {"2"}}},
		{"one-cut.csv", "a b\n1\n2", "", [][]string{{"1"}, {"2"}}},
		{"quoted-newline.csv", "a;b\n1;\"x\ny,z\"\n", "", [][]string{{"1", "x\ny,z"}}},
		{"long.csv", "a;b\n" + strings.Repeat("1,5;\"x\n\"\n", 1<<14), "", nil},
		{"named.csv", "a b;c,d\n1 2;3,4\n", ";", [][]string{{"1 2", "3,4"}}},
		{"named-tab.csv", "a\tb\n1\t2\n", "tab", [][]string{{"1", "2"}}},
		{"colon.csv", "a:b\n1:2\n", ":", [][]string{{"1", "2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t, write(t, c.name, []byte(c.content)), Options{Separator: c.separator})
			require.NoError(t, err)
			if c.want == nil {
				assert.Len(t, got.rows, 1<<14)
				return
			}
			assert.Equal(t, c.want, got.rows)
		})
	}
	two := write(t, "two.csv", []byte("height, cm;weight, kg\n1,5;2,5\n"))
	_, err := read(t, two, Options{})
	require.ErrorContains(t, err, `two.csv:1: the cells may be separated by "," or by ";"`)
	require.ErrorContains(t, err, "data.separator")
	got, err := read(t, two, Options{Separator: ";"})
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"1,5", "2,5"}}, got.rows)
	got, err = read(t, two, Options{Usual: true})
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"1", "5;2", "5"}}, got.rows)
	_, err = read(t, two, Options{Separator: ";;"})
	require.ErrorContains(t, err, `the separator ";;" is not one character`)
	require.Error(t, CheckSeparator(`"`))
	require.NoError(t, CheckSeparator(""))
	// Rows that are not even by the separator that the header shows.
	_, err = read(t, write(t, "ragged.csv", []byte("a;b;c\n1;2;3\n1;2\n")), Options{})
	require.ErrorContains(t, err, `ragged.csv:3: row has 2 fields, header has 3`)
}

func TestWhatIsNoTable(t *testing.T) {
	t.Parallel()
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("7", 64) + "\nsize 8123\n"
	page := "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>a,b</body></html>\n"
	for _, c := range []struct{ name, content, want string }{
		{"lfs.csv", pointer, "it is a Git LFS pointer, not the data; run git lfs pull"},
		{"lfs.csv.gz", pointer, "it is a Git LFS pointer"},
		{"lfs.parquet", pointer, "it is a Git LFS pointer"},
		{"lfs-crlf.tsv", strings.ReplaceAll(pointer, "\n", "\r\n"), "it is a Git LFS pointer"},
		{"dvc.csv", "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 12\n  hash: md5\n  path: train.csv\n", "it is a DVC pointer, not the data; run dvc pull"},
		{"dvc-frozen.csv", "md5: 0123456789abcdef0123456789abcdef\nfrozen: true\ndeps:\n- path: s3://x\n  etag: y\nouts:\n- md5: 01\n  path: x\n", "it is a DVC pointer"},
		{"annex.csv", "/annex/objects/SHA256E-s12--ab.csv\n", "it is a git-annex pointer"},
		{"page.csv", page, "it is an HTML page, such as one to sign in or of an error"},
		{"page-mark.csv", "\xef\xbb\xbf\n " + page, "it is an HTML page"},
		{"page.csv.gz", string(zipped(t, page)), "it is an HTML page"},
		{"page.parquet", page, "it is an HTML page"},
		{"s3.csv", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code></Error>", "it is XML, such as an error that a storage service answers"},
		{"s3-bare.csv", "<Error><Code>AccessDenied</Code></Error>", "it is XML"},
		{"error.csv", "{\"message\": \"Not Found\"}", "it is JSON, such as an error that a service answers"},
		{"rows.csv", "[{\"a\": 1}]", "it is JSON, not a table"},
		{"gzip.csv", string(zipped(t, "a,b\n1,2\n")), "it is a gzip file; give it a name that ends in .gz"},
		{"twice.csv.gz", string(zipped(t, string(zipped(t, "a,b\n")))), "it is a gzip file"},
		{"book.csv", "PK\x03\x04rest", "it is a zip archive or an Excel workbook"},
		{"old.csv", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an Excel workbook of the old format"},
		{"frame.csv", "PAR1\x15\x04", "it is a Parquet file; give it a name that ends in .parquet"},
		{"frame.parquet", "a,b\n1,2\n3,4\n", `it is no Parquet file: it does not begin with "PAR1"`},
		{"cut.parquet", "PAR1" + strings.Repeat("\x00", 100), `it does not end in "PAR1"`},
		{"short.parquet", "PAR1", "it is shorter than a footer"},
		{"empty.parquet", "", "the file is empty"},
		{"secret.parquet", "PARE\x15\x04secretPARE", "the Parquet file is encrypted"},
		{"pickle.csv", "\x80\x04\x95rest", "it is a Python pickle"},
		{"numpy.csv", "\x93NUMPY\x01\x00", "it is a NumPy array"},
		{"tar.csv", "train.csv" + strings.Repeat("\x00", 248) + "ustar\x0000", "it is a tar archive"},
		{"zstd.csv", "\x28\xb5\x2f\xfdrest", "it is a zstd file"},
		{"conflict.csv", "<<<<<<< HEAD\na,b\n=======\na,c\n>>>>>>> x\n", "it is a file with an unresolved merge conflict"},
		{"conflict-inside.csv", "a,b\n1,2\n<<<<<<< HEAD\n3,4\n=======\n5,6\n>>>>>>> x\n", "conflict-inside.csv:3: there is an unresolved merge conflict"},
		{"utf32.csv", "\xff\xfe\x00\x00a\x00\x00\x00", "it is UTF-32 text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.name, []byte(c.content))
			_, err := read(t, path, Options{})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
			assert.Equal(t, err.Error(), Check(t.Context(), path, Options{}).Error(), "the check says the same")
		})
	}
	for _, fine := range []string{"a,b\n1,2\n", "{a},b\n1,2\n", "<5,>5\n1,2\n", "version,b\n1,2\n", "outs\n1\n", "ORC,PDF\n1,2\n"} {
		require.NoError(t, Check(t.Context(), write(t, "fine.csv", []byte(fine)), Options{}), fine)
	}
}

func TestReadMissingAndIrregular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(in("dir.csv"), 0o700))
	require.NoError(t, os.WriteFile(in("kept.csv.dvc"), []byte("outs:\n"), 0o600))
	require.NoError(t, os.Symlink("../gone.csv", in("link.csv")))
	require.NoError(t, os.Symlink(".git/annex/objects/ab/x.csv", in("annexed.csv")))
	for name, want := range map[string]string{
		"none.csv":     "none.csv: there is no such file",
		"dir.csv":      "dir.csv: it is a folder",
		"kept.csv":     "kept.csv.dvc: DVC keeps it elsewhere; run dvc pull",
		"link.csv":     "link.csv: it is a link to ../gone.csv, where there is nothing",
		"annexed.csv":  "git-annex keeps it elsewhere; run git annex get",
		"kept.csv.dvc": "",
	} {
		_, err := read(t, in(name), Options{})
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
	require.ErrorContains(t, Check(t.Context(), in("kept.csv.dvc"), Options{}), "it is a DVC pointer, not the data; run dvc pull, and name the file without .dvc")
}

// Reading ends soon after its context does, in the middle of a table.
func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := write(t, "big.csv", []byte("a,b\n"+strings.Repeat("1,2\n", 1<<20)))
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	_, err := Read(ctx, path, Options{}, sinkFunc(func() {
		if rows++; rows == 1000 {
			cancel()
		}
	}))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	assert.Less(t, rows, 1<<20-1, "it did not go on to the end")
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = Read(ctx, path, Options{}, &cells{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// sinkFunc is called for each record.
type sinkFunc func()

func (sinkFunc) Header(Header) ([]bool, error) { return nil, nil }
func (f sinkFunc) Record(*Record) error        { f(); return nil }
func (sinkFunc) Values(int, Values) error      { return nil }

// Whatever is read is read as encoding/csv reads it, which forgives more.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\n\"\n", "a,b\r\n,\r\n\r\n", "\xef\xbb\xbfa\n1", "a,a\n", "\"", "a,b\n\"\",\"\"x\n", "a\n\"1\r\n2\"\n", "a;b\n1;2\n", "a,b\n\n1,2\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &cells{}
		info, err := ReadText(t.Context(), bytes.NewReader(data), "f.csv", Options{Separator: ",", limits: &limits{bytes: 1 << 20, cells: 1 << 12, columns: 64}}, c)
		if err != nil {
			return
		}
		plain := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		for line := range bytes.Lines(plain) {
			if len(bytes.Trim(line, " \t\r\n")) == 0 && len(bytes.Trim(line, "\r\n")) > 0 {
				return // a line of spaces is a row to encoding/csv
			}
		}
		r := csv.NewReader(bytes.NewReader(plain))
		r.FieldsPerRecord = len(c.head.Names)
		all, err := r.ReadAll()
		require.NoError(t, err)
		require.Equal(t, len(c.rows), len(all)-1)
		for i, row := range c.rows {
			for j := range row {
				// encoding/csv turns CRLF inside quotes into LF.
				require.Equal(t, all[i+1][j], strings.ReplaceAll(row[j], "\r\n", "\n"))
			}
			require.Equal(t, c.lines[i], info.Lines.Line(i))
		}
	})
}
