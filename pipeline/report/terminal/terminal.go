// Package terminal renders a report as a summary that one reads in ten
// seconds: which margins the data is too small for, the verdict and why, the
// metrics that changed with a bar against the margin, one line for each other
// part, and what to do next.
//
// Colour is an option and never the only carrier: every verdict is a word or a
// mark too. The caller decides on colour (NO_COLOR, https://no-color.org) and
// width; this package reads neither environment nor terminal.
package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Options say where the summary is shown.
type Options struct {
	Width int    // columns; 0 means 80, less than 40 means 40, more than 120 means 120
	Color bool   // ANSI colours
	Page  string // where the HTML page is; empty: not said
	// Proposed says that the promotion was proposed already: it is no next step.
	Proposed bool
	// Command makes a next step's command one that can be typed from where the
	// reader is; nil: as it is.
	Command func(string) string
}

const maxMetrics, maxReasons = 12, 5

// Render returns the summary, ending with a newline.
func Render(r *report.Report, o Options) string {
	if o.Width == 0 {
		o.Width = 80
	}
	p := &printer{width: min(max(o.Width, 40), 120), color: o.Color}
	p.head(r)
	p.metrics(r)
	p.lines(r, o)
	return p.b.String()
}

type printer struct {
	b     strings.Builder
	width int
	color bool
}

func (p *printer) head(r *report.Report) {
	if s := r.PowerWarning(); s != "" {
		p.block("! ", "", s)
		p.b.WriteByte('\n')
	}
	badge := " " + r.Outcome() + " "
	p.b.WriteString(p.paint(r.Verdict, badge, true) + "  " + Fit(r.Title(), p.width-Cells(badge)-2) + "\n")
	if facts := r.Facts(); len(facts) > 0 {
		p.block("", "", strings.Join(facts, " · "))
	}
	p.b.WriteByte('\n')
	reasons := r.Reasons()
	for i, reason := range reasons {
		if i == maxReasons {
			p.block("  ", "", fmt.Sprintf("and %d more reasons on the page", len(reasons)-i))
			break
		}
		p.block("  ", "", reason)
	}
	for _, c := range r.Caveats() {
		p.block("! ", "", c)
	}
	p.b.WriteByte('\n')
}

// row is a line of the table of metrics.
type row struct {
	verdict                              verdict.Verdict
	name, baseline, candidate, delta, ci string
	bounds, value                        string
	bar                                  func(width int) string
}

