package predictions

import (
	"bytes"
	"errors"
	"io"
)

// maxRecord is the longest line that is read: beyond it the file is not one of
// predictions (a quote that is never closed, say).
const maxRecord = 16 << 20

// records splits a CSV stream into records (RFC 4180). Fields are valid until
// the next call.
type records struct {
	r      io.Reader
	buf    []byte
	from   int // start of what is not yet consumed
	to     int // end of what has been read
	eof    bool
	fields [][]byte
	text   []byte // unquoted fields of the current record
}

var (
	errQuote     = errors.New("a quote is not closed, or stands inside a field that is not quoted")
	errLongField = errors.New("the row is longer than 16 MiB")
)

func newRecords(r io.Reader) *records {
	return &records{r: r, buf: make([]byte, 256<<10)}
}

// fill reads more, making room first; it returns false at the end.
func (c *records) fill() (bool, error) {
	if c.eof {
		return false, nil
	}
	if c.from > 0 {
		copy(c.buf, c.buf[c.from:c.to])
		c.to -= c.from
		c.from = 0
	}
	if c.to == len(c.buf) {
		if len(c.buf) >= maxRecord {
			return false, errLongField
		}
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.r.Read(c.buf[c.to:])
	c.to += n
	if errors.Is(err, io.EOF) {
		c.eof = true
		return n > 0, nil
	}
	return true, err
}

// next returns the fields of the next record that is not an empty line, or
// io.EOF.
func (c *records) next() ([][]byte, error) {
	searched := 0
	for {
		nl := bytes.IndexByte(c.buf[c.from+searched:c.to], '\n')
		end := c.from + searched + nl
		if nl < 0 {
			searched = c.to - c.from
			more, err := c.fill()
			if err != nil {
				return nil, err
			}
			if more || !c.eof {
				continue
			}
			if c.from == c.to {
				return nil, io.EOF
			}
			end = c.to
		}
		line := c.buf[c.from:end]
		if bytes.IndexByte(line, '"') >= 0 {
			done, err := c.quoted()
			if err != nil {
				return nil, err
			}
			if done {
				return c.fields, nil
			}
			// The record goes on behind this line's end.
			searched = end - c.from + 1
			if nl < 0 {
				return nil, errQuote
			}
			continue
		}
		c.from = min(end+1, c.to)
		searched = 0
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) == 0 {
			if c.from == c.to && c.eof {
				return nil, io.EOF
			}
			continue
		}
		c.fields = c.fields[:0]
		start := 0
		for i, b := range line {
			if b == ',' {
				c.fields = append(c.fields, line[start:i])
				start = i + 1
			}
		}
		c.fields = append(c.fields, line[start:])
		return c.fields, nil
	}
}

// quoted parses a record with quotes at c.from. It returns false when the
// buffer ends within a quoted field.
func (c *records) quoted() (bool, error) {
	data := c.buf[c.from:c.to]
	c.text = c.text[:0]
	var ends []int
	i := 0
	for {
		if i < len(data) && data[i] == '"' {
			i++
			for {
				q := bytes.IndexByte(data[i:], '"')
				if q < 0 {
					return false, nil
				}
				c.text = append(c.text, data[i:i+q]...)
				i += q + 1
				if i == len(data) && !c.eof {
					return false, nil // the next byte decides
				}
				if i < len(data) && data[i] == '"' {
					c.text = append(c.text, '"')
					i++
					continue
				}
				break
			}
		} else {
			start := i
			for i < len(data) && data[i] != ',' && data[i] != '\n' {
				if data[i] == '"' {
					return false, errQuote
				}
				i++
			}
			if i == len(data) && !c.eof {
				return false, nil
			}
			field := data[start:i]
			if i == len(data) || data[i] == '\n' {
				field = bytes.TrimSuffix(field, []byte{'\r'})
			}
			c.text = append(c.text, field...)
		}
		ends = append(ends, len(c.text))
		if i < len(data) && data[i] == '\r' && (i+1 == len(data) || data[i+1] == '\n') {
			i++
		}
		if i >= len(data) || data[i] == '\n' {
			c.from = min(c.from+i+1, c.to)
			break
		}
		if data[i] != ',' {
			return false, errQuote
		}
		i++
	}
	c.fields = c.fields[:0]
	start := 0
	for _, end := range ends {
		c.fields = append(c.fields, c.text[start:end])
		start = end
	}
	return true, nil
}

// readCSV reads predictions from r; file is the name for messages.
func readCSV(r io.Reader, file string, opts Options) (*Set, error) {
	c := newRecords(r)
	head, err := c.next()
	if errors.Is(err, io.EOF) {
		return nil, usagef("%s: the file is empty", file)
	}
	if err != nil {
		return nil, usagef("%s: header: %w", file, err)
	}
	header := make([]string, len(head))
	for i, name := range head {
		if i == 0 {
			name = bytes.TrimPrefix(name, []byte("\uFEFF"))
		}
		header[i] = string(name)
	}
	b, err := newBuilder(file, header, opts)
	if err != nil {
		return nil, err
	}
	for {
		fields, err := c.next()
		if errors.Is(err, io.EOF) {
			return b.finish()
		}
		if err != nil {
			return nil, usagef("%s: row %d: %w", file, b.rows+1, err)
		}
		if len(fields) != len(header) {
			return nil, usagef("%s: row %d has %d fields, the header has %d", file, b.rows+1, len(fields), len(header))
		}
		for i, text := range fields {
			if err := b.text(i, text); err != nil {
				return nil, err
			}
		}
		if err := b.endRow(); err != nil {
			return nil, err
		}
	}
}
