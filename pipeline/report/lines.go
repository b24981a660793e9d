package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Line is one part of the report in one line. Verdict is empty where nothing
// was judged.
type Line struct {
	Name    string
	Verdict verdict.Verdict
	Text    string
}

// Lines returns the parts besides metrics, each in one line: slices, seeds,
// recipes that disagree with their candidate, proof, export, smoke, exam, leakage.
// Parts that a run does not have are left out.
func (r *Report) Lines() []Line {
	var out []Line
	for _, line := range []Line{r.sliceLine(), r.seedLine(), r.recipeLine(), r.proofLine(), r.exportLine(), r.smokeLine(), r.examLine(), r.leakageLine()} {
		if line.Text != "" {
			out = append(out, line)
		}
	}
	return out
}

func (r *Report) sliceLine() Line {
	line := Line{Name: "slices"}
	judged, ringing, unclear := 0, 0, 0
	for i := range r.Slices {
		s := &r.Slices[i]
		if s.Verdict != "" {
			judged++
		}
		switch {
		case s.Verdict == verdict.Fail:
			ringing++
		case s.Matters():
			unclear++
		}
	}
	listed := len(r.Slices) - judged
	switch {
	case len(r.Slices) == 0:
		return line
	case judged == 0:
		line.Text = fmt.Sprintf("%s listed, none judged", plural(listed, "slice"))
		return line
	case ringing+unclear == 0:
		line.Verdict = verdict.Pass
		line.Text = fmt.Sprintf("%s, none worse than its margin", plural(judged, "slice"))
	default:
		line.Verdict = verdict.Inconclusive
		var parts []string
		if ringing > 0 {
			line.Verdict = verdict.Fail
			parts = append(parts, fmt.Sprintf("%d worse", ringing))
		}
		if unclear > 0 {
			parts = append(parts, fmt.Sprintf("%d inconclusive", unclear))
		}
		line.Text = fmt.Sprintf("of %s %s", plural(judged, "slice"), strings.Join(parts, ", "))
		if s := r.worstSlice(); s != nil {
			f := s.Comparison().Figures()
			line.Text += fmt.Sprintf("; first %s: %s %s (%s)", s.Label(), s.Metric, f.Improvement, f.Interval)
		}
	}
	if listed > 0 {
		line.Text += fmt.Sprintf("; %d only listed", listed)
	}
	for _, l := range r.Levels {
		line.Text += "; " + l.Sentence()
	}
	return line
}

// Sentence names the levels of a column that came or went.
func (l *Levels) Sentence() string {
	var parts []string
	for _, x := range []struct {
		what   string
		levels []Text
	}{{"new", l.New}, {"vanished", l.Vanished}} {
		if len(x.levels) == 0 {
			continue
		}
		var names []string
		for _, n := range x.levels {
			names = append(names, string(n))
		}
		parts = append(parts, x.what+" "+few(names))
	}
	return string(l.Column) + ": " + strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Count(int64(n)) + " " + what + "s"
}

// shownMetric is the metric by which replicates are summarised: the primary
// one, else the first.
func (r *Report) shownMetric() Name {
	for _, m := range r.Metrics {
		if m.Primary {
			return m.Name
		}
	}
	if len(r.Metrics) > 0 {
		return r.Metrics[0].Name
	}
	return ""
}

func (r *Report) seedLine() Line {
	line := Line{Name: "seeds"}
	if len(r.Replicates) == 0 {
		return line
	}
	line.Text = plural(len(r.Replicates), "replicate")
	reused := 0
	for _, rep := range r.Replicates {
		if rep.Reused {
			reused++
		}
	}
	if reused > 0 {
		line.Text += fmt.Sprintf(" (%d reused)", reused)
	}
	if r.SeedsAlike() != "" {
		line.Text += ", all alike: the seed changes nothing"
		return line
	}
	name := r.shownMetric()
	var low, high *float64
	for _, rep := range r.Replicates {
		if v := rep.Metrics[name]; v != nil {
			if low == nil || *v < *low {
				low = v
			}
			if high == nil || *v > *high {
				high = v
			}
		}
	}
	if low != nil && len(r.Replicates) > 1 {
		line.Text += fmt.Sprintf(", %s %s..%s", name, Number(*low), Number(*high))
	}
	for _, l := range r.SeedPositions {
		if l.Kind == SeedBetter || l.Kind == SeedWorse {
			line.Text += fmt.Sprintf("; seed %d is %s than expected on %s", r.Replicates[0].Seed, l.Kind, l.Metric)
		}
	}
	return line
}

