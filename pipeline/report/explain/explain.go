package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// DefaultWidth is the width in columns where none is given; narrower than
// minWidth or wider than maxWidth is hard to read.
const DefaultWidth, minWidth, maxWidth = 80, 40, 100

// Metric explains how the metric of a name was judged, as text of at most
// width columns; 0 means DefaultWidth. An unknown name is an error that names
// the known ones.
func Metric(r *report.Report, name string, width int) (string, error) {
	known := Known(r)
	if !slices.Contains(known, name) {
		return "", unknown(r, name, known)
	}
	if width == 0 {
		width = DefaultWidth
	}
	e := &explanation{r: r, name: report.Name(name), width: min(max(width, minWidth), maxWidth)}
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Name == e.name && m.Against == report.AgainstAnchor {
			e.anchor = cmp.Or(e.anchor, m)
		} else if m.Name == e.name {
			e.metric = cmp.Or(e.metric, m)
		}
	}
	e.head()
	e.tested()
	e.how()
	e.judged()
	e.anchored()
	e.slices()
	e.seeds()
	e.exam()
	e.run()
	return e.b.String(), nil
}

// Known returns the metrics that a report says something about: those that
// were compared, then those of slices and replicates alone.
func Known(r *report.Report) []string {
	var out []string
	add := func(name report.Name) {
		if !slices.Contains(out, string(name)) {
			out = append(out, string(name))
		}
	}
	for i := range r.Metrics {
		add(r.Metrics[i].Name)
	}
	for i := range r.Slices {
		add(r.Slices[i].Metric)
	}
	for _, name := range r.ReplicateMetrics() {
		add(name)
	}
	for i := range r.Recipes {
		add(r.Recipes[i].Metric)
	}
	return out
}

func unknown(r *report.Report, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("the report of run %s holds no metrics: the run ended before anything was compared", r.Run.ID)
	}
	listed := known
	more := ""
	if len(listed) > 30 {
		listed, more = listed[:30], fmt.Sprintf(" and %d more", len(known)-30)
	}
	return fmt.Errorf("the report of run %s holds no metric %q%s; it has %s%s", r.Run.ID, report.NewText(name), spelling.Hint(name, known), strings.Join(listed, ", "), more)
}

// explanation collects the text.
type explanation struct {
	r              *report.Report
	name           report.Name
	metric, anchor *report.Metric // nil: not compared with that model
	width          int
	b              strings.Builder
}

// title starts a part.
func (e *explanation) title(text string) {
	e.b.WriteString("\n" + terminal.Wrap("", "", text, e.width))
}

// say writes a paragraph of sentences.
func (e *explanation) say(sentences ...string) {
	var kept []string
	for _, s := range sentences {
		if s != "" {
			kept = append(kept, s)
		}
	}
	if len(kept) > 0 {
		e.b.WriteString(terminal.Wrap("  ", "  ", strings.Join(kept, " "), e.width))
	}
}

// item writes a paragraph with a mark before it.
func (e *explanation) item(mark, text string) {
	e.b.WriteString(terminal.Wrap("  "+mark+" ", "    ", text, e.width))
}

// figure writes a number behind its name.
func (e *explanation) figure(label, text string) {
	const column = 15
	head := "  " + label + strings.Repeat(" ", max(column-terminal.Cells(label), 1))
	e.b.WriteString(terminal.Wrap(head, strings.Repeat(" ", column+2), text, e.width))
}

// outcome is the metric's verdict, the worse where it was judged twice.
func (e *explanation) outcome() verdict.Verdict {
	var vs []verdict.Verdict
	for _, m := range []*report.Metric{e.metric, e.anchor} {
		if m != nil && m.Verdict != "" {
			vs = append(vs, m.Verdict)
		}
	}
	if len(vs) == 0 || e.r.Unchanged {
		return ""
	}
	return verdict.Worst(vs...)
}

func (e *explanation) head() {
	outcome := string(e.outcome())
	switch {
	case e.r.Unchanged:
		outcome = "nothing to compare"
	case outcome == "":
		outcome = "not judged"
	}
	e.b.WriteString(terminal.Wrap("", "", fmt.Sprintf("%s: %s", e.name, outcome), e.width))
	where := e.r.Title() + ", run " + string(e.r.Run.ID)
	if e.r.Run.Commit != "" {
		where += ", commit " + e.r.Run.Commit.Short()
		if e.r.Run.Dirty {
			where += " with uncommitted changes"
		}
	}
	e.b.WriteString(terminal.Wrap("", "", where, e.width))
	if s := e.r.PowerWarning(e.name); s != "" {
		e.b.WriteString(terminal.Wrap("! ", "  ", s, e.width))
	}
	for _, c := range e.r.Caveats() {
		if e.ours(c) {
			e.b.WriteString(terminal.Wrap("! ", "  ", c, e.width))
		}
	}
}

