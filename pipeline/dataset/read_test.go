package dataset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/where"
)

// A slice is evaluated on the columns of a table.
var _ where.Column = Column{}

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

func rowsOf(table *Table) [][]string {
	out := [][]string{}
	for i := range table.Rows() {
		row := make([]string, len(table.header))
		for j := range table.header {
			row[j] = Column{table, j}.At(i)
		}
		out = append(out, row)
	}
	return out
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		header        []string
		rows          [][]string
		lines         []int
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"a", "b"}, [][]string{{"1", "2"}, {"3", "4"}}, []int{2, 3}},
		{"no newline at the end", "a,b\n1,2", []string{"a", "b"}, [][]string{{"1", "2"}}, []int{2}},
		{"CRLF", "a,b\r\n1,2\r\n", []string{"a", "b"}, [][]string{{"1", "2"}}, []int{2}},
		{"byte order mark", "\xef\xbb\xbfa,b\n1,2\n", []string{"a", "b"}, [][]string{{"1", "2"}}, []int{2}},
		{"header alone", "a,b\n", []string{"a", "b"}, [][]string{}, nil},
		{"empty cells", "a,b\n,\n,x\n", []string{"a", "b"}, [][]string{{"", ""}, {"", "x"}}, []int{2, 3}},
		{"blank lines at the end", "a,b\n1,2\n\n\r\n\n", []string{"a", "b"}, [][]string{{"1", "2"}}, []int{2}},
		{"one column", "a\n1\n\"\"\n", []string{"a"}, [][]string{{"1"}, {""}}, []int{2, 3}},
		{"quotes", "a,\"b,\"\"c\"\n\"x\"\"y\",\"1,2\"\n", []string{"a", `b,"c`}, [][]string{{`x"y`, "1,2"}}, []int{2}},
		{"quoted newlines", "a,b\n\"1\n\n2\",x\n3,\"4\r\n5\"\r\n6,7\n", []string{"a", "b"}, [][]string{{"1\n\n2", "x"}, {"3", "4\r\n5"}, {"6", "7"}}, []int{2, 5, 7}},
		{"spaces stay", "a, b\n 1 ,2\n", []string{"a", " b"}, [][]string{{" 1 ", "2"}}, []int{2}},
		{"a cell longer than any buffer", "a,b\n" + strings.Repeat("é", 100_000) + ",2\n", []string{"a", "b"}, [][]string{{strings.Repeat("é", 100_000), "2"}}, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, packed := range []bool{false, true} {
				name, content := "data.csv", []byte(c.content)
				if packed {
					name, content = "data.csv.gz", zipped(t, c.content)
				}
				path := write(t, name, content)
				table, err := Read(path)
				require.NoError(t, err)
				assert.Equal(t, c.header, table.Columns())
				assert.Equal(t, c.rows, rowsOf(table))
				assert.Equal(t, len(c.rows), table.Rows())
				for i, line := range c.lines {
					assert.Equal(t, line, table.Line(i), "row %d", i)
				}
				assert.Equal(t, path, table.Path())
				assert.Equal(t, fmt.Sprintf("sha256:%x", sha256.Sum256(content)), table.Digest())
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for _, c := range []struct{ name, content, want string }{
		{"short.csv", "a,b,c\n1,2,3\n1,2\n", "short.csv:3: row has 2 fields, header has 3"},
		{"one.csv", "a,b\n1\n", "one.csv:2: row has 1 field, header has 2"},
		{"long.csv", "a,b\n1,2,3\n", "long.csv:2: row has 3 fields, header has 2"},
		{"after-newline.csv", "a,b\n\"1\n2\",3\n4\n", "after-newline.csv:4: row has 1 field, header has 2"},
		{"empty.csv", "", "empty.csv:1: the file is empty; its first line must name the columns"},
		{"blank.csv", "\n\n", "blank.csv:1: the file is empty"},
		{"blank-first.csv", "\na,b\n", "blank-first.csv:1: the line is blank"},
		{"blank-middle.csv", "a,b\n1,2\n\n\n3,4\n", "blank-middle.csv:3: the line is blank; delete it"},
		{"unnamed.csv", "a,,b\n", "unnamed.csv:1: the name of column 2 is empty"},
		{"twice.csv", "a,b,a\n", `twice.csv:1: columns 1 and 3 are both named "a"`},
		{"control.csv", "a,\"b\tc\"\n", "the name of column 2, \"b\\tc\", has a control character"},
		{"nul.csv", "a,b\n1,\x00\n", "nul.csv:2: the line has a NUL byte"},
		{"utf16.csv", "\xff\xfea\x00,\x00b\x00\n\x00", "utf16.csv:1: the line has a NUL byte; the file is damaged, or UTF-16"},
		{"latin1.csv", "a,b\ncaf\xe9,1\n", "latin1.csv:2: the line is not UTF-8"},
		{"stray.csv", "a,b\n1,x\"y\n", "stray.csv:2: cell 2 has a quote but does not begin with one"},
		{"goes-on.csv", "a,b\n\"1\"x,2\n", "goes-on.csv:2: cell 1 goes on after its closing quote"},
		{"unclosed.csv", "a,b\n1,2\n3,\"4\n5,6\n", "unclosed.csv:3: a quoted cell that begins on this line is never closed"},
		{"data.tsv", "a\tb\n", "the name must end in .csv or .csv.gz"},
		{"many.csv", strings.Repeat("a,", 12) + "b\n", "many.csv:1: 13 columns; at most 10 are read"},
		{"large.csv", "a\n" + strings.Repeat(long+"\n", 100), "it holds more than 0 MiB of text"},
		{"cells.csv", "a,b\n" + strings.Repeat("1,2\n", 40), "cells.csv:31: more than 60 cells"},
		{"plain.csv.gz", "a,b\n1,2\n", "it is no whole gzip file"},
		{"empty.csv.gz", "", "it is no whole gzip file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := read(write(t, c.name, []byte(c.content)), limits{bytes: 1 << 12, cells: 60, columns: 10})
			if c.name == "large.csv" || c.name == "many.csv" || c.name == "cells.csv" {
				require.Error(t, err)
			} else {
				_, err = Read(write(t, c.name, []byte(c.content)))
			}
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
		})
	}
}

