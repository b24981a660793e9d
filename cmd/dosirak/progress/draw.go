package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

// The escape sequences used are those of ECMA-48 that every terminal knows.
const (
	clearLine  = "\x1b[2K"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	green      = "\x1b[32m"
	red        = "\x1b[31m"
	cyan       = "\x1b[36m"
	dim        = "\x1b[2m"
	reset      = "\x1b[0m"
)

const nameWidth = 10

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

func (p *Printer) write(s string) {
	// There is nowhere to say that standard error is gone.
	_, _ = p.o.Out.Write([]byte(s))
}

// started shows the beginning of s.
func (p *Printer) started(s *step) {
	switch p.o.Kind {
	case Terminal:
		p.draw(true)
	case GitHub:
		p.endGroup()
		p.group = s.name
		title := s.name
		if s.place != "" {
			title += " (" + s.place + ")"
		}
		if s.detail != "" {
			title += ": " + s.detail
		}
		p.write("::group::" + escapeData(title) + "\n")
	default:
		text := "started"
		if s.place != "" {
			text += ", step " + s.place
		}
		if s.detail != "" {
			text += ": " + s.detail
		}
		p.write(line(s.name, text))
	}
}

// updated shows news of s; x is the part concerned, changed says that its
// state did.
func (p *Printer) updated(s *step, x *part, changed bool) {
	if p.o.Kind == Terminal {
		p.draw(changed)
		return
	}
	now := p.o.Now()
	if !changed && now.Sub(s.said) < lineEvery {
		return
	}
	s.said = now
	text := s.progress(now)
	switch {
	case x != nil && changed:
		text = strings.TrimSpace(x.label + " " + x.state)
		if x.took > 0 {
			text += " in " + took(x.took)
		}
		if x.text != "" {
			text += ": " + x.text
		}
		if d, ok := s.left(now); ok && x.ended() {
			text += ", " + about(d)
		}
	case x != nil:
		text = x.label + ": " + x.text
	}
	p.write(line(s.name, text))
}

// ended shows how s ended.
func (p *Printer) ended(s *step, text string, failed bool) {
	sign, colour := "✓", green
	if failed {
		sign, colour = "✗", red
	}
	elapsed := took(p.o.Now().Sub(s.began))
	switch p.o.Kind {
	case Terminal:
		room := p.o.Width() - 1 - 2 - nameWidth - 1 - len(elapsed) - 2
		p.above(p.paint(colour, sign) + " " + pad(s.name, nameWidth) + " " + pad(terminal.Fit(text, max(room, 8)), max(room, 8)) + "  " + p.paint(dim, elapsed))
	case GitHub:
		if p.group == s.name {
			p.endGroup()
		}
		p.write(inert(fmt.Sprintf("%s %s %s %s", sign, pad(s.name, nameWidth), pad(elapsed, 8), text)) + "\n")
	default:
		what := "done in "
		if failed {
			what = "failed after "
		}
		if text != "" {
			text = ": " + text
		}
		p.write(line(s.name, what+elapsed+text))
	}
}

// line is a line of a log. It starts with the step's name, so that nothing
// from outside can stand at its start.
func line(name, text string) string {
	return inert(strings.TrimRight(pad(name, nameWidth)+" "+text, " ")) + "\n"
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-terminal.Cells(s), 0)) }

func took(d time.Duration) string { return report.Millis(float64(d.Milliseconds())) }

// escapeData escapes the value of a workflow command.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func (p *Printer) endGroup() {
	if p.group != "" {
		p.write("::endgroup::\n")
		p.group = ""
	}
}

// above writes lines that stay, over the table.
func (p *Printer) above(lines ...string) {
	var b strings.Builder
	if p.o.Kind == Terminal {
		b.WriteString(p.erase())
		for i, l := range lines {
			lines[i] = l + "\n"
		}
		b.WriteString(strings.Join(lines, ""))
		p.write(b.String())
		p.draw(true)
		return
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	p.write(b.String())
}

// erase returns what takes the table off the screen.
func (p *Printer) erase() string {
	if p.drawn == 0 {
		return ""
	}
	s := strings.Repeat("\x1b[1A"+clearLine, p.drawn) + "\r"
	p.drawn = 0
	return s
}

// draw draws the table in place: at most every redrawEvery unless at once.
func (p *Printer) draw(atOnce bool) {
	now := p.o.Now()
	if !atOnce && now.Sub(p.last) < redrawEvery {
		return
	}
	p.last = now
	rows := p.table(now)
	var b strings.Builder
	b.WriteString(p.erase())
	if !p.hidden && len(rows) > 0 {
		b.WriteString(hideCursor)
		p.hidden = true
	}
	for _, row := range rows {
		b.WriteString(row + "\n")
	}
	p.drawn = len(rows)
	if len(rows) == 0 && p.hidden {
		b.WriteString(showCursor)
		p.hidden = false
	}
	if b.Len() > 0 {
		p.write(b.String())
	}
}

// table returns the rows of what runs. A row is never as wide as the terminal,
// so that it never takes two lines.
func (p *Printer) table(now time.Time) []string {
	var rows []string
	width := p.o.Width() - 1
	for _, s := range p.steps {
		elapsed := took(now.Sub(s.began))
		text := s.progress(now)
		room := max(width-2-nameWidth-1-len(elapsed)-2, 8)
		rows = append(rows, p.paint(cyan, string(spinner[p.frame%len(spinner)]))+" "+pad(s.name, nameWidth)+" "+pad(terminal.Fit(text, room), room)+"  "+p.paint(dim, elapsed))
		shown := s.parts
		// Those that run are what one wants to see; the latest of the others.
		if len(shown) > maxParts {
			shown = nil
			for _, x := range s.parts {
				if !x.ended() {
					shown = append(shown, x)
				}
			}
			if len(shown) > maxParts {
				shown = shown[len(shown)-maxParts:]
			}
		}
		for _, x := range shown {
			rows = append(rows, p.partRow(x, now, width))
		}
		if left := len(s.parts) - len(shown); left > 0 {
			rows = append(rows, p.paint(dim, fmt.Sprintf("    and %d more", left)))
		}
	}
	if len(rows) > 0 && len(p.plan) > 0 {
		rows = append(rows, p.paint(dim, terminal.Fit("  then "+strings.Join(p.plan, ", "), width)))
	}
	return rows
}

func (p *Printer) partRow(x *part, now time.Time, width int) string {
	sign, colour, elapsed := "·", dim, took(now.Sub(x.began))
	text := x.text
	if x.ended() {
		sign, colour, elapsed = "✓", green, took(x.took)
		if x.state == "failed" {
			sign, colour = "✗", red
		}
		if x.state == "reused" {
			elapsed = ""
		}
		text = strings.TrimSpace(x.state + " " + text)
	}
	room := max(width-4-14-1-len(elapsed)-2, 4)
	return strings.TrimRight("  "+p.paint(colour, sign)+" "+pad(terminal.Fit(x.label, 14), 14)+" "+pad(terminal.Fit(text, room), room)+"  "+p.paint(dim, elapsed), " ")
}

func (p *Printer) paint(colour, s string) string {
	if !p.o.Color || s == "" {
		return s
	}
	return colour + s + reset
}

// finish leaves the terminal or log as it was found.
func (p *Printer) finish() {
	p.endGroup()
	if p.o.Kind == Terminal {
		s := p.erase()
		if p.hidden {
			s += showCursor
			p.hidden = false
		}
		if s != "" {
			p.write(s)
		}
	}
}
