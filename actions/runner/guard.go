package runner

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Guard returns a writer to w that takes the meaning from lines which the
// runner would read as commands. Lines are passed on whole; Close passes on the
// last one.
func Guard(w io.Writer) io.WriteCloser { return &guard{w: w} }

// maxLine bounds what is held back of a line without an end.
const maxLine = 64 << 10

type guard struct {
	mu      sync.Mutex
	w       io.Writer
	partial []byte
}

func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out bytes.Buffer
	for _, b := range p {
		// The runner ends a line at CR, LF and CR LF (.NET's ReadLine).
		if b == '\n' || b == '\r' {
			out.WriteString(inert(string(g.partial)))
			out.WriteByte(b)
			g.partial = g.partial[:0]
			continue
		}
		if g.partial = append(g.partial, b); len(g.partial) >= maxLine {
			out.WriteString(inert(string(g.partial)) + "\n")
			g.partial = g.partial[:0]
		}
	}
	if _, err := g.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (g *guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := io.WriteString(g.w, inert(string(g.partial)))
	g.partial = nil
	return err
}

// inert returns a line that the runner reads as text.
func inert(line string) string {
	line = strings.ReplaceAll(line, "##[", "# #[")
	trimmed := strings.TrimLeftFunc(line, blank)
	if strings.HasPrefix(trimmed, "::") {
		return line[:len(line)-len(trimmed)] + ": :" + trimmed[2:]
	}
	return line
}

// blank reports what may stand before a command: white space, and characters
// that are not seen, which some readers take away first.
func blank(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 || r == 0xfeff || r >= 0x2000 && r <= 0x200f || r >= 0x2028 && r <= 0x202f || r >= 0x205f && r <= 0x206f || r == 0x3000
}