func TestReadRefusesDamagedGzip(t *testing.T) {
	t.Parallel()
	whole := zipped(t, "a,b\n"+strings.Repeat("1,2\n3,4\n", 1000))
	_, err := Read(write(t, "cut.csv.gz", whole[:len(whole)-9]))
	assert.ErrorContains(t, err, "it is no whole gzip file")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))

	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1
	_, err = Read(write(t, "flipped.csv.gz", flipped))
	assert.ErrorContains(t, err, "it is no whole gzip file")

	_, err = Read(write(t, "more.csv.gz", append(bytes.Clone(whole), "trailing"...)))
	assert.ErrorContains(t, err, "it is no whole gzip file")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

// A few kilobytes that unpack to much more than the limit are given up at the
// limit.
func TestReadBoundsGzip(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, "a,b\n"+strings.Repeat("1,2\n", 1<<20))
	_, err := read(write(t, "bomb.csv.gz", bomb), limits{bytes: 1 << 20, cells: MaxCells, columns: 10})
	assert.ErrorContains(t, err, "it holds more than 1 MiB of text, more than is read")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}

func TestReadMissingAndIrregular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none.csv"))
	assert.ErrorContains(t, err, "none.csv: there is no such file")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir.csv"), 0o700))
	_, err = Read(filepath.Join(dir, "dir.csv"))
	assert.ErrorContains(t, err, "it is no regular file")
}

func TestNeed(t *testing.T) {
	t.Parallel()
	table, err := Read(write(t, "eval.csv", []byte("delayed,hour,origin\n1,5,LGA\n")))
	require.NoError(t, err)
	c, err := table.Need("hour")
	require.NoError(t, err)
	assert.Equal(t, "hour", c.Name())
	assert.Equal(t, 1, c.Len())
	_, err = table.Need("delayd")
	assert.ErrorContains(t, err, `eval.csv has no column "delayd"; did you mean "delayed"? Its columns are delayed, hour, origin`)
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	_, ok := table.Column("zzz")
	assert.False(t, ok)
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]float64{
		"1": 1, "-2.5": -2.5, "+.5": 0.5, "1e3": 1000, " 7 ": 7, "1E-2": 0.01, "inf": math.Inf(1), "-Infinity": math.Inf(-1), "007": 7,
	} {
		got, ok := Number(cell)
		assert.True(t, ok, cell)
		assert.Equal(t, want, got, cell)
	}
	for _, cell := range []string{"", " ", "NA", "NaN", "nan", "null", "None"} {
		got, ok := Number(cell)
		assert.True(t, ok, "%q", cell)
		assert.True(t, math.IsNaN(got), "%q", cell)
	}
	for _, cell := range []string{"x", "1,5", "0x10", "1_000", "1e999", "--1", "1 2", "true", "12kg"} {
		got, ok := Number(cell)
		assert.False(t, ok, "%q", cell)
		assert.True(t, math.IsNaN(got), "%q", cell)
	}
}

