package predictions

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// maxRecord is the longest line that is read: beyond it the file is not one of
// predictions.
const maxRecord = 16 << 20

var errLongField = errors.New("the line is longer than 16 MiB")

// readJSONL reads one object of scalars a line. The first line's keys are the
// columns; every line must have the same, in any order.
func readJSONL(r io.Reader, file string, opts Options) (*Set, error) {
	lines := bufio.NewReaderSize(r, 1<<18)
	var b *builder
	var at map[string]int
	var row []jsonField
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errLongField) {
			return nil, usagef("%s:%d: %w", file, number, err)
		}
		if err != nil {
			return nil, table.Failed(file, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if row, err = parseObject(line, row[:0]); err != nil {
			return nil, usagef("%s:%d: %w", file, number, err)
		}
		if b == nil {
			header := make([]string, len(row))
			at = make(map[string]int, len(row))
			for i, f := range row {
				header[i] = string(f.key)
				at[header[i]] = i
			}
			if b, err = newBuilder(file, table.Header{Names: header}, opts); err != nil {
				return nil, err
			}
			b.place = func() string { return file + ":" + strconv.Itoa(number) }
		}
		if len(row) != len(b.fields) {
			return nil, usagef("%s:%d: the line has %d keys, the first has %d", file, number, len(row), len(b.fields))
		}
		for i, f := range row {
			column := i
			if b.fields[i].name != string(f.key) {
				var ok bool
				if column, ok = at[string(f.key)]; !ok {
					return nil, usagef("%s:%d: key %q is not among those of the first line", file, number, clip(f.key))
				}
			}
			if err := b.text(column, f.value); err != nil {
				return nil, err
			}
		}
		// A key twice stands for another that is missing.
		for _, f := range b.fields {
			if f.length() != b.rows+1 && f.role != roleSkip {
				return nil, usagef("%s:%d: key %q is missing or stands there twice", file, number, f.name)
			}
		}
		if err := b.endRow(); err != nil {
			return nil, err
		}
	}
	if b == nil {
		return nil, usagef("%s: the file is empty", file)
	}
	return b.finish(new(table.Info).Place)
}

// length is the number of values that the field has collected.
func (f *field) length() int { return len(f.numbers) + len(f.codes) + len(f.ends) }

func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			return line, nil
		}
		return line, err
	}
	long := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > maxRecord {
			return nil, errLongField
		}
		line, err = r.ReadSlice('\n')
		long = append(long, line...)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return long, err
}

type jsonField struct{ key, value []byte }

// parseObject splits a flat JSON object. Texts with escapes are handed to
// encoding/json; null is an empty text.
func parseObject(line []byte, out []jsonField) ([]jsonField, error) {
	line = bytes.TrimSpace(line)
	if !json.Valid(line) || line[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	// The line is valid JSON, so only the kinds of values need looking at.
	i := 1
	space := func() {
		for line[i] == ' ' || line[i] == '\t' || line[i] == '\n' || line[i] == '\r' {
			i++
		}
	}
	text := func() []byte {
		start, escaped := i, false
		for i++; line[i] != '"'; i++ {
			if line[i] == '\\' {
				escaped = true
				i++
			}
		}
		i++
		if !escaped {
			return line[start+1 : i-1]
		}
		var s string
		// Valid JSON always decodes.
		_ = json.Unmarshal(line[start:i], &s)
		return []byte(s)
	}
	for {
		space()
		if line[i] == '}' {
			return out, nil
		}
		if line[i] == ',' {
			i++
			space()
		}
		f := jsonField{key: text()}
		space()
		i++ // the colon
		space()
		switch line[i] {
		case '"':
			f.value = text()
		case '{', '[':
			return nil, fmt.Errorf("key %q holds a list or an object; predictions are flat", clip(f.key))
		default:
			start := i
			for line[i] != ',' && line[i] != '}' && line[i] > ' ' {
				i++
			}
			if f.value = line[start:i]; string(f.value) == "null" {
				f.value = nil
			}
		}
		out = append(out, f)
	}
}