func (r *Report) proofLine() Line {
	if r.Determinism == nil {
		return Line{}
	}
	return Line{Name: "proof", Verdict: r.Determinism.Verdict, Text: strings.TrimSuffix(r.Determinism.Sentence(), ".")}
}

func (r *Report) smokeLine() Line {
	s := r.Smoke
	if s == nil {
		return Line{}
	}
	v, passed, ran := s.Outcome()
	if ran == 0 {
		return Line{Name: "smoke", Text: "no check ran"}
	}
	text := fmt.Sprintf("%d of %d checks against a %s", passed, ran, s.Target)
	if l := s.Latencies; l != nil && l.P99 != nil {
		text += ", p99 " + Millis(*l.P99)
		if l.P99SLO != nil {
			text += " (at most " + Millis(*l.P99SLO) + ")"
		}
	}
	if s.ReadyMS != nil {
		text += ", ready in " + Millis(*s.ReadyMS)
	}
	if s.ImageSize != nil {
		text += ", image " + Bytes(*s.ImageSize)
	}
	return Line{Name: "smoke", Verdict: v, Text: text}
}

func (r *Report) examLine() Line {
	e := r.ExamChanged()
	if e == nil {
		return Line{}
	}
	text := fmt.Sprintf("changed in %s; the exam that promoted production says %s", plural(len(e.Changes), "place"), e.Verdict)
	// No tick stands beside what a person has still to look at.
	v := e.Verdict
	if v == verdict.Pass {
		v = ""
	}
	return Line{Name: "exam", Verdict: v, Text: text}
}

func (r *Report) leakageLine() Line {
	if len(r.Leakage) == 0 {
		return Line{}
	}
	f := r.Leakage[0]
	text := strings.TrimSuffix(string(f.Detail), ".")
	if n := len(r.Leakage) - 1; n > 0 {
		text += fmt.Sprintf("; and %s", plural(n, "more finding"))
	}
	return Line{Name: "leakage", Verdict: f.Verdict, Text: text}
}

// Title names what was judged: model, environment, commit.
func (r *Report) Title() string {
	s := string(r.Run.Model)
	if r.Run.Environment != "" {
		s += " → " + string(r.Run.Environment)
	}
	return s
}

// Facts says in a few words on what the verdict rests.
func (r *Report) Facts() []string {
	var out []string
	if r.Run.Commit != "" {
		c := "commit " + r.Run.Commit.Short()
		if r.Run.Dirty {
			c += " with uncommitted changes"
		}
		out = append(out, c)
	}
	if r.N > 0 {
		out = append(out, plural(r.N, "row"))
	}
	if r.Groups > 0 {
		out = append(out, plural(r.Groups, "group"))
	}
	if r.NEff > 0 {
		out = append(out, "effectively "+plural(int(r.NEff), "row"))
	}
	if n := len(r.Run.Seeds); n > 0 {
		out = append(out, plural(n, "seed"))
	}
	if r.Run.DurationMS != nil {
		out = append(out, Millis(float64(*r.Run.DurationMS)))
	}
	return out
}

// Caveats are what a reader must know beside the verdict: advise mode, a
// claimed result, warnings. PowerWarning is not among them: it comes first.
func (r *Report) Caveats() []string {
	var out []string
	if r.Run.Mode == Advise {
		out = append(out, "Mode advise: this verdict is advice and blocks nothing.")
	}
	if r.Claimed {
		out = append(out, "Claimed: the answers came from the change's own server code, so these figures are its claim and no proof.")
	}
	for _, w := range r.Warnings {
		out = append(out, string(w))
	}
	return out
}

