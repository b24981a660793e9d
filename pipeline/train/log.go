package train

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// boundedLog writes output to a file of at most head+tail bytes and a note:
// the beginning and the end are kept, the middle is dropped. Everything is on
// disk at once, so that a log can be followed and outlives a kill -9: what
// comes after the head goes to two part files in turn.
type boundedLog struct {
	path       string
	head, tail int64
	line       func(string) // gets each complete line

	mu      sync.Mutex
	file    *os.File // the head, until Close the final file
	written int64    // bytes of the head
	parts   [2]*os.File
	sizes   [2]int64
	current int
	total   int64 // bytes after the head
	last    []byte
	err     error
}

const lastBytes = 64 << 10 // enough for a traceback and what a launcher says after it

func newLog(path string, head, tail int64, line func(string)) (*boundedLog, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("making the log: %w", err))
	}
	return &boundedLog{path: path, head: head, tail: tail, line: line, file: f}, nil
}

// Write never fails: a trainer must not die of a log that cannot be kept. The
// first error is returned by Close.
func (l *boundedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remember(p)
	rest := p
	if room := l.head - l.written; room > 0 && len(l.parts) > 0 && l.total == 0 {
		n := min(room, int64(len(rest)))
		l.keep(l.file.Write(rest[:n]))
		l.written += n
		rest = rest[n:]
	}
	for len(rest) > 0 {
		if l.sizes[l.current] >= l.tail {
			l.current = 1 - l.current
			l.sizes[l.current] = 0
			if part := l.parts[l.current]; part != nil {
				l.keep(0, part.Truncate(0))
				_, err := part.Seek(0, io.SeekStart)
				l.keep(0, err)
			}
		}
		if l.parts[l.current] == nil {
			part, err := os.Create(fmt.Sprintf("%s.part%d", l.path, l.current))
			if err != nil {
				l.keep(0, err)
				break
			}
			l.parts[l.current] = part
		}
		n := min(l.tail-l.sizes[l.current], int64(len(rest)))
		l.keep(l.parts[l.current].Write(rest[:n]))
		l.sizes[l.current] += n
		l.total += n
		rest = rest[n:]
	}
	return len(p), nil
}

func (l *boundedLog) keep(_ int, err error) {
	if l.err == nil {
		l.err = err
	}
}

// remember keeps the end for error messages and tells about lines.
func (l *boundedLog) remember(p []byte) {
	before := len(l.last)
	l.last = append(l.last, p...)
	if l.line != nil {
		if end := bytes.LastIndexAny(l.last, "\n\r"); end >= before {
			lines := strings.FieldsFunc(string(l.last[:end]), func(r rune) bool { return r == '\n' || r == '\r' })
			if len(lines) > 0 {
				l.line(printable(lines[len(lines)-1]))
			}
		}
	}
	if extra := len(l.last) - lastBytes; extra > lastBytes {
		l.last = append(l.last[:0], l.last[extra:]...)
	}
}

// lines returns the last lines of output, printable, without empty ones.
func (l *boundedLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return printableLines(l.last)
}

func printableLines(text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		// What a progress bar overwrote is not worth a line.
		line = strings.TrimRight(line, "\r\n")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		if line = printable(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Close puts the parts into the file.
func (l *boundedLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total > 0 {
		if dropped := l.total - l.sizes[0] - l.sizes[1]; dropped > 0 || l.sizes[0]+l.sizes[1] > l.tail {
			// The older part is cut so that just the tail remains.
			older := 1 - l.current
			cut := min(l.sizes[older], max(0, l.sizes[0]+l.sizes[1]-l.tail))
			_, err := fmt.Fprintf(l.file, "\n[... %d bytes of output were dropped here ...]\n", dropped+cut)
			l.keep(0, err)
			l.join(older, cut)
		} else {
			l.join(1-l.current, 0)
		}
		l.join(l.current, 0)
	}
	for _, part := range l.parts {
		if part != nil {
			part.Close()
			os.Remove(part.Name())
		}
	}
	l.keep(0, l.file.Close())
	if l.err != nil {
		return fault.Environment(fmt.Errorf("writing the log %s: %w", l.path, l.err))
	}
	return nil
}

func (l *boundedLog) join(part int, from int64) {
	if l.parts[part] == nil {
		return
	}
	_, err := io.Copy(l.file, io.NewSectionReader(l.parts[part], from, l.sizes[part]-from))
	l.keep(0, err)
}

// printable is one line of outside text without escape sequences and control
// or bidi characters, at most 300 runes.
func printable(line string) string {
	var out strings.Builder
	runes := []rune(strings.ToValidUTF8(line, "�"))
	for i, n := 0, 0; i < len(runes) && n < 300; i++ {
		r := runes[i]
		if r == 0x1b {
			// A terminal's escape sequence: ESC [ parameters letter.
			if i+1 < len(runes) && runes[i+1] == '[' {
				for i += 2; i < len(runes) && (runes[i] < 0x40 || runes[i] > 0x7e); i++ {
				}
			}
			continue
		}
		if r == '\t' {
			r = ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			continue
		}
		out.WriteRune(r)
		n++
	}
	return strings.TrimRight(out.String(), " ")
}
