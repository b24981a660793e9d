package predictions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads a Parquet file of size bytes. Columns must be flat
// (neither lists nor structs). Integers, floats, booleans and texts are read;
// a whole number in a float column is the same class as the integer.
func readParquet(r io.ReaderAt, size int64, file string, opts Options) (set *Set, err error) {
	// The decoder is another's code and reads hostile bytes: a panic of it is
	// a damaged file, not a crash of ours.
	defer func() {
		if p := recover(); p != nil {
			set, err = nil, usagef("%s: the Parquet file is damaged: %v", file, p)
		}
	}()
	if size == 0 {
		return nil, usagef("%s: the file is empty", file)
	}
	if err := checkFooter(r, size); err != nil {
		return nil, usagef("%s: not a Parquet file: %w", file, err)
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, usagef("%s: not a Parquet file: %w", file, err)
	}
	columns := f.Root().Columns()
	header := make([]string, len(columns))
	for i, c := range columns {
		if !c.Leaf() || c.Repeated() {
			return nil, usagef("%s: column %q is a list or a struct; predictions are flat", file, c.Name())
		}
		header[i] = c.Name()
	}
	b, err := newBuilder(file, header, opts)
	if err != nil {
		return nil, err
	}
	rows := f.NumRows()
	if rows < 0 || rows > maxRows {
		return nil, usagef("%s: the file claims %d rows", file, rows)
	}
	for i, c := range columns {
		if b.fields[i].role == roleSkip {
			continue
		}
		b.rows = 0
		if err := b.parquetColumn(i, c); err != nil {
			return nil, err
		}
		if int64(b.rows) != rows {
			return nil, usagef("%s: column %q has %d values, the file %d rows", file, c.Name(), b.rows, rows)
		}
	}
	b.rows = int(rows)
	return b.finish()
}

// checkFooter refuses a footer that is longer than the file, before the
// decoder makes room for it. A file ends in the footer's length (4 bytes,
// little-endian) and "PAR1" (Parquet format, "File format").
func checkFooter(r io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 12 {
		return errors.New("it is shorter than a footer")
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return errors.New(`it does not end in "PAR1"`)
	}
	if length := int64(binary.LittleEndian.Uint32(tail[:4])); length > size-12 {
		return fmt.Errorf("its footer claims %d bytes of a file of %d", length, size)
	}
	return nil
}

// parquetColumn adds all values of one column.
func (b *builder) parquetColumn(i int, c *parquet.Column) error {
	pages := c.Pages()
	defer pages.Close()
	numeric := b.fields[i].role == roleNumber || b.fields[i].role == roleScore || b.fields[i].role == roleWeight
	values := make([]parquet.Value, 1024)
	var text []byte
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return usagef("%s: column %q: %w", b.file, c.Name(), err)
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(values)
			for _, v := range values[:n] {
				if err := b.parquetValue(i, v, numeric, &text); err != nil {
					return err
				}
				if err := b.endRow(); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return usagef("%s: row %d, column %q: %w", b.file, b.rows+1, c.Name(), err)
			}
		}
		parquet.Release(page)
	}
}

func (b *builder) parquetValue(i int, v parquet.Value, numeric bool, text *[]byte) error {
	t := (*text)[:0]
	switch kind := v.Kind(); {
	case v.IsNull():
	case kind == parquet.Double && numeric:
		return b.number(i, v.Double())
	case kind == parquet.Float && numeric:
		return b.number(i, float64(v.Float()))
	case kind == parquet.Int32 && numeric:
		return b.number(i, float64(v.Int32()))
	case kind == parquet.Int64 && numeric:
		return b.number(i, float64(v.Int64()))
	case kind == parquet.Double:
		t = strconv.AppendFloat(t, v.Double(), 'f', -1, 64)
	case kind == parquet.Float:
		t = strconv.AppendFloat(t, float64(v.Float()), 'f', -1, 32)
	case kind == parquet.Int32:
		t = strconv.AppendInt(t, int64(v.Int32()), 10)
	case kind == parquet.Int64:
		t = strconv.AppendInt(t, v.Int64(), 10)
	case kind == parquet.Boolean && numeric:
		return b.rowError(b.rows, b.fields[i].name, "%v is not a number", v.Boolean())
	case kind == parquet.Boolean:
		t = strconv.AppendBool(t, v.Boolean())
	case kind == parquet.ByteArray || kind == parquet.FixedLenByteArray:
		t = append(t, v.ByteArray()...)
	default:
		return b.rowError(b.rows, b.fields[i].name, "values of type %v cannot be read", kind)
	}
	*text = t
	return b.text(i, t)
}

// WriteParquet writes s as Parquet with the columns of Write.
func WriteParquet(w io.Writer, s *Set) error {
	cols := parquetColumns(s)
	group := parquet.Group{}
	for _, c := range cols {
		group[c.name] = c.node
	}
	schema := parquet.NewSchema("predictions", group)
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Snappy))
	at := make([]int, len(cols))
	for i, c := range cols {
		leaf, ok := schema.Lookup(c.name)
		if !ok {
			return fmt.Errorf("writing predictions: column %q is not in its schema", c.name)
		}
		at[i] = leaf.ColumnIndex
	}
	const batch = 256
	rows := make([]parquet.Row, 0, batch)
	for i := range s.N {
		row := make(parquet.Row, len(cols))
		for k, c := range cols {
			row[at[k]] = c.value(i).Level(0, 0, at[k])
		}
		rows = append(rows, row)
		if len(rows) == batch || i == s.N-1 {
			if _, err := out.WriteRows(rows); err != nil {
				return fmt.Errorf("writing predictions: %w", err)
			}
			rows = rows[:0]
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("writing predictions: %w", err)
	}
	return nil
}

type parquetColumn struct {
	name  string
	node  parquet.Node
	value func(i int) parquet.Value
}

func parquetColumns(s *Set) []parquetColumn {
	text := func(name string, of func(i int) string) parquetColumn {
		return parquetColumn{name, parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
			func(i int) parquet.Value { return parquet.ByteArrayValue([]byte(of(i))) }}
	}
	number := func(name string, of []float64) parquetColumn {
		return parquetColumn{name, parquet.Leaf(parquet.DoubleType), func(i int) parquet.Value { return parquet.DoubleValue(of[i]) }}
	}
	id := parquetColumn{"id", parquet.String(), func(i int) parquet.Value {
		if s.ID == nil {
			return parquet.ByteArrayValue(strconv.AppendInt(nil, int64(i), 10))
		}
		return parquet.ByteArrayValue([]byte(s.ID[i]))
	}}
	cols := []parquetColumn{id}
	if s.Target != nil {
		cols = append(cols, number("label", s.Target), number("prediction", s.Value))
	} else {
		cols = append(cols, text("label", func(i int) string { return s.Classes[s.Label[i]] }),
			text("prediction", func(i int) string { return s.Classes[s.Pred[i]] }))
	}
	if s.Score != nil {
		cols = append(cols, number("score", s.Score))
	}
	for k, p := range s.Proba {
		cols = append(cols, number("p_"+s.Classes[k], p))
	}
	if s.Weight != nil {
		cols = append(cols, number("weight", s.Weight))
	}
	if s.Group != nil {
		cols = append(cols, text("group", func(i int) string { return s.Groups[s.Group[i]] }))
	}
	for _, c := range s.Columns {
		cols = append(cols, text(c.Name, func(i int) string { return c.Levels[c.Code[i]] }))
	}
	return cols
}

// isParquet tells by the name.
func isParquet(path string) bool { return strings.HasSuffix(path, ".parquet") }
