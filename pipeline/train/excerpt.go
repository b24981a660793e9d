package train

import (
	"regexp"
	"strings"
)

// An excerpt shows the error, which is seldom in a log's last lines: what a
// trainer started, or what started it, has the last word.

const (
	excerptLines = 12 // at most
	tailLines    = 10 // where no error is found
)

var (
	// pythonError is the line with which a traceback ends: a dotted name whose
	// last part is a class, and a message.
	pythonError = regexp.MustCompile(`^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|Failure|Refused|NotFound)\w*(?::|$)`)
	goPanic     = regexp.MustCompile(`^(?:panic|fatal error): `)
	goFrame     = regexp.MustCompile(`^\s*/\S+\.go:\d+`)
	compiler    = regexp.MustCompile(`^\S+\.(?:go|rs|c|cc|cpp|h|jl|ts|scala|java):\d+(?::\d+)?: `)
	otherError  = regexp.MustCompile(`^(?:Error in |Error: |ERROR: |Uncaught |Exception in thread |error(?:\[E\d+\])?: |terminate called |Fatal error: |Caused by: )`)
	shellError  = regexp.MustCompile(`(?i)(?:: not found|command not found|no such file or directory|cannot open|can't open|permission denied|is a directory|cannot allocate memory|syntax error)`)
	anyError    = regexp.MustCompile(`(?i)\b(?:error|fatal|exception|panic|failed|failure|killed|aborted|segmentation fault|out of memory|bad_alloc|cannot|could not)\b`)
)

// Excerpt returns the lines of a command's output that say what went wrong,
// printable.
func Excerpt(output []byte) []string { return excerpt(printableLines(output)) }

// excerpt returns the lines that say what went wrong, as far as they can be
// told from others, else the last ones.
func excerpt(lines []string) []string {
	for _, find := range []func([]string) []string{pythonTraceback, panicOf, named} {
		if found := find(lines); len(found) > 0 {
			return clip(found)
		}
	}
	return lines[max(0, len(lines)-tailLines):]
}

func clip(lines []string) []string {
	if len(lines) <= excerptLines {
		return lines
	}
	const after = 3
	out := append([]string{}, lines[:excerptLines-after-1]...)
	out = append(out, "...")
	return append(out, lines[len(lines)-after:]...)
}

const traceback = "Traceback (most recent call last)"

// pythonTraceback is the last traceback's last frame and its exception. Of
// several exceptions in a chain the last one is what ended the program.
func pythonTraceback(lines []string) []string {
	start, prefix := -1, ""
	for i, line := range lines {
		if at := strings.Index(line, traceback+":"); at >= 0 {
			start, prefix = i, line[:at] // torchrun writes "[rank0]: " before each line
		}
	}
	if start < 0 {
		return nil
	}
	frame, end := -1, -1
	for i := start + 1; i < len(lines); i++ {
		line := strings.TrimPrefix(lines[i], prefix)
		if strings.HasPrefix(line, "  File ") {
			frame = i
		}
		if line != "" && line[0] != ' ' {
			end = i
			break
		}
	}
	if end < 0 {
		return nil
	}
	var out []string
	if frame >= 0 {
		out = append(out, lines[frame:end]...)
	}
	out = append(out, lines[end])
	// The message may have more than one line; what follows without being
	// indented may be anybody's.
	for i := end + 1; i < len(lines) && len(out) < excerptLines && strings.HasPrefix(strings.TrimPrefix(lines[i], prefix), " "); i++ {
		out = append(out, lines[i])
	}
	return out
}

// panicOf is a Go panic and the first frame that is not the runtime's.
func panicOf(lines []string) []string {
	for i := len(lines) - 1; i >= 0; i-- {
		if !goPanic.MatchString(lines[i]) {
			continue
		}
		out := []string{lines[i]}
		for j := i + 1; j+1 < len(lines); j++ {
			if goFrame.MatchString(lines[j+1]) && !strings.HasPrefix(lines[j], "panic(") && !strings.HasPrefix(lines[j], "runtime.") {
				return append(out, lines[j], lines[j+1])
			}
		}
		return out
	}
	return nil
}

// named is the last line that has the form of an error, with what stands around
// it; forms that only an error has come before words that others use too.
func named(lines []string) []string {
	for _, form := range []struct {
		is            *regexp.Regexp
		before, after int
	}{{pythonError, 3, 2}, {otherError, 1, 4}, {compiler, 0, 4}, {shellError, 2, 0}, {anyError, 2, 3}} {
		for i := len(lines) - 1; i >= 0; i-- {
			if form.is.MatchString(lines[i]) {
				return lines[max(0, i-form.before):min(len(lines), i+form.after+1)]
			}
		}
	}
	return nil
}
