package table

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// maxRecord is the longest record that is read: beyond it a quote was never
// closed, or the file is no table.
const maxRecord = 64 << 20

// Record is one row of a text format. It is valid until the next one.
type Record struct {
	// Text is all cells, each but the last followed by one byte.
	Text []byte
	// Ends are the ends of the cells in Text.
	Ends []int
	// Line is the line, from 1, on which the record begins.
	Line int
}

// Cells returns the number of cells.
func (r *Record) Cells() int { return len(r.Ends) }

// Cell returns cell i, quotes taken off.
func (r *Record) Cell(i int) []byte {
	if i == 0 {
		return r.Text[:r.Ends[0]]
	}
	return r.Text[r.Ends[i-1]+1 : r.Ends[i]]
}

// records splits lines into records.
type records struct {
	name      string // for messages
	separator byte
	in        *bufio.Reader
	long      []byte // a line longer than the buffer of in
	ending    string // of the last line: LF or CRLF; nothing or CR at the end of the file
	line      int    // number of the last line that was read
	header    []string
	record    Record
	unquoted  []byte
}

func newRecords(r io.Reader, name string, separator byte) *records {
	return &records{name: name, separator: separator, in: bufio.NewReaderSize(r, 1<<17)}
}

// readText hands a text table to a sink.
func readText(ctx context.Context, r io.Reader, name string, separator byte, l limits, sink Sink) (Lines, error) {
	c := newRecords(r, name, separator)
	head, err := c.next()
	if err == io.EOF {
		return Lines{}, refuse(name, max(c.line, 1), "the file is empty; its first line must name the columns")
	}
	if err != nil {
		return Lines{}, err
	}
	names := make([]string, head.Cells())
	for i := range names {
		names[i] = string(head.Cell(i))
	}
	if err := checkHeader(name, head.Line, names, l); err != nil {
		return Lines{}, err
	}
	if _, err := sink.Header(Header{Names: names, Line: head.Line}); err != nil {
		return Lines{}, err
	}
	c.header = names
	var lines Lines
	for row := 0; ; row++ {
		record, err := c.next()
		if err == io.EOF {
			return lines, ctx.Err()
		}
		if err != nil {
			return Lines{}, err
		}
		if record.Cells() != len(names) {
			return Lines{}, c.ragged(record)
		}
		if (row+1)*len(names) > l.cells {
			return Lines{}, refuse(name, record.Line, "more than %d cells; split the file", l.cells)
		}
		if extra := record.Line - (row + 2); extra != lines.extra() {
			lines.breaks = append(lines.breaks, lineBreak{row: row, extra: extra})
		}
		if err := sink.Record(record); err != nil {
			return Lines{}, err
		}
	}
}

func (c *records) ragged(r *Record) error {
	has, want := r.Cells(), len(c.header)
	switch {
	case has == want+1 && r.Line == 2:
		return refuse(c.name, r.Line, "row has %s, header has %d: if the first is an index without a name, write the file without it (pandas: index=False, R: row.names=FALSE)", plural(has, "field"), want)
	case has < want:
		return refuse(c.name, r.Line, "row has %s, header has %d: nothing stands for column %q", plural(has, "field"), want, clip(c.header[has]))
	}
	return refuse(c.name, r.Line, "row has %s, header has %d: %q stands after the last column", plural(has, "field"), want, clip(string(r.Cell(want))))
}