// PassingSummary says in one line what is not among the changed metrics.
func (r *Report) PassingSummary() string {
	var passing, shown []string
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if m.Changed() || m.Against == AgainstAnchor {
			continue
		}
		if m.Verdict == verdict.Pass {
			passing = append(passing, string(m.Name))
		} else {
			shown = append(shown, string(m.Name))
		}
	}
	var parts []string
	if len(passing) > 0 {
		parts = append(parts, "within the margin: "+few(passing))
	}
	if len(shown) > 0 {
		parts = append(parts, "shown only: "+few(shown))
	}
	anchored, worst := 0, verdict.Pass
	for _, m := range r.Metrics {
		if m.Against == AgainstAnchor && m.Verdict != "" {
			anchored++
			worst = verdict.Worst(worst, m.Verdict)
		}
	}
	if anchored > 0 && worst == verdict.Pass {
		parts = append(parts, fmt.Sprintf("against the anchor: %d of %d within the margin", anchored, anchored))
	}
	return strings.Join(parts, "; ")
}

func few(names []string) string {
	if len(names) > 6 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

// Sentence says where the candidate lies among its replicates.
func (l *SeedPosition) Sentence() string {
	if l.Detail != "" {
		return string(l.Detail)
	}
	interval := "the prediction interval of its replicates"
	if l.Low != nil && l.High != nil {
		interval += fmt.Sprintf(", %s..%s", Number(*l.Low), Number(*l.High))
		if l.Confidence > 0 {
			interval += " (" + Percent(l.Confidence) + ")"
		}
	}
	switch l.Kind {
	case SeedBetter:
		return "the candidate's seed is better than expected: outside " + interval
	case SeedWorse:
		return "the candidate's seed is worse than expected: outside " + interval
	case SeedUnknown:
		return "fewer than 5 seeds: not enough for a prediction interval of the replicates"
	}
	return "the candidate's seed is as expected: within " + interval
}

// ReplicateMetrics returns the metrics of the replicates, in the order of
// Metrics, then by name.
func (r *Report) ReplicateMetrics() []Name {
	present := map[Name]bool{}
	for _, set := range [][]Replicate{r.Replicates, r.BaselineReplicates} {
		for _, rep := range set {
			for n := range rep.Metrics {
				present[n] = true
			}
		}
	}
	var out []Name
	for _, m := range r.Metrics {
		if present[m.Name] {
			out = append(out, m.Name)
			delete(present, m.Name)
		}
	}
	return append(out, slices.Sorted(maps.Keys(present))...)
}

// Measure is one measured quantity of the smoke test with its limit. Share is
// the value's share of its limit, nil without an upper limit.
type Measure struct {
	Name, Value, Limit string
	Share              *float64
}

// Measures returns what the smoke test measured. The limit of the rate is a
// least, said in its text.
func (s *Smoke) Measures() []Measure {
	var out []Measure
	add := func(name string, value, limit *float64, text func(float64) string) {
		if value == nil {
			return
		}
		m := Measure{Name: name, Value: text(*value)}
		if limit != nil {
			m.Limit = text(*limit)
			m.Share = finite(*value / *limit)
		}
		out = append(out, m)
	}
	bytes := func(name string, value, limit *int64) {
		add(name, float(value), float(limit), func(v float64) string { return Bytes(int64(v)) })
	}
	add("ready after", s.ReadyMS, s.ReadySLO, Millis)
	if l := s.Latencies; l != nil {
		add("latency p50", l.P50, nil, Millis)
		add("latency p90", l.P90, nil, Millis)
		add("latency p99", l.P99, l.P99SLO, Millis)
		add("latency p99.9", l.P999, nil, Millis)
		add("latency max", l.Max, nil, Millis)
		add("requests a second", l.Rate, nil, rate)
		if l.Rate != nil && l.RateSLO != nil {
			out[len(out)-1].Limit = "at least " + rate(*l.RateSLO)
		}
	}
	bytes("image size", s.ImageSize, s.ImageSLO)
	bytes("image to download", s.Compressed, nil)
	bytes("memory", s.Memory, s.MemorySLO)
	return out
}

func rate(v float64) string { return trimZeros(Number(v)) }

func float(v *int64) *float64 {
	if v == nil {
		return nil
	}
	f := float64(*v)
	return &f
}
