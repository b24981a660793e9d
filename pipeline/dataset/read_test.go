package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
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
				table, err := Read(t.Context(), path, Options{})
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

func TestNeed(t *testing.T) {
	t.Parallel()
	table, err := Read(t.Context(), write(t, "eval.csv", []byte("delayed,hour,origin\n1,5,LGA\n")), Options{})
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
		table, err := Read(context.Background(), path, Options{})
		require.NoError(t, err)
		require.Equal(t, header, table.Columns())
		require.Equal(t, len(rows), table.Rows())
		got := rowsOf(table)
		for i := range rows {
			require.Equal(t, rows[i], got[i])
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
				table, err := Read(b.Context(), path, Options{})
				require.NoError(b, err)
				require.Equal(b, 1_000_000, table.Rows())
			}
		})
	}
}

func BenchmarkFloat(b *testing.B) {
	table, err := Read(b.Context(), write(b, "data.csv", flights(1_000_000)), Options{})
	require.NoError(b, err)
	c, _ := table.Column("temp")
	for b.Loop() {
		for i := range c.Len() {
			c.Float(i)
		}
	}
}