func (p *printer) metrics(r *report.Report) {
	var rows []row
	left, drawn := 0, false
	for _, i := range r.MetricOrder() {
		m := &r.Metrics[i]
		if !m.Changed() || (m.Against == report.AgainstAnchor && m.Verdict == verdict.Pass) {
			continue
		}
		if len(rows) == maxMetrics {
			left++
			continue
		}
		rows = append(rows, rowOf(m))
		drawn = drawn || rows[len(rows)-1].bar != nil
	}
	if len(rows) == 0 {
		return
	}
	head := row{name: "metric", baseline: "baseline", candidate: "candidate", delta: "better by", ci: "low..high", value: "low..high", bounds: "must be"}
	columns := [][]string{column(head, rows, func(r row) string { return r.name })}
	if !r.First() {
		columns = append(columns, column(head, rows, func(r row) string { return r.baseline }))
	}
	columns = append(columns, column(head, rows, func(r row) string { return r.candidate }))
	if !r.First() {
		columns = append(columns, column(head, rows, func(r row) string { return r.delta }))
		columns = append(columns, column(head, rows, func(r row) string { return r.ci }))
	} else {
		columns = append(columns, column(head, rows, func(r row) string { return r.value }))
		columns = append(columns, column(head, rows, func(r row) string { return r.bounds }))
	}
	// In a narrow terminal the interval's figures go first, then the baseline:
	// the bar says most.
	for p.width-2-total(columns) < 13 && len(columns) > 3 {
		columns = columns[:len(columns)-1]
	}
	if over := 2 + total(columns) + 13 - p.width; over > 0 {
		for i, s := range columns[0] {
			columns[0][i] = strings.TrimRight(Fit(s, max(Cells(s)-over, 8)), " ")
		}
	}
	// 4k+1 cells, so that limit and zero fall on cells of their own.
	barWidth := (min(p.width-2-total(columns), 33)-1)/4*4 + 1
	for i := range len(rows) + 1 {
		line := "  "
		var v verdict.Verdict
		if i > 0 {
			v = rows[i-1].verdict
			line = p.paint(v, report.Mark(v), false) + " "
		}
		for c, col := range columns {
			if c == 0 {
				line += pad(col[i], widest(col))
			} else {
				line += "  " + strings.Repeat(" ", widest(col)-Cells(col[i])) + col[i]
			}
		}
		switch {
		case i > 0 && rows[i-1].bar != nil && barWidth >= 9:
			line += "  " + p.paint(v, rows[i-1].bar(barWidth), false)
		case i == 0 && drawn && barWidth >= 9:
			line += "  " + scale(barWidth)
		}
		p.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if left > 0 {
		p.block("  ", "", fmt.Sprintf("and %d more on the page", left))
	}
	if s := r.PassingSummary(); s != "" {
		p.block("  ", "", s)
	}
	p.b.WriteByte('\n')
}

// scale is the heading of the bars: where the limit and no change lie.
func scale(width int) string {
	line := []rune(strings.Repeat(" ", width))
	line[width/4], line[width/2] = '┊', '0'
	return string(line)
}

func rowOf(m *report.Metric) row {
	c := m.Comparison()
	f := c.Figures()
	out := row{verdict: m.Verdict, name: string(m.Name), baseline: f.Baseline, candidate: f.Candidate, delta: f.Improvement, ci: f.Interval, bounds: m.Bounds(), value: m.ValueRange()}
	if m.Against == report.AgainstAnchor {
		out.name += " (anchor)"
	}
	if b, ok := c.Bar(report.TextAxis); ok {
		out.bar = b.Cells
	}
	return out
}

func column(head row, rows []row, get func(row) string) []string {
	out := []string{get(head)}
	for _, r := range rows {
		out = append(out, get(r))
	}
	return out
}

func widest(col []string) int {
	most := 0
	for _, s := range col {
		most = max(most, Cells(s))
	}
	return most
}

func total(columns [][]string) int {
	sum := 0
	for _, c := range columns {
		sum += widest(c) + 2
	}
	return sum
}

func (p *printer) lines(r *report.Report, o Options) {
	for _, l := range r.Lines() {
		p.block(p.paint(l.Verdict, report.Mark(l.Verdict), false)+" ", pad(l.Name, 9), l.Text)
		if l.Name == "proof" {
			p.proof(r.Determinism)
		}
		if l.Name == "export" {
			p.export(r.Export)
		}
	}
	if r.HasIntervals() {
		note := r.IntervalNote()
		if !r.First() {
			note += " ┊ is the margin, │ no change, ● the improvement."
		}
		p.block("  ", pad("reading", 9), note)
	}
	if o.Page != "" {
		// One line, however long: a path that is broken cannot be copied.
		p.b.WriteString("  " + pad("page", 9) + inert(o.Page) + "\n")
	}
	for _, s := range r.Next() {
		if o.Proposed && s.Proposes() {
			continue
		}
		p.block("  ", pad("next", 9), s.Text)
		if s.Command != "" {
			command := s.Command
			if o.Command != nil {
				command = o.Command(command)
			}
			p.b.WriteString("             " + inert(command) + "\n")
		}
	}
}

func (p *printer) proof(d *report.Determinism) {
	for _, text := range []report.Prose{d.FirstDifference, d.HistoryDifference} {
		if text != "" {
			p.block("  ", pad("", 9), "first difference: "+string(text))
		}
	}
}

// export shows a few of the rows; the page has more.
func (p *printer) export(e *report.Export) {
	const few = 3
	for _, d := range e.Differences[:min(len(e.Differences), few)] {
		p.block("  ", pad("", 9), fmt.Sprintf("row %s, %s: trained %s, served %s", d.Row, d.Column, d.Trained, d.Served))
	}
}

// block writes text behind a mark and a label, wrapped and indented below it.
func (p *printer) block(mark, label, text string) {
	indent := strings.Repeat(" ", 2*min(len(mark), 1)+Cells(label))
	p.b.WriteString(Wrap(mark+label, indent, text, p.width))
}

// Wrap returns text behind head in lines of at most width columns, each ending
// with a newline; further lines start with indent, which is as wide as head.
// Words that are longer than a line are cut, and what a job's log would take
// for a workflow command is made harmless.
func Wrap(head, indent, text string, width int) string {
	var b strings.Builder
	line, used := head, 0
	room := width - Cells(indent)
	for _, word := range strings.Fields(text) {
		for _, piece := range pieces(word, room-1) {
			piece = inert(piece)
			n := Cells(piece)
			switch {
			case used == 0:
				line += piece
				used = n
			case used+1+n <= room:
				line += " " + piece
				used += 1 + n
			default:
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line, used = indent+piece, n
			}
		}
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}

// inert keeps outside text from being read as a workflow command where the
// summary is written to a job's log: the runner takes "::" at the start of a
// line, after any spaces, and "##[" anywhere (actions/runner,
// src/Runner.Common/ActionCommand.cs).
func inert(piece string) string {
	if strings.HasPrefix(piece, "::") {
		piece = ": " + piece[1:]
	}
	return strings.ReplaceAll(piece, "##[", "#[")
}

// pieces cuts a word that is longer than a line.
func pieces(word string, room int) []string {
	if Cells(word) <= room {
		return []string{word}
	}
	var out []string
	piece, used := "", 0
	for _, r := range word {
		n := runeCells(r)
		if used+n > room {
			out = append(out, piece)
			piece, used = "", 0
		}
		piece += string(r)
		used += n
	}
	return append(out, piece)
}

const reset = "\x1b[0m"

// paint colours s by verdict; a badge is reversed. The colours are those of
// the terminal's own palette, which its user chose to be able to tell apart.
func (p *printer) paint(v verdict.Verdict, s string, badge bool) string {
	if !p.color {
		if badge {
			return "[" + strings.TrimSpace(s) + "]"
		}
		return s
	}
	code := map[verdict.Verdict]string{verdict.Pass: "32", verdict.Fail: "31", verdict.Inconclusive: "33"}[v]
	switch {
	case code == "":
		return s
	case badge:
		return "\x1b[1;7;" + code + "m" + s + reset
	}
	return "\x1b[" + code + "m" + s + reset
}

// Cells returns how many columns s takes.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-Cells(s), 0)) }

// Fit cuts s to n columns, with an ellipsis.
func Fit(s string, n int) string {
	if Cells(s) <= n {
		return s
	}
	out, used := "", 0
	for _, r := range s {
		if used+runeCells(r) > n-1 {
			break
		}
		out += string(r)
		used += runeCells(r)
	}
	return out + "…"
}