// ours reports whether a caveat is about this metric or about no metric.
func (e *explanation) ours(caveat string) bool {
	words := strings.FieldsFunc(caveat, func(r rune) bool {
		return !(r == '_' || r == '.' || r == '-' || r == '+' || unicode.IsLetter(r) || unicode.IsDigit(r))
	})
	others := false
	for i := range e.r.Metrics {
		if name := string(e.r.Metrics[i].Name); slices.Contains(words, name) {
			if name == string(e.name) {
				return true
			}
			others = true
		}
	}
	return !others
}

func (e *explanation) tested() {
	r, m := e.r, e.metric
	e.title("What was tested")
	switch {
	case r.Unchanged:
		e.say(fmt.Sprintf("Nothing: the candidate is the model in production, bundle %s.", r.Candidate.Bundle.Short()))
	case r.First():
		e.say(fmt.Sprintf("The candidate, bundle %s, alone: %s runs nothing yet, so there is no baseline to compare it with, and floors and ceilings decide.", r.Candidate.Bundle.Short(), orThe(string(r.Run.Environment), "the environment")))
	case m == nil:
		e.say(fmt.Sprintf("The whole of the rows is not judged by %s; only slices of them or the replicates are.", e.name))
	case m.Margin == "":
		e.say(fmt.Sprintf("The exam gives %s no margin: the candidate, bundle %s, and the baseline, bundle %s, are measured, and a difference decides nothing.", e.name, r.Candidate.Bundle.Short(), r.Baseline.Bundle.Short()))
	default:
		e.say(fmt.Sprintf("Whether the candidate, bundle %s, is worse than the baseline, bundle %s, by the margin of %s.", r.Candidate.Bundle.Short(), r.Baseline.Bundle.Short(), marginText(m)))
	}
	var facts []string
	if m != nil && m.Direction != "" {
		facts = append(facts, fmt.Sprintf("Of %s %s is better.", e.name, m.Direction))
	}
	if m != nil && m.Primary {
		facts = append(facts, "It is the primary metric: the one that `when: improved` asks to get better.")
	}
	if e.anchor != nil && !r.Unchanged && r.Anchor != nil {
		facts = append(facts, fmt.Sprintf("The same is asked against the anchor, bundle %s, the last model that was promoted as improved.", r.Anchor.Bundle.Short()))
	}
	if b := bounds(m); b != "" {
		facts = append(facts, fmt.Sprintf("Whatever the baseline, the candidate must have %s.", b))
	}
	e.say(facts...)
	e.rows()
}

// rows says on what the figures rest.
func (e *explanation) rows() {
	r := e.r
	var facts []string
	switch {
	case r.N == 0:
	case r.Unchanged:
	case r.First():
		facts = append(facts, fmt.Sprintf("The candidate answered %s.", count(r.N, "row")))
	default:
		facts = append(facts, fmt.Sprintf("Both models answered the same %s, paired by id, through the server that ships.", count(r.N, "row")))
	}
	if r.Groups > 0 {
		facts = append(facts, fmt.Sprintf("They belong to %s, and rows of one group are not taken as independent.", count(r.Groups, "group")))
	}
	if r.NEff > 0 {
		facts = append(facts, fmt.Sprintf("With their weights they tell as much as %s of equal weight.", count(int(r.NEff), "row")))
	}
	if seeds := r.Run.Seeds; len(seeds) > 0 {
		s := fmt.Sprintf("The candidate was trained with seed %d", seeds[0])
		if len(seeds) > 1 {
			s += fmt.Sprintf(", the first of %d and not the best of them", len(seeds))
		}
		facts = append(facts, s+".")
	}
	if d := r.Run.Data.Eval; d != nil {
		facts = append(facts, fmt.Sprintf("The evaluation data has digest %s.", d.Digest.Short()))
	}
	e.say(facts...)
}

func orThe(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func count(n int, what string) string {
	s := report.Count(int64(n)) + " " + what
	if n != 1 {
		s += "s"
	}
	return s
}

// bounds says which floor or ceiling m has, "" without.
func bounds(m *report.Metric) string {
	if m == nil {
		return ""
	}
	return m.Bounds()
}

// run says what else the verdict of the run rests on.
func (e *explanation) run() {
	r := e.r
	if r.Unchanged {
		return
	}
	var own []string
	for _, m := range []*report.Metric{e.metric, e.anchor} {
		if m != nil {
			own = append(own, r.MetricSentence(m))
		}
	}
	var others []string
	for _, reason := range r.Reasons() {
		if !slices.Contains(own, reason) {
			others = append(others, reason)
		}
	}
	e.title("The run as a whole: " + r.Outcome())
	const most = 5
	for i, reason := range others {
		if i == most {
			e.say(fmt.Sprintf("and %d more reasons; `dosirak report %s` has them all.", len(others)-most, r.Run.ID))
			break
		}
		e.say(reason)
	}
	if len(others) == 0 {
		e.say(fmt.Sprintf("No other gate stands in the way: %s alone decides.", e.name))
	}
}
