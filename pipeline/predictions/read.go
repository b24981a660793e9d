package predictions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// reading: predictions are separated by commas; where another separator fits as
// well, it is a comma all the same.
var reading = table.Options{Usual: true}

// ReadFile reads a file of predictions; its name tells the format. When ctx
// ends, the error is its.
func ReadFile(ctx context.Context, path string, opts Options) (*Set, error) {
	if strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".jsonl.gz") {
		return readJSONLFile(ctx, path, opts)
	}
	if !table.Readable(path) {
		return nil, fault.NoTable.Usage(fmt.Errorf("%s: the format is told by the name: %s, or .jsonl (also .gz)", path, table.Names))
	}
	s := &sink{file: path, opts: opts}
	info, err := table.Read(ctx, path, reading, s)
	if err != nil {
		return nil, err
	}
	return s.b.finish(info.Place)
}

// ReadFiles reads several files at once, in the order of paths; "" is no file
// and nil. The error names every file that cannot be read, in that order.
func ReadFiles(ctx context.Context, opts Options, paths ...string) ([]*Set, error) {
	sets, failed := make([]*Set, len(paths)), make([]error, len(paths))
	var all sync.WaitGroup
	for i, path := range paths {
		if path != "" {
			all.Go(func() { sets[i], failed[i] = ReadFile(ctx, path, opts) })
		}
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return sets, errors.Join(failed...)
}

// Read reads CSV predictions from r; name is used in messages.
func Read(ctx context.Context, r io.Reader, name string, opts Options) (*Set, error) {
	s := &sink{file: name, opts: opts}
	info, err := table.ReadText(ctx, r, name, reading, s)
	if err != nil {
		return nil, err
	}
	return s.b.finish(info.Place)
}

// ReadBytes reads a file of predictions that lies in memory, of JSON lines
// excepted; name tells its format and stands in messages.
func ReadBytes(ctx context.Context, data []byte, name string, opts Options) (*Set, error) {
	s := &sink{file: name, opts: opts}
	info, err := table.ReadFrom(ctx, bytes.NewReader(data), int64(len(data)), name, reading, s)
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
	file    string
	opts    Options
	b       *builder
	line    int // of the record that is read; 0: the format has no lines
	scratch [64]byte
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

// Values implements table.Sink.
func (s *sink) Values(column int, v table.Values) error {
	numbers := v.Numbers() && s.b.fields[column].number()
	for i := range v.Len() {
		if numbers {
			if x, ok := v.Float(i); ok {
				if err := s.b.number(column, x); err != nil {
					return err
				}
				continue
			}
		}
		if err := s.b.text(column, v.Text(s.scratch[:], i)); err != nil {
			return err
		}
	}
	return nil
}
