package markdown

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// MaxHistory is how many earlier runs a comment keeps.
const MaxHistory = 10

// Past is what an earlier run of the same pull request came to.
type Past struct {
	Commit  report.Commit   `json:"commit"`
	Verdict verdict.Verdict `json:"verdict"`
	Line    report.Text     `json:"line"` // why, in one line
	// Metric is the one that the chart follows, InMargins its improvement in
	// units of its margin: -1 is the limit. Both may be missing.
	Metric    report.Name `json:"metric,omitempty"`
	InMargins *float64    `json:"in_margins,omitempty"`
}

// PastOf is what r will be once another run has come.
func PastOf(r *report.Report) Past {
	p := Past{Commit: r.Run.Commit, Verdict: r.Verdict}
	if reasons := r.Reasons(); len(reasons) > 0 {
		p.Line = report.NewText(reasons[0])
	}
	if r.Unchanged {
		return p
	}
	for _, primary := range []bool{true, false} {
		for i := range r.Metrics {
			m := &r.Metrics[i]
			if p.Metric != "" || m.Against == report.AgainstAnchor || m.Primary != primary {
				continue
			}
			if v, ok := m.Comparison().InMargins(); ok {
				v = math.Round(v*1000) / 1000 // a chart shows no more
				p.Metric, p.InMargins = m.Name, &v
			}
		}
	}
	return p
}

// memory is the line of a comment in which it keeps its history. HTML comments
// end at "-->", which the alphabet of base64 does not have.
var memory = regexp.MustCompile(`(?m)^<!-- dosirak/history ([A-Za-z0-9+/=]+) -->$`)

// Recall returns the runs that a comment written with Remember is about, its
// own first. Whoever may edit the comment may have changed them: what is not
// well formed is left out.
func Recall(comment string) []Past {
	// Text from outside is escaped, so the last such line is the comment's own.
	all := memory.FindAllStringSubmatch(strings.ReplaceAll(comment, "\r\n", "\n"), -1)
	if len(all) == 0 {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(all[len(all)-1][1])
	if err != nil {
		return nil
	}
	var found []Past
	if json.Unmarshal(data, &found) != nil {
		return nil
	}
	var out []Past
	for _, p := range found {
		if !p.Commit.Valid() || !p.Verdict.Valid() || (p.Metric != "" && !p.Metric.Valid()) {
			continue
		}
		p.Line = report.NewText(string(p.Line))
		if p.Metric == "" || p.InMargins == nil {
			p.Metric, p.InMargins = "", nil
		}
		out = append(out, p)
	}
	return out[:min(len(out), MaxHistory+1)]
}

// earlier returns the history without the report's own commit, which may have
// been judged before, and without a second entry of any commit.
func earlier(r *report.Report, history []Past) []Past {
	seen := map[report.Commit]bool{r.Run.Commit: true}
	var out []Past
	for _, p := range history {
		if !seen[p.Commit] && len(out) < MaxHistory {
			seen[p.Commit] = true
			out = append(out, p)
		}
	}
	return out
}

// remember writes the line that Recall reads. It takes a quarter of the limit
// at most; the oldest runs make room.
func (w *writer) remember() {
	if w.r.Run.Commit == "" {
		return // nothing tells the runs apart
	}
	for all := append([]Past{PastOf(w.r)}, w.past...); len(all) > 0; all = all[:len(all)-1] {
		data, err := json.Marshal(all)
		if err != nil {
			return
		}
		if line := "\n<!-- dosirak/history " + base64.StdEncoding.EncodeToString(data) + " -->\n"; len(line) <= w.limit/4 {
			w.str(line)
			return
		}
	}
}

// history is the folded list of earlier runs.
func (w *writer) history() {
	if len(w.past) == 0 {
		return
	}
	w.section(fmt.Sprintf("Earlier runs of this pull request (%d)", len(w.past)), false)
	w.str("| | commit | why |\n|:-:|:--|:--|\n")
	for _, p := range w.past {
		w.str("| " + mark(p.Verdict) + " | ")
		w.commit(p.Commit, p.Commit.Short())
		w.str(" | ")
		w.prose(string(p.Line))
		w.str(" |\n")
	}
	w.trend()
}

// palette are blue and vermilion of Okabe and Ito, which the colour-blind can
// tell apart and which show on light and on dark. Mermaid's own first colour is
// hardly to be seen on white.
const palette = `%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#0072b2, #d55e00"}}}}%%`

// trend draws how the metric came along from run to run. With two points there
// is nothing that the table does not say. The syntax is that of mermaid's XY
// chart (mermaid.js.org/syntax/xyChart), which GitHub draws without loading an
// image from elsewhere; the names and numbers in it are of closed alphabets.
func (w *writer) trend() {
	now := PastOf(w.r)
	if now.Metric == "" {
		return
	}
	var at, values, limit []string
	low, high := -1.5, 1.0
	all := append(slices.Clone(w.past), Past{})
	all[len(all)-1] = now
	slices.Reverse(all[:len(all)-1])
	for i, p := range all {
		if p.Metric != now.Metric {
			continue
		}
		label := p.Commit.Short()
		if i == len(all)-1 {
			label = "now"
		}
		v := min(max(*p.InMargins, -10), 10)
		low, high = min(low, v-0.5), max(high, v+0.5)
		at, values, limit = append(at, `"`+label[:min(len(label), 7)]+`"`), append(values, fmt.Sprintf("%.3g", v)), append(limit, "-1")
	}
	if len(values) < 3 {
		return
	}
	w.printf("\n%s by run, in units of its margin: under the flat line, at -1, it is worse by more than the margin. The tables have the intervals.\n", "`"+string(now.Metric)+"`")
	w.printf("\n```mermaid\n%s\nxychart-beta\n  title \"%s, improvement in margins\"\n  x-axis [%s]\n  y-axis %.3g --> %.3g\n  line [%s]\n  line [%s]\n```\n",
		palette, now.Metric, strings.Join(at, ", "), low, high, strings.Join(values, ", "), strings.Join(limit, ", "))
}
