package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// csvReader reads lines and splits them into cells.
type csvReader struct {
	*builder
	in      *bufio.Reader
	long    []byte // a line longer than the buffer of in
	ending  string // of the last line: LF or CRLF; nothing or CR at the end of the file
	line    int    // number of the last line that was read
	blank   int    // number of the first of the blank lines before here, or 0
	started bool
}

// readCSV fills b from a CSV file.
func readCSV(r io.Reader, b *builder) error {
	c := &csvReader{builder: b, in: bufio.NewReaderSize(r, 1<<16)}
	for {
		line, err := c.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(line) == 0 {
			if c.blank == 0 {
				c.blank = c.line
			}
			continue
		}
		if c.blank != 0 {
			return c.refuse(c.blank, "the line is blank; delete it, or write \"\" for one empty cell")
		}
		if err := c.record(line); err != nil {
			return err
		}
	}
	if b.header == nil {
		return c.refuse(1, "the file is empty; its first line must name the columns")
	}
	return nil
}

// next returns the next line without its end, valid until the next call.
func (c *csvReader) next() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		c.long = append(c.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = c.in.ReadSlice('\n')
			c.long = append(c.long, line...)
		}
		line = c.long
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(line) == 0 {
		return nil, io.EOF
	}
	c.line++
	if !c.started {
		c.started = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return nil, c.refuse(c.line, "the line has a NUL byte; the file is damaged, or UTF-16: save it as UTF-8")
	}
	if !utf8.Valid(line) {
		return nil, c.refuse(c.line, "the line is not UTF-8; save the file as UTF-8")
	}
	content := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
	switch len(line) - len(content) {
	case 2:
		c.ending = "\r\n"
	case 1:
		c.ending = string(line[len(line)-1:])
	default:
		c.ending = ""
	}
	return content, nil
}

// record takes in the record that begins with line, and reads further lines
// while a quoted cell goes on.
func (c *csvReader) record(line []byte) error {
	first := c.line
	if c.header == nil {
		// The header's cells go through a builder of their own.
		head := &csvReader{builder: &builder{name: c.name, limits: c.limits, offsets: []uint32{0}}, in: c.in, ending: c.ending, line: c.line, started: true}
		if _, err := head.split(line); err != nil {
			return err
		}
		c.line = head.line
		if err := c.setHeader(first, head.texts()); err != nil {
			return err
		}
		if extra := c.line - first; extra > 0 {
			c.breaks = append(c.breaks, lineBreak{row: 0, extra: extra})
		}
		return nil
	}
	cells, err := c.split(line)
	if err != nil {
		return err
	}
	return c.endRow(first, c.line-first+1, cells)
}

// texts returns the cells that were read so far.
func (b *builder) texts() []string {
	all := b.text.String()
	out := make([]string, 0, len(b.offsets))
	for k := 1; k < len(b.offsets); k++ {
		out = append(out, all[b.offsets[k-1]:b.offsets[k]-1])
	}
	return out
}

// split appends the cells of a record to the builder and returns their number.
func (c *csvReader) split(line []byte) (int, error) {
	if bytes.IndexByte(line, '"') < 0 {
		return c.unquoted(line), nil
	}
	for cells := 1; ; cells++ {
		if len(line) > 0 && line[0] == '"' {
			rest, err := c.quoted(line[1:])
			if err != nil {
				return 0, err
			}
			line = rest
		} else {
			cell := line
			if comma := bytes.IndexByte(line, ','); comma >= 0 {
				cell = line[:comma]
			}
			if bytes.IndexByte(cell, '"') >= 0 {
				return 0, c.refuse(c.line, "cell %d has a quote but does not begin with one; quote the whole cell and double the quotes inside it", cells)
			}
			c.text.Write(cell)
			line = line[len(cell):]
		}
		c.endCell()
		if len(line) == 0 {
			return cells, nil
		}
		if line[0] != ',' {
			return 0, c.refuse(c.line, "cell %d goes on after its closing quote; double a quote that belongs to the text", cells)
		}
		line = line[1:]
	}
}

// unquoted does the same for a record without quotes, which is nearly every
// one: the line is copied as it is, its commas serve as separators.
func (c *csvReader) unquoted(line []byte) int {
	start, cells := c.text.Len()+1, 1
	c.text.Write(line)
	offsets := c.offsets
	for i, char := range line {
		if char == ',' {
			offsets = append(offsets, uint32(start+i))
			cells++
		}
	}
	c.offsets = offsets
	c.endCell()
	return cells
}

// quoted appends the text of a quoted cell, whose opening quote is taken off,
// and returns what follows the closing quote on its line.
func (c *csvReader) quoted(line []byte) ([]byte, error) {
	first := c.line
	for {
		quote := bytes.IndexByte(line, '"')
		switch {
		case quote < 0:
			c.text.Write(line)
			c.text.WriteString(c.ending)
			next, err := c.next()
			if err == io.EOF {
				return nil, c.refuse(first, "a quoted cell that begins on this line is never closed")
			}
			if err != nil {
				return nil, err
			}
			line = next
		case quote+1 < len(line) && line[quote+1] == '"':
			c.text.Write(line[:quote+1])
			line = line[quote+2:]
		default:
			c.text.Write(line[:quote])
			return line[quote+1:], nil
		}
	}
}