// readLine returns the next line without its end, valid until the next call.
func (c *records) readLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		c.long = append(c.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(c.long) > maxRecord {
				return nil, refuse(c.name, c.line+1, "the line is longer than %d MiB", maxRecord>>20)
			}
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
	if c.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if at := bytes.IndexByte(line, 0); at >= 0 {
		return nil, refuse(c.name, c.line, "%sthere is a NUL byte; the file is damaged, or UTF-16: save it as UTF-8", c.column(line, at))
	}
	if !utf8.Valid(line) {
		return nil, refuse(c.name, c.line, "%sthe text is not UTF-8; save the file as UTF-8", c.column(line, invalid(line)))
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

// invalid returns where the first byte is that is no UTF-8.
func invalid(line []byte) int {
	for at := 0; at < len(line); {
		r, size := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(line)
}

// column names the column of a byte of a line, for a message.
func (c *records) column(line []byte, at int) string {
	cell := bytes.Count(line[:at], []byte{c.separator})
	if cell < len(c.header) && bytes.IndexByte(line[:at], '"') < 0 {
		return fmt.Sprintf("column %q: ", clip(c.header[cell]))
	}
	return ""
}

// next returns the next record, blank lines passed over.
func (c *records) next() (*Record, error) {
	blank := 0
	for {
		line, err := c.readLine()
		if err != nil {
			return nil, err
		}
		if c.blank(line) {
			if blank == 0 {
				blank = c.line
			}
			continue
		}
		if blank > 0 && len(c.header) == 1 {
			return nil, refuse(c.name, blank, "the line is blank; delete it, or write \"\" for an empty cell")
		}
		return c.split(line)
	}
}

// blank reports whether a line is no row: empty, or spaces alone in a table of
// several columns.
func (c *records) blank(line []byte) bool {
	if len(line) == 0 || len(c.header) == 1 || line[0] > ' ' {
		return len(line) == 0
	}
	for _, char := range line {
		if char != ' ' && char != '\t' || char == c.separator {
			return false
		}
	}
	return true
}

// split splits the record that begins with line, and reads further lines while
// a quoted cell goes on.
func (c *records) split(line []byte) (*Record, error) {
	r := &c.record
	r.Line, r.Ends = c.line, r.Ends[:0]
	if bytes.IndexByte(line, '"') < 0 {
		// Nearly every record: the line is its text as it is.
		ends, separator := r.Ends, c.separator
		for i, char := range line {
			if char == separator {
				ends = append(ends, i)
			}
		}
		r.Text, r.Ends = line, append(ends, len(line))
		return r, nil
	}
	c.unquoted = c.unquoted[:0]
	for {
		if len(line) > 0 && line[0] == '"' {
			rest, err := c.quoted(line[1:])
			if err != nil {
				return nil, err
			}
			line = rest
		} else {
			cell := line
			if end := bytes.IndexByte(line, c.separator); end >= 0 {
				cell = line[:end]
			}
			if bytes.IndexByte(cell, '"') >= 0 {
				return nil, refuse(c.name, c.line, "%s has a quote but does not begin with one; quote the whole cell and double the quotes inside it", c.cell())
			}
			c.unquoted = append(c.unquoted, cell...)
			line = line[len(cell):]
		}
		if len(line) > 0 && line[0] != c.separator {
			return nil, refuse(c.name, c.line, "%s goes on after its closing quote; double a quote that belongs to the text", c.cell())
		}
		r.Ends = append(r.Ends, len(c.unquoted))
		if len(line) == 0 {
			r.Text = c.unquoted
			return r, nil
		}
		c.unquoted = append(c.unquoted, c.separator)
		line = line[1:]
	}
}

// cell names the cell that is being read, for a message.
func (c *records) cell() string {
	at := len(c.record.Ends)
	if at < len(c.header) {
		return fmt.Sprintf("column %q: the cell", clip(c.header[at]))
	}
	return "cell " + strconv.Itoa(at+1)
}

// quoted appends the text of a quoted cell, whose opening quote is taken off,
// and returns what follows the closing quote on its line.
func (c *records) quoted(line []byte) ([]byte, error) {
	first := c.line
	for {
		quote := bytes.IndexByte(line, '"')
		switch {
		case quote < 0:
			c.unquoted = append(c.unquoted, line...)
			c.unquoted = append(c.unquoted, c.ending...)
			if len(c.unquoted) > maxRecord {
				return nil, refuse(c.name, first, "%s is longer than %d MiB; is a quote never closed?", c.cell(), maxRecord>>20)
			}
			next, err := c.readLine()
			if err == io.EOF {
				return nil, refuse(c.name, first, "%s begins with a quote that is never closed", c.cell())
			}
			if err != nil {
				return nil, err
			}
			line = next
		case quote+1 < len(line) && line[quote+1] == '"':
			c.unquoted = append(c.unquoted, line[:quote+1]...)
			line = line[quote+2:]
		default:
			c.unquoted = append(c.unquoted, line[:quote]...)
			return line[quote+1:], nil
		}
	}
}

// separators are those that are looked for, and how each is called.
var separators = []struct {
	char  byte
	named string // as Options.Separator and a message have it
}{{',', `","`}, {';', `";"`}, {'\t', `"\t" (a tab)`}, {'|', `"|"`}}

// sampleRecords is how many records of a file the separator is judged by.
const sampleRecords = 100

// findSeparator returns the separator of the text that begins with sample.
func findSeparator(sample []byte, whole bool, name string, usual byte, prefer bool) (byte, error) {
	if !whole {
		// The last line may be cut.
		sample = sample[:bytes.LastIndexByte(sample, '\n')+1]
	}
	var fits []string
	var found byte
	likely, most := usual, 1
	for _, s := range separators {
		header, even := columnsBy(sample, whole, s.char)
		if header > 1 && even {
			if prefer && s.char == usual {
				return usual, nil
			}
			fits, found = append(fits, s.named), s.char
		}
		if header > most || header == most && header > 1 && s.char == usual {
			likely, most = s.char, header
		}
	}
	switch len(fits) {
	case 0:
		// One column, or rows that are not even: the reader says where.
		return likely, nil
	case 1:
		return found, nil
	}
	return 0, fault.At(name, fault.TwoReadings.Usage(fmt.Errorf("%s:1: the cells may be separated by %s or by %s: the header and the rows have the same number of cells either way; name one in data.separator", name, fits[0], fits[1])))
}

// columnsBy returns the number of cells of the header by one separator, and
// whether the records after it have as many.
func columnsBy(sample []byte, whole bool, separator byte) (header int, even bool) {
	c := newRecords(bytes.NewReader(sample), "", separator)
	for n := range sampleRecords {
		r, err := c.next()
		if err == io.EOF || err != nil && !whole && n > 1 && c.atEnd() {
			break
		}
		if err != nil {
			return header, false
		}
		if n == 0 {
			header = r.Cells()
		} else if r.Cells() != header {
			return header, false
		}
	}
	return header, true
}

// atEnd reports whether nothing is left to read: a quoted cell that is open
// there may be closed behind the sample.
func (c *records) atEnd() bool {
	_, err := c.in.Peek(1)
	return err != nil
}

// parseSeparator reads Options.Separator.
func parseSeparator(text string) (byte, error) {
	switch {
	case text == "tab" || text == `\t`:
		return '\t', nil
	case len(text) == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r' && text[0] != 0 && text[0] < utf8.RuneSelf:
		return text[0], nil
	}
	return 0, fmt.Errorf("the separator %q is not one character such as \",\", \";\", \"|\" or \"\\t\"", clip(text))
}

// CheckSeparator reports what is wrong with a separator that a config names;
// "" is right: then it is found.
func CheckSeparator(text string) error {
	if text == "" {
		return nil
	}
	_, err := parseSeparator(text)
	return err
}

// Lines tells on which line of its file a row begins.
type Lines struct {
	breaks []lineBreak
}

// lineBreak says that rows from row on stand extra lines further down than one
// line a row would put them: an earlier cell had line breaks, or lines are blank.
type lineBreak struct{ row, extra int }

func (l *Lines) extra() int {
	if len(l.breaks) == 0 {
		return 0
	}
	return l.breaks[len(l.breaks)-1].extra
}

// Line returns the line, from 1, on which row i, from 0, begins.
func (l *Lines) Line(i int) int {
	line := i + 2 // after the header, from 1
	at, found := slices.BinarySearchFunc(l.breaks, i, func(b lineBreak, row int) int { return b.row - row })
	if !found {
		at--
	}
	if at >= 0 {
		line += l.breaks[at].extra
	}
	return line
}
