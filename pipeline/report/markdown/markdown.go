// Package markdown renders a report for GitHub: as the comment on a pull
// request and as a job's step summary. The verdict stands first, the metrics
// that changed next with a bar against the margin, the rest folded.
//
// Text from outside is escaped (escape.go): it can neither mention, refer nor
// link, nor break out of a cell.
//
// GitHub refuses a comment of more than 65,536 characters, and a step summary
// of more than 1 MiB (docs.github.com, "Workflow commands", "Adding a job
// summary"). Where the whole is longer than the limit, a shorter form is
// taken: without the long lists, then without what is folded, then the
// reasons alone, at last the verdict. It says that it is shortened.
//
// A comment that is edited in place forgets; so it carries what its earlier
// versions came to (history.go).
package markdown

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

const (
	// CommentLimit is GitHub's limit of a comment in characters. Held in
	// bytes, which are never fewer.
	CommentLimit = 65_536
	// SummaryLimit is GitHub's limit of a step summary in bytes.
	SummaryLimit = 1 << 20
)

// Options say where the text goes.
type Options struct {
	Limit int    // bytes at most; 0 means GitHub's limit
	Page  string // https URL of the page or of the run; anything else is left out
	// Repository is the https URL of the repository: commits become links.
	Repository string
	// Place says where the text is read, and with that what can be done there.
	Place report.Place
	// Proposed says where the model is proposed already.
	Proposed report.Proposal
	// History are earlier runs of the same pull request, newest first, such as
	// Recall finds them in the comment as it was. At most MaxHistory are shown;
	// those of the report's own commit are not.
	History []Past
	// Remember writes what Recall reads, as a hidden line at the end, within
	// Limit. The shortest form has no room for it.
	Remember bool
}

// Comment returns the comment on a pull request.
func Comment(r *report.Report, o Options) string {
	if o.Limit == 0 {
		o.Limit = CommentLimit
	}
	return ladder(r, o, false, false)
}

// Promotion returns what a promotion's pull request says of the run: the same,
// without what would be next. Without a repository it is for a terminal, and
// nothing is folded in it.
func Promotion(r *report.Report, o Options) string {
	if o.Limit == 0 {
		o.Limit = CommentLimit
	}
	// What the place leaves out of the next steps is the proposal itself.
	if o.Repository == "" {
		w := &writer{r: r, form: form{rows: 40, table: true, reasons: 12}, limit: o.Limit, proposal: true}
		return w.render(false)
	}
	return ladder(r, o, false, true)
}

// Summary returns the step summary: the same, with metrics and slices
// unfolded.
func Summary(r *report.Report, o Options) string {
	if o.Limit == 0 {
		o.Limit = SummaryLimit
	}
	return ladder(r, o, true, false)
}

// form is a rung of the ladder.
type form struct {
	rows    int  // of a list at the top
	details bool // the folded parts
	items   int  // of a folded list
	table   bool
	reasons int
}

var forms = []form{
	{rows: 40, details: true, items: 500, table: true, reasons: 12},
	{rows: 40, details: true, items: 40, table: true, reasons: 12},
	{rows: 20, table: true, reasons: 8},
	{reasons: 5},
	{reasons: 0},
}

func ladder(r *report.Report, o Options, open, proposal bool) string {
	var text string
	for i, f := range forms {
		w := &writer{r: r, form: f, open: open, proposal: proposal, page: pageURL(o.Page), repository: strings.TrimSuffix(pageURL(o.Repository), "/"), place: o.Place, proposed: o.Proposed, limit: o.Limit, past: earlier(r, o.History), keep: o.Remember}
		text = w.render(i > 0)
		if !w.over() {
			return text
		}
	}
	return text
}

// pageURL returns raw as a link's target that ends where it should, or "".
func pageURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "|", "%7C", "`", "%60", "*", "%2A", "_", "%5F").Replace(u.String())
}

type writer struct {
	b          strings.Builder
	r          *report.Report
	form       form
	open       bool
	page       string
	repository string
	place      report.Place
	proposed   report.Proposal
	limit      int

	before int      // bytes outside of the group that is written
	titles []string // of its sections
	unfold bool

	proposal bool // the text is a promotion's
	past     []Past
	keep     bool
}