// What encoding/csv writes is read back cell by cell.
func TestReadEqualsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 4).Draw(t, "columns")
		cell := rapid.StringMatching("[a-c0-9 ,\"\n\té]{0,5}")
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 0, 20).Draw(t, "rows")
		header := make([]string, columns)
		for j := range header {
			header[j] = fmt.Sprintf("c %d", j)
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		if w.UseCRLF { // the writer turns a line break in a cell into CRLF
			for _, row := range rows {
				for j := range row {
					row[j] = strings.ReplaceAll(row[j], "\n", " ")
				}
			}
		}
		require.NoError(t, w.Write(header))
		for _, row := range rows {
			if columns == 1 && row[0] == "" {
				row[0] = "x" // written as a blank line, which is refused
			}
			require.NoError(t, w.Write(row))
		}
		w.Flush()
		path := filepath.Join(dir, "data.csv")
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		table, err := Read(path)
		require.NoError(t, err)
		require.Equal(t, header, table.Columns())
		require.Equal(t, len(rows), table.Rows())
		got := rowsOf(table)
		for i := range rows {
			require.Equal(t, rows[i], got[i])
		}
	})
}

// Whatever is read is read as encoding/csv reads it, which forgives more.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\n\"\n", "a,b\r\n,\r\n\r\n", "\xef\xbb\xbfa\n1", "a,a\n", "\"", "a,b\n\"\",\"\"x\n", "a\n\"1\r\n2\"\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &builder{name: "f.csv", limits: limits{bytes: 1 << 20, cells: 1 << 12, columns: 64}}
		if err := readCSV(bytes.NewReader(data), b); err != nil {
			return
		}
		table := b.table("")
		plain := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		r := csv.NewReader(bytes.NewReader(plain))
		r.FieldsPerRecord = len(table.header)
		all, err := r.ReadAll()
		require.NoError(t, err)
		require.Equal(t, table.Rows(), len(all)-1)
		for i, row := range rowsOf(table) {
			for j := range row {
				// encoding/csv turns CRLF inside quotes into LF.
				require.Equal(t, all[i+1][j], strings.ReplaceAll(row[j], "\r\n", "\n"))
			}
			require.Greater(t, table.Line(i), 1)
		}
	})
}

// flights is a table of rows like those of the example.
func flights(rows int) []byte {
	var b bytes.Buffer
	b.WriteString("id,month,day,hour,carrier,origin,dest,distance,temp,wind_speed,visib,tailnum,delayed\n")
	for i := range rows {
		h := uint32(i) * 2654435761
		fmt.Fprintf(&b, "%d,%d,%d,%d,%s,%s,D%02d,%d,%.2f,%.2f,10,N%d,%d\n", i, 1+h%9, 1+h>>8%28, h>>4%24, []string{"UA", "AA", "DL", "B6"}[h>>3%4], []string{"JFK", "LGA", "EWR"}[h>>5%3], h>>7%99, 90+h>>6%4900, float64(h%10000)/100, float64(h>>9%4000)/100, 10000+h>>11%4000, h>>13&1)
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	content := flights(1_000_000)
	for _, c := range []struct {
		name    string
		content []byte
	}{{"data.csv", content}, {"data.csv.gz", zipped(b, string(content))}} {
		b.Run(c.name, func(b *testing.B) {
			path := write(b, c.name, c.content)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				table, err := Read(path)
				require.NoError(b, err)
				require.Equal(b, 1_000_000, table.Rows())
			}
		})
	}
}

func BenchmarkFloat(b *testing.B) {
	table, err := Read(write(b, "data.csv", flights(1_000_000)))
	require.NoError(b, err)
	c, _ := table.Column("temp")
	for b.Loop() {
		for i := range c.Len() {
			c.Float(i)
		}
	}
}
