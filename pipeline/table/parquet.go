package table

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func readParquetFile(ctx context.Context, file io.ReaderAt, size int64, path string, l limits, sink Sink) (Info, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, &contextReader{ctx, io.NewSectionReader(file, 0, size)}); err != nil {
		if ctx.Err() != nil {
			return Info{}, ctx.Err()
		}
		return Info{}, fault.Environment(fmt.Errorf("reading %s: %w", path, err))
	}
	if err := readParquet(ctx, file, size, path, l, sink); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return Info{}, ctx.Err()
		}
		return Info{}, err
	}
	return Info{Digest: digest.Sum(sum)}, nil
}

// readParquet hands a Parquet file of size bytes to a sink.
func readParquet(ctx context.Context, r io.ReaderAt, size int64, name string, l limits, sink Sink) (err error) {
	// The decoder is another's code and reads hostile bytes: a panic of it is
	// a damaged file, not a crash of ours.
	defer func() {
		if p := recover(); p != nil {
			err = fault.TableMalformed.Usage(fmt.Errorf("reading %s: the Parquet file is damaged: %v", name, p))
		}
	}()
	if err := checkParquet(r, size, name); err != nil {
		return err
	}
	f, err := parquet.OpenFile(&contextReaderAt{ctx, r}, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: the Parquet file is damaged: %w", name, err))
	}
	columns, head, err := parquetHeader(f, name, l)
	if err != nil {
		return err
	}
	if err := checkHeader(name, 0, head.Names, l); err != nil {
		return err
	}
	wanted, err := sink.Header(head)
	if err != nil {
		return err
	}
	for i, c := range columns {
		if wanted != nil && !wanted[i] {
			continue
		}
		if err := c.read(ctx, i, head.Rows, sink); err != nil {
			return err
		}
	}
	return nil
}

// contextReaderAt ends when its context does.
type contextReaderAt struct {
	ctx context.Context
	r   io.ReaderAt
}

func (c *contextReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.ReadAt(p, at)
}

// checkParquet refuses what is no Parquet file, and a footer that is longer
// than the file before the decoder makes room for it. A file begins with "PAR1"
// and ends in the footer's length (4 bytes, little-endian) and "PAR1" (Parquet
// format, "File format").
func checkParquet(r io.ReaderAt, size int64, name string) error {
	var head [1024]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return fault.Environment(fmt.Errorf("reading %s: %w", name, err))
	}
	if size == 0 {
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: the file is empty", name))
	}
	if string(head[:min(n, 4)]) == "PARE" {
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: the Parquet file is encrypted; write it without encryption", name))
	}
	if string(head[:min(n, 4)]) != "PAR1" {
		if what, hint := kindOf(head[:n]); what != "" {
			return fault.NoTable.Usage(fmt.Errorf("reading %s: it is %s; %s", name, what, hint))
		}
		return fault.NoTable.Usage(fmt.Errorf(`reading %s: it is no Parquet file: it does not begin with "PAR1"`, name))
	}
	var tail [8]byte
	if size < 12 {
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: it is no whole Parquet file: it is shorter than a footer", name))
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return fault.Environment(fmt.Errorf("reading %s: %w", name, err))
	}
	if string(tail[4:]) != "PAR1" {
		return fault.TableMalformed.Usage(fmt.Errorf(`reading %s: it is no whole Parquet file: it does not end in "PAR1"; fetch or write it again`, name))
	}
	if length := int64(binary.LittleEndian.Uint32(tail[:4])); length > size-12 {
		return fault.TableMalformed.Usage(fmt.Errorf("reading %s: it is no whole Parquet file: its footer claims %d bytes of a file of %d", name, length, size))
	}
	return nil
}

// column is a flat column of a Parquet file.
type column struct {
	file  string
	name  string
	store *parquet.Column
	kind  *kind
}