// over reports that this form is too long; the parts ask before they go on.
func (w *writer) over() bool { return w.before+w.b.Len() > w.limit }

func (w *writer) str(s string)   { w.b.WriteString(s) }
func (w *writer) prose(s string) { prose(&w.b, s) }
func (w *writer) code(s string)  { code(&w.b, s) }
func (w *writer) printf(format string, args ...any) {
	fmt.Fprintf(&w.b, format, args...)
}

func (w *writer) render(shortened bool) string {
	w.head()
	if !w.open && !w.place.Here() && w.r.Unchanged && w.r.Verdict == verdict.Pass && w.r.ExamChanged() == nil {
		// There is nothing to read in it.
		w.foot(shortened)
		if w.keep {
			w.remember()
		}
		return w.b.String()
	}
	if w.form.table {
		w.changed()
		w.lines()
	}
	if !w.proposal {
		w.next()
	}
	groups := [][]func(){{w.exams}, {w.metrics, w.slices}, {w.seeds, w.recipes, w.proof, w.export}, {w.smoke}, {w.different, w.leakage, w.provenance}, {w.history}}
	for _, sections := range groups {
		if w.form.details && !w.over() {
			w.group(sections...)
		}
	}
	w.foot(shortened)
	if w.keep && w.form.reasons > 0 {
		w.remember()
	}
	return w.b.String()
}

// mark is the sign of a verdict: it differs in shape as well as in colour.
func mark(v verdict.Verdict) string {
	switch v {
	case verdict.Pass:
		return "✅"
	case verdict.Fail:
		return "❌"
	case verdict.Inconclusive:
		return "❔"
	}
	return "·"
}

func (w *writer) head() {
	r := w.r
	sign := mark(r.Verdict)
	if r.Outcome() == "UNCHANGED" {
		sign = "➖"
	}
	w.str("### " + sign + " " + r.Outcome() + " · ")
	name(&w.b, r.Run.Model)
	if r.Run.Environment != "" {
		w.str(" → ")
		name(&w.b, r.Run.Environment)
	}
	w.str("\n\n")
	reasons := r.Reasons()
	shown := reasons[:min(len(reasons), w.form.reasons)]
	for _, reason := range shown {
		if len(reasons) > 1 {
			w.str("- ")
		}
		w.prose(reason)
		w.str("\n")
	}
	if left := len(reasons) - len(shown); left > 0 && len(shown) > 0 {
		w.printf("- and %d more\n", left)
	}
	for _, c := range caveats(r) {
		if w.form.reasons == 0 {
			break
		}
		w.str("\n> ")
		w.prose(c)
		w.str("\n")
	}
}

// caveats are those of the report, what the data cannot show first.
func caveats(r *report.Report) []string {
	if s := r.PowerWarning(); s != "" {
		return append([]string{s + " An unchanged model would pass less than 4 times in 5."}, r.Caveats()...)
	}
	return r.Caveats()
}

// changed is the table of metrics that a reader must see.
func (w *writer) changed() {
	var rows []int
	left := 0
	for _, i := range w.r.MetricOrder() {
		m := &w.r.Metrics[i]
		if !m.Changed() || (m.Against == report.AgainstAnchor && m.Verdict == verdict.Pass) {
			continue
		}
		if len(rows) == w.form.rows {
			left++
			continue
		}
		rows = append(rows, i)
	}
	if len(rows) > 0 {
		w.str("\n")
		w.metricTable(rows)
	}
	if left > 0 {
		w.printf("\nand %d more.\n", left)
	}
	if s := w.r.PassingSummary(); s != "" {
		w.str("\n")
		w.prose(strings.ToUpper(s[:1]) + s[1:] + ".")
		w.str("\n")
	}
}

const barCells = 21

