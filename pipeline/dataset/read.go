package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// Options say how a table is written.
type Options = table.Options

// Readable reports whether the name is that of a table that Read knows.
func Readable(name string) bool { return table.Readable(name) }

// Check looks at the beginning of the file at path and returns the error that
// Read would return for what the file is: not there, a folder, a pointer of
// Git LFS or DVC, a web page, another format. It does not read the table.
func Check(ctx context.Context, path string, o Options) error { return table.Check(ctx, path, o) }

// Read reads the table at path: .csv, .tsv (both also .gz) or .parquet. Errors
// name file, line and column and are of kind fault.Usage, or fault.Environment
// where reading itself failed; when ctx ends, the error is its.
func Read(ctx context.Context, path string, o Options) (*Table, error) {
	b := &builder{}
	info, err := table.Read(ctx, path, o, b)
	if err != nil {
		return nil, err
	}
	return b.table(path, info), nil
}

// ReadBytes reads a table that lies in memory; name tells its format and stands
// in messages.
func ReadBytes(ctx context.Context, data []byte, name string, o Options) (*Table, error) {
	b := &builder{}
	info, err := table.ReadFrom(ctx, bytes.NewReader(data), int64(len(data)), name, o, b)
	if err != nil {
		return nil, err
	}
	return b.table(name, info), nil
}

// ReadAll reads several tables at once, in the order of paths; one whose content
// is given by its path is not read from the disk. The error names every file that
// cannot be read, in that order.
func ReadAll(ctx context.Context, o Options, contents map[string][]byte, paths ...string) ([]*Table, error) {
	tables, failed := make([]*Table, len(paths)), make([]error, len(paths))
	var all sync.WaitGroup
	for i, path := range paths {
		all.Go(func() {
			if content, given := contents[path]; given {
				tables[i], failed[i] = ReadBytes(ctx, content, path, o)
				return
			}
			tables[i], failed[i] = Read(ctx, path, o)
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return tables, errors.Join(failed...)
}

// builder collects the cells of a table.
type builder struct {
	head    table.Header
	text    strings.Builder
	offsets []uint32
	rows    int
	columns bool // the cells come column by column
}

// Header implements table.Sink.
func (b *builder) Header(h table.Header) ([]bool, error) {
	b.head = h
	b.offsets = append(b.offsets, 0)
	b.text.Grow(int(h.Bytes) + 1)
	if b.columns = h.Rows > 0; b.columns {
		b.offsets = slices.Grow(b.offsets, int(h.Rows)*len(h.Names))
		b.rows = int(h.Rows)
	}
	return nil, nil
}

// Record implements table.Sink.
func (b *builder) Record(r *table.Record) error {
	from := uint32(b.text.Len()) + 1
	b.text.Write(r.Text)
	b.text.WriteByte(',')
	offsets := b.offsets
	for _, end := range r.Ends {
		offsets = append(offsets, from+uint32(end))
	}
	b.offsets = offsets
	b.rows++
	if b.rows == 1000 && b.head.Bytes > 0 {
		// One allocation for the rest, judging by the rows so far.
		more := float64(b.head.Bytes)/float64(b.text.Len())*1.01 - 1
		b.offsets = slices.Grow(b.offsets, int(min(more*float64(len(b.offsets)), table.MaxCells)))
	}
	return nil
}

// Values implements table.Sink.
func (b *builder) Values(_ int, v table.Values) error {
	var buffer [64]byte
	for i := range v.Len() {
		b.text.Write(v.Text(buffer[:0], i))
		b.text.WriteByte(',')
		b.offsets = append(b.offsets, uint32(b.text.Len()))
	}
	if b.text.Len() > table.MaxBytes {
		return fault.TableMalformed.Usage(fmt.Errorf("the table holds more than %d MiB of text, more than is read; split the file or drop columns", table.MaxBytes>>20))
	}
	return nil
}

func (b *builder) table(path string, info table.Info) *Table {
	t := &Table{path: path, info: info, header: b.head.Names, nested: b.head.Nested, single: b.head.Float32, text: b.text.String(), offsets: b.offsets, rows: b.rows}
	t.rowStep, t.columnStep = len(t.header), 1
	if b.columns {
		t.rowStep, t.columnStep = 1, b.rows
	}
	t.index = make(map[string]int, len(t.header))
	for j, name := range t.header {
		if name == "" {
			// What pandas calls it: it can be asked for by that name alone.
			t.index[fmt.Sprintf("Unnamed: %d", j)] = j
		}
	}
	for j, name := range t.header {
		if name != "" {
			t.index[name] = j
		}
	}
	return t
}