// parquetHeader lists the flat columns of a file, and what else it has.
func parquetHeader(f *parquet.File, name string, l limits) ([]column, Header, error) {
	head := Header{Rows: f.NumRows(), Nested: map[string]string{}}
	if head.Rows < 0 || head.Rows > int64(l.cells) || head.Rows > math.MaxInt32 {
		return nil, head, fault.TableMalformed.Usage(fmt.Errorf("reading %s: the file claims %d rows", name, head.Rows))
	}
	schema := f.Metadata().Schema
	at := 1 // after the root
	var columns []column
	for _, c := range f.Root().Columns() {
		if at >= len(schema) {
			return nil, head, fault.TableMalformed.Usage(fmt.Errorf("reading %s: the Parquet file is damaged: its schema ends early", name))
		}
		element := &schema[at]
		at = skipElement(schema, at)
		if !c.Leaf() || c.Repeated() || c.MaxRepetitionLevel() > 0 {
			head.Nested[c.Name()] = nestedKind(c, element)
			continue
		}
		kind := kindOfElement(element)
		columns = append(columns, column{name, c.Name(), c, kind})
		head.Names = append(head.Names, c.Name())
		head.Float32 = append(head.Float32, kind.single)
	}
	if int64(len(columns))*head.Rows > int64(l.cells) {
		return nil, head, fault.TableMalformed.Usage(fmt.Errorf("reading %s: more than %d cells; split the file", name, l.cells))
	}
	return columns, head, nil
}

// skipElement returns where the element after that at, with its children, is.
func skipElement(schema []format.SchemaElement, at int) int {
	for open := 1; open > 0 && at < len(schema); at++ {
		open--
		if n := schema[at].NumChildren; n.Valid && !schema[at].Type.Valid {
			open += int(n.V)
		}
	}
	return at
}

func nestedKind(c *parquet.Column, element *format.SchemaElement) string {
	switch element.LogicalType.Value.(type) {
	case *format.ListType:
		return "a list"
	case *format.MapType:
		return "a map"
	}
	switch {
	case c.Repeated(), strings.Contains(c.Type().String(), "LIST"):
		return "a list"
	case strings.Contains(c.Type().String(), "MAP"):
		return "a map"
	}
	return "a struct"
}

// read hands the column's values to a sink.
func (c *column) read(ctx context.Context, at int, rows int64, sink Sink) error {
	if c.kind.refuse != "" {
		return fault.BadCell.Usage(fmt.Errorf("%s: column %q holds %s, which is not read; %s", c.file, clip(c.name), c.kind.refuse, "write it as a number or a text, or leave it out"))
	}
	pages := c.store.Pages()
	defer pages.Close()
	values := make([]parquet.Value, 1024)
	row := int64(0)
	for row <= rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c.damaged(err)
		}
		n, err := c.page(ctx, at, row, page, values, sink)
		parquet.Release(page)
		if err != nil {
			return err
		}
		row += n
	}
	if row != rows {
		return fault.TableMalformed.Usage(fmt.Errorf("%s: column %q has %d values, the file %d rows", c.file, clip(c.name), row, rows))
	}
	return nil
}

func (c *column) damaged(err error) error {
	return fault.TableMalformed.Usage(fmt.Errorf("%s: column %q: the Parquet file is damaged: %w", c.file, clip(c.name), err))
}

func (c *column) page(ctx context.Context, at int, first int64, page parquet.Page, values []parquet.Value, sink Sink) (int64, error) {
	reader := page.Values()
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		read, err := reader.ReadValues(values)
		batch := Values{stored: values[:read], kind: c.kind}
		if i, err := batch.check(); err != nil {
			return n, fault.BadCell.Usage(fmt.Errorf("%s: row %d: column %q: %w", c.file, first+n+int64(i)+1, clip(c.name), err))
		}
		if read > 0 {
			if err := sink.Values(at, batch); err != nil {
				return n, err
			}
		}
		n += int64(read)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, c.damaged(err)
		}
		if read == 0 {
			return n, c.damaged(io.ErrNoProgress)
		}
	}
}