func (w *writer) metricTable(rows []int) {
	if w.r.First() {
		w.str("| | metric | candidate | must keep | |\n|:-:|:--|--:|:--|:--|\n")
		for _, i := range rows {
			m := &w.r.Metrics[i]
			w.str("| " + mark(m.Verdict) + " | ")
			name(&w.b, m.Name)
			w.str(" | " + m.Comparison().Figures().Candidate + " | " + boundsCell(m) + " | ")
			w.prose(string(m.Reason))
			w.str(" |\n")
		}
		return
	}
	// What a narrow screen cuts off stands to the right.
	w.str("| metric | ┊ margin · │ no change | baseline → candidate | better by | margin |\n|:--|:-:|:--|:--|--:|\n")
	for _, i := range rows {
		m := &w.r.Metrics[i]
		w.str("| " + mark(m.Verdict) + " ")
		name(&w.b, m.Name)
		if m.Against == report.AgainstAnchor {
			w.str(" against the anchor")
		}
		if m.Primary {
			w.str(" (primary)")
		}
		w.comparison(m.Comparison(), m.Margin)
		w.str(" |\n")
	}
}

// boundsCell says what m must keep, and where its value lies.
func boundsCell(m *report.Metric) string {
	text := m.Bounds()
	if r := m.ValueRange(); text != "" && r != "" {
		text += " (" + r + ")"
	}
	return text
}

// comparison writes four cells: bar, baseline and candidate, improvement with
// its interval, margin.
func (w *writer) comparison(c report.Comparison, margin report.Margin) {
	f := c.Figures()
	w.str(" | ")
	if b, ok := c.Bar(report.TextAxis); ok {
		w.str("`" + b.Cells(barCells) + "`")
	}
	w.str(" | ")
	if f.Baseline != report.Undefined || f.Candidate != report.Undefined {
		w.str(f.Baseline + " → " + f.Candidate)
	}
	w.str(" | ")
	if f.Improvement != report.Undefined {
		w.str(f.Improvement)
	}
	if f.Interval != report.Undefined {
		w.str(" (" + f.Interval + ")")
	}
	w.str(" | " + string(margin))
}

func (w *writer) lines() {
	lines := w.r.Lines()
	if len(lines) == 0 {
		return
	}
	w.str("\n")
	for _, l := range lines {
		w.str("- " + mark(l.Verdict) + " **" + l.Name + "** ")
		w.prose(l.Text)
		w.str("\n")
	}
}

func (w *writer) next() {
	steps := w.proposed.Taken(w.r.NextAt(w.place))
	if w.form.reasons == 0 || len(steps) == 0 {
		return
	}
	w.str("\n**Next:**\n\n")
	for _, s := range steps {
		w.str("- ")
		w.prose(s.Text)
		if s.Command != "" {
			// Names and numbers only: nothing in it can end the span.
			w.str(": `" + s.Command + "`")
		}
		w.str("\n")
	}
}

// commit writes a commit, as a link where the repository is known.
func (w *writer) commit(c report.Commit, text string) {
	if w.repository == "" {
		w.str("`" + text + "`")
		return
	}
	w.str("[`" + text + "`](" + w.repository + "/commit/" + string(c) + ")")
}

func (w *writer) foot(shortened bool) {
	w.str("\n<sub>")
	if w.r.HasIntervals() && w.form.reasons > 0 {
		w.str(w.r.IntervalNote() + " ")
	}
	if shortened {
		w.str("Shortened; the whole is in the run's report. ")
	}
	w.str("Run ")
	name(&w.b, w.r.Run.ID)
	for _, fact := range w.r.Facts() {
		w.str(" · ")
		if w.r.Run.Commit != "" && strings.HasPrefix(fact, "commit "+w.r.Run.Commit.Short()) {
			w.str("commit ")
			w.commit(w.r.Run.Commit, w.r.Run.Commit.Short())
			fact = strings.TrimPrefix(fact, "commit "+w.r.Run.Commit.Short())
		}
		w.str(fact)
	}
	if w.page != "" {
		w.str(" · [run](" + w.page + ")")
	}
	if w.place.Artifact != "" {
		w.str(" · report.json and page: artifact ")
		w.str("`" + w.place.Artifact + "`")
	}
	w.str("</sub>\n")
}
