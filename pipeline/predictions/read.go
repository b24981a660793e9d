package predictions

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// ReadFile reads a file of predictions; its name tells the format. When ctx
// ends, the error is its.
func ReadFile(ctx context.Context, path string, opts Options) (*Set, error) {
	if strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".jsonl.gz") {
		return readJSONLFile(ctx, path, opts)
	}
	if !table.Readable(path) {
		return nil, usagef("%s: the format is told by the name: %s, or .jsonl (also .gz)", path, table.Names)
	}
	s := &sink{file: path, opts: opts}
	info, err := table.Read(ctx, path, table.Options{}, s)
	if err != nil {
		return nil, err
	}
	return s.b.finish(info.Place)
}

// Read reads CSV predictions from r; name is used in messages.
func Read(ctx context.Context, r io.Reader, name string, opts Options) (*Set, error) {
	s := &sink{file: name, opts: opts}
	info, err := table.ReadText(ctx, r, name, table.Options{}, s)
	if err != nil {
		return nil, err
	}
	return s.b.finish(info.Place)
}

func readJSONLFile(ctx context.Context, path string, opts Options) (*Set, error) {
	text, err := table.Text(ctx, path)
	if err != nil {
		return nil, err
	}
	defer text.Close()
	return readJSONL(text, path, opts)
}

// sink feeds a builder from a table.
type sink struct {
	file string
	opts Options
	b    *builder
	line int // of the record that is read; 0: the format has no lines
	text []byte
}

// Header implements table.Sink.
func (s *sink) Header(h table.Header) (wanted []bool, err error) {
	if s.b, err = newBuilder(s.file, h, s.opts); err != nil {
		return nil, err
	}
	if s.line = h.Line; s.line > 0 {
		s.b.place = func() string { return s.file + ":" + strconv.Itoa(s.line) }
	}
	wanted = make([]bool, len(s.b.fields))
	for i, f := range s.b.fields {
		wanted[i] = f.role != roleSkip
	}
	s.b.rows = int(h.Rows)
	return wanted, nil
}

// Record implements table.Sink.
func (s *sink) Record(r *table.Record) error {
	s.line = r.Line
	for i := range r.Cells() {
		if err := s.b.text(i, r.Cell(i)); err != nil {
			return err
		}
	}
	return s.b.endRow()
}

// Value implements table.Sink.
func (s *sink) Value(column int, v table.Value) error {
	f := s.b.fields[column]
	if f.number() {
		if x, ok := v.Float(); ok {
			return s.b.number(column, x)
		}
	}
	s.text = v.AppendText(s.text[:0])
	return s.b.text(column, s.text)
}
