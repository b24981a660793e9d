package explain

import (
	"fmt"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Run explains what decided a run: the verdict, the reasons for it, what to
// look at beside, and, where a metric is among the gates that it rests on, how
// that one was judged.
func Run(r *report.Report, width int) string {
	if width == 0 {
		width = DefaultWidth
	}
	e := &explanation{r: r, width: min(max(width, minWidth), maxWidth)}
	e.b.WriteString(terminal.Wrap("", "", fmt.Sprintf("%s, run %s: %s", r.Title(), r.Run.ID, r.Outcome()), e.width))
	e.title("What decided")
	for _, reason := range r.Reasons() {
		e.item(report.Mark(r.Verdict), reason)
	}
	if metric := deciding(r); metric != "" {
		text, err := Metric(r, metric, width)
		if err == nil { // Known holds it
			e.b.WriteString("\n" + text)
		}
	}
	return e.b.String()
}

// deciding returns the metric that a verdict rests on, "" where none does: the
// first of those whose verdict is the run's, the primary one of a PASS.
func deciding(r *report.Report) string {
	if r.Unchanged {
		return ""
	}
	var gates []report.Metric
	for _, i := range r.MetricOrder() {
		if m := r.Metrics[i]; m.Verdict == r.Verdict {
			gates = append(gates, m)
		}
	}
	if len(gates) == 0 {
		return ""
	}
	if r.Verdict == verdict.Pass {
		if i := slices.IndexFunc(gates, func(m report.Metric) bool { return m.Primary }); i >= 0 {
			return string(gates[i].Name)
		}
	}
	return string(gates[0].Name)
}
