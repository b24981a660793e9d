package page

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// maxDrawn bounds how many comparisons are drawn; the tables hold all.
const maxDrawn, slicesShown, maxStrips = 200, 10, 8

// view is what the template prints.
type view struct {
	CSS     any
	Policy  string
	R       *report.Report
	First   bool   // there is no baseline
	Class   string // of the verdict: pass, fail, unclear, same
	Outcome string

	Power                   string // whose margins the data cannot show
	Facts, Reasons, Caveats []string
	Next                    []report.Step
	Lines                   []lineView

	Axis         axisView
	Metrics      []rowView
	Bounds       []rowView // values against floors and ceilings
	Slices       []rowView // shown at once
	MoreSlices   []rowView // folded
	RecipesNote  string
	SliceAxis    axisView
	SlicesLeft   int
	SliceTable   []rowView
	Note         string
	HasInterval  bool
	SeedNames    []report.Name
	Strips       []stripView
	Replicates   []replicateView
	Recipes      []recipeView
	RecipeAxis   axisView
	RecipesDrawn bool
	HasBaseline  bool
	Bins         []binView
	Calibration  *calibrationChart
	Determinism  *proofView
	SmokeClass   string
	SmokeText    string
	Checks       []checkView
	Latency      *latencyView
	Measures     []measureView
	ExamChanged  *report.Exam
	Digests      []digestView
	FlipsFixed   string
	Interpreting string
}

type binView struct{ Model, Bin, N, Predicted, Observed string }

type lineView struct {
	Name, Text, Class, Mark string
}

type axisView struct{ Zero, Limit string }

type rowView struct {
	Label, Sub, Class, Mark, Word   string
	F                               report.Figures
	Margin, Bounds, Reason, Method  string
	MDE, Rows, N, Title, Alternate  string
	Chart                           *forest
	Primary, Improved, Gate, Anchor bool
}

type stripView struct {
	Metric               string
	Band                 *[2]string // x and width of the prediction interval
	BaselineAt           string
	Candidate            string
	Own, Other           []dot
	Min, Max             string
	Title, Seed, SeedTag string
}

type replicateView struct {
	Seed, Kind, Took string
	Values           []string
}

// recipeView is a recipe as a row of the chart and of the table.
type recipeView struct {
	rowView
	Sentence, Sides, Remarks string
}

type proofView struct {
	D                         *report.Determinism
	Class, Sign, Word         string
	First, Second, SeedNumber string // digests where both are known, else words
	Sentence                  string
}

type checkView struct{ Name, Class, Mark, Word, Detail, Took string }

type measureView struct {
	report.Measure
	Bar, Class string
	HasBar     bool
}

type latencyView struct {
	Dots  []latencyDot
	SLO   string
	SLOMS string
	Ticks []tick
	Title string
}

type latencyDot struct {
	At, Label, Value string
	Below            bool
}

type digestView struct{ Name, Value string }

func class(v verdict.Verdict) string {
	switch v {
	case verdict.Pass:
		return "pass"
	case verdict.Fail:
		return "fail"
	case verdict.Inconclusive:
		return "unclear"
	}
	return "info"
}

func word(v verdict.Verdict) string {
	if v == "" {
		return "not judged"
	}
	return string(v)
}

func viewOf(r *report.Report) view {
	v := view{R: r, First: r.First(), Class: class(r.Verdict), Outcome: r.Outcome(), Facts: r.Facts(), Reasons: r.Reasons(), Power: r.PowerWarning(), Caveats: r.Caveats(), Next: r.NextAt(report.Place{}), Note: r.IntervalNote(), RecipesNote: r.RecipesNote()}
	if v.Outcome == "UNCHANGED" {
		v.Class = "same"
	}
	for _, l := range r.Lines() {
		v.Lines = append(v.Lines, lineView{l.Name, l.Text, class(l.Verdict), report.Mark(l.Verdict)})
	}
	v.metrics()
	v.slices()
	v.seeds()
	v.recipes()
	v.Calibration = calibrationOf(r.Calibration)
	v.bins()
	v.HasBaseline = r.Calibration != nil && len(r.Calibration.Baseline) > 0
	v.proof()
	v.smoke()
	v.ExamChanged = r.ExamChanged()
	v.digests()
	return v
}

func axisOf(a report.Axis) axisView {
	zero, _ := a.At(0)
	limit, _ := a.At(-1)
	return axisView{pct(zero), pct(limit)}
}

func (v *view) metrics() {
	var cs []report.Comparison
	for i := range v.R.Metrics {
		cs = append(cs, v.R.Metrics[i].Comparison())
	}
	axis := report.AxisOf(cs)
	v.Axis = axisOf(axis)
	for _, i := range v.R.MetricOrder() {
		m := &v.R.Metrics[i]
		c := m.Comparison()
		row := rowView{
			Label: string(m.Name), Class: class(m.Verdict), Mark: report.Mark(m.Verdict), Word: word(m.Verdict),
			F: c.Figures(), Margin: string(m.Margin), Bounds: joined(m.Bounds(), m.ValueRange()), Reason: string(m.Reason), Primary: m.Primary,
			Improved: m.Improved, Anchor: m.Against == report.AgainstAnchor, Title: v.R.MetricSentence(m) + " " + word(m.Verdict),
		}
		if m.Direction != "" {
			row.Sub = string(m.Direction) + " is better"
		}
		if m.CI != nil {
			v.HasInterval = true
			row.Method = joined(string(m.CI.Method), string(m.CI.Source))
		}
		if m.MDE != nil {
			row.MDE = m.CI.Scaled(*m.MDE)
		}
		if m.RowsNeeded != nil {
			row.Rows = report.RoundedUp(*m.RowsNeeded)
		}
		if len(v.Metrics) < maxDrawn {
			row.Chart = forestOf(c, axis)
		}
		v.Metrics = append(v.Metrics, row)
		if chart := boundsOf(m); chart != nil {
			row.Chart, row.Sub = chart, "must be "+m.Bounds()
			row.F = report.Figures{Improvement: row.F.Candidate, Interval: m.ValueRange()}
			row.Margin, row.Improved = "", false
			bound := m.BoundVerdict()
			row.Class, row.Mark, row.Word = class(bound), report.Mark(bound), word(bound)
			row.Title = fmt.Sprintf("%s is %s (%s), must be %s: %s", m.Name, row.F.Improvement, row.F.Interval, m.Bounds(), row.Word)
			v.Bounds = append(v.Bounds, row)
		}
	}
}

// bins are the table of the calibration, each share with the digits that its
// rows allow.
func (v *view) bins() {
	if v.R.Calibration == nil {
		return
	}
	add := func(model string, bins []report.Bin) {
		for _, b := range bins {
			row := binView{Model: model, N: report.Count(b.N), Bin: edge(b.Low) + "–" + edge(b.High)}
			if b.Observed != nil && b.Mean != nil && b.N > 0 {
				p := min(max(*b.Observed, 1/float64(b.N+1)), 1-1/float64(b.N+1))
				d := report.Decimals(math.Sqrt(p * (1 - p) / float64(b.N)))
				row.Predicted, row.Observed = strconv.FormatFloat(*b.Mean, 'f', d, 64), strconv.FormatFloat(*b.Observed, 'f', d, 64)
			}
			v.Bins = append(v.Bins, row)
		}
	}
	add("candidate", v.R.Calibration.Candidate)
	add("baseline", v.R.Calibration.Baseline)
}

func edge(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}

func (v *view) slices() {
	var cs []report.Comparison
	for i := range v.R.Slices {
		cs = append(cs, v.R.Slices[i].Comparison())
	}
	axis := report.AxisOf(cs)
	v.SliceAxis = axisOf(axis)
	drawn := 0
	for _, i := range v.R.SliceOrder() {
		s := &v.R.Slices[i]
		c := s.Comparison()
		row := rowView{
			Label: s.Label(), Class: class(s.Verdict), Mark: report.Mark(s.Verdict), Word: word(s.Verdict), F: c.Figures(),
			Margin: string(s.Margin), Reason: s.Remarks(), N: report.Count(int64(s.N)), Alternate: string(s.Metric),
			Gate: s.Mode == report.GateSlice, Anchor: s.Against == report.AgainstAnchor, Title: s.Sentence() + " " + word(s.Verdict),
			Sub: string(s.Metric) + ", " + report.Count(int64(s.N)) + " rows",
		}
		if s.Column == "" && s.Name != "" && s.Where != "" {
			row.Method = string(s.Where)
		}
		v.SliceTable = append(v.SliceTable, row)
		if row.Chart = forestOf(c, axis); row.Chart == nil {
			continue
		}
		drawn++
		switch {
		case drawn <= slicesShown:
			v.Slices = append(v.Slices, row)
		case drawn <= maxDrawn:
			v.MoreSlices = append(v.MoreSlices, row)
		default:
			v.SlicesLeft++
		}
	}
}

func (v *view) seeds() {
	r := v.R
	if len(r.Replicates) == 0 {
		return
	}
	v.SeedNames = r.ReplicateMetrics()
	kind := func(i int) string {
		if i == 0 {
			return "candidate"
		}
		return "replicate"
	}
	for i, rep := range r.Replicates {
		v.Replicates = append(v.Replicates, v.replicate(rep, kind(i)))
	}
	for _, rep := range r.BaselineReplicates {
		v.Replicates = append(v.Replicates, v.replicate(rep, "baseline's recipe"))
	}
	for _, n := range v.SeedNames[:min(len(v.SeedNames), maxStrips)] {
		if s, ok := v.strip(n); ok {
			v.Strips = append(v.Strips, s)
		}
	}
}

// recipes draws the improvement of each recipe's mean against the margin. The
// signs are those of verdicts that gate nothing, as the text above them says.
func (v *view) recipes() {
	var cs []report.Comparison
	for i := range v.R.Recipes {
		cs = append(cs, v.R.Recipes[i].Comparison())
	}
	axis := report.AxisOf(cs)
	v.RecipeAxis = axisOf(axis)
	for i := range v.R.Recipes {
		x := &v.R.Recipes[i]
		row := rowView{
			Label: string(x.Metric), Class: class(x.Verdict), Mark: report.Mark(x.Verdict), Word: word(x.Verdict), F: x.Comparison().Figures(),
			Margin: string(x.Margin), Improved: x.Improved, Sub: x.Sides(), Title: x.Sentence() + " " + word(x.Verdict),
		}
		if own := v.R.Dissent(x); own != "" {
			row.Sub += "; the candidate alone: " + string(own)
		}
		if x.CI != nil && len(v.Recipes) < maxDrawn {
			row.Chart = forestOf(x.Comparison(), axis)
			v.RecipesDrawn = v.RecipesDrawn || row.Chart != nil
		}
		v.Recipes = append(v.Recipes, recipeView{row, x.Sentence(), x.Sides(), x.Remarks(v.R.Units())})
	}
}

func (v *view) replicate(rep report.Replicate, kind string) replicateView {
	out := replicateView{Seed: strconv.FormatInt(rep.Seed, 10), Kind: kind}
	if rep.Reused {
		out.Kind += ", reused"
	}
	if rep.DurationMS != nil {
		out.Took = report.Millis(float64(*rep.DurationMS))
	}
	for _, n := range v.SeedNames {
		if value := rep.Metrics[n]; value != nil {
			out.Values = append(out.Values, report.Number(*value))
		} else {
			out.Values = append(out.Values, report.Undefined)
		}
	}
	return out
}

// strip draws one metric of the replicates: this change's on one lane, the
// baseline's on the other.
func (v *view) strip(n report.Name) (stripView, bool) {
	r := v.R
	var values []float64
	collect := func(reps []report.Replicate) {
		for _, rep := range reps {
			if value := rep.Metrics[n]; value != nil {
				values = append(values, *value)
			}
		}
	}
	collect(r.Replicates)
	collect(r.BaselineReplicates)
	var position *report.SeedPosition
	for i := range r.SeedPositions {
		if r.SeedPositions[i].Metric == n {
			position = &r.SeedPositions[i]
		}
	}
	if position != nil && position.Low != nil && position.High != nil {
		values = append(values, *position.Low, *position.High)
	}
	var baseline *float64
	for _, m := range r.Metrics {
		if m.Name == n && m.Against != report.AgainstAnchor {
			baseline = m.Baseline
		}
	}
	if baseline != nil {
		values = append(values, *baseline)
	}
	if len(values) == 0 {
		return stripView{}, false
	}
	s := scaleOf(values)
	out := stripView{Metric: string(n), Min: report.Number(s.min), Max: report.Number(s.max)}
	out.Title = fmt.Sprintf("%s of %d replicates", n, len(r.Replicates))
	if baseline != nil {
		out.BaselineAt = pct(s.at(*baseline))
		out.Title += ", the baseline's is " + report.Number(*baseline)
	}
	if position != nil && position.Low != nil && position.High != nil {
		out.Band = &[2]string{pct(s.at(*position.Low)), pct(s.at(*position.High) - s.at(*position.Low))}
	}
	if position != nil && position.Kind != report.SeedWithin {
		out.Seed = position.Sentence()
		out.SeedTag = string(position.Kind) + " than expected"
		if position.Kind == report.SeedUnknown {
			out.SeedTag = "few seeds"
		}
	}
	for i, rep := range r.Replicates {
		value := rep.Metrics[n]
		if value == nil {
			continue
		}
		title := fmt.Sprintf("seed %d: %s", rep.Seed, report.Number(*value))
		if i == 0 {
			out.Candidate = pct(s.at(*value))
			out.Title += ", the candidate's " + report.Number(*value)
			continue
		}
		out.Own = append(out.Own, dot{X: pct(s.at(*value)), Title: title})
	}
	for _, rep := range r.BaselineReplicates {
		if value := rep.Metrics[n]; value != nil {
			out.Other = append(out.Other, dot{X: pct(s.at(*value)), Title: fmt.Sprintf("baseline's recipe, seed %d: %s", rep.Seed, report.Number(*value))})
		}
	}
	return out, true
}

func (v *view) proof() {
	d := v.R.Determinism
	if d == nil {
		return
	}
	p := &proofView{D: d, Class: class(d.Verdict), Word: word(d.Verdict), Sentence: d.Sentence(), SeedNumber: "first seed"}
	// Only the first training is sealed: of the second there may be no digest.
	p.First, p.Second = cmp.Or(d.First.Short(), "a model"), "the same model"
	if d.Kind != report.Identical {
		p.Second = "other bytes"
	}
	if d.Second != "" && d.First != "" {
		p.Second = d.Second.Short()
	}
	if d.Seed != nil {
		p.SeedNumber = "seed " + strconv.FormatInt(*d.Seed, 10)
	}
	switch d.Kind {
	case report.Identical:
		p.Sign = "="
	case report.EqualPredictions, report.WithinTolerance:
		p.Sign = "≈"
	case report.Different:
		p.Sign = "≠"
	}
	v.Determinism = p
}

func (v *view) smoke() {
	s := v.R.Smoke
	if s == nil {
		return
	}
	worst, passed, ran := s.Outcome()
	v.SmokeClass = class(worst)
	v.SmokeText = fmt.Sprintf("%d of %d checks hold, against a %s", passed, ran, s.Target)
	if s.Why != "" {
		v.SmokeText += " (" + string(s.Why) + ")"
	}
	for _, c := range s.Checks {
		row := checkView{Name: string(c.Name), Class: class(c.Verdict), Mark: report.Mark(c.Verdict), Word: word(c.Verdict), Detail: string(c.Detail)}
		if c.DurationMS != nil {
			row.Took = report.Millis(*c.DurationMS)
		}
		v.Checks = append(v.Checks, row)
	}
	for _, m := range s.Measures() {
		mv := measureView{Measure: m}
		if m.Share != nil {
			mv.HasBar, mv.Bar, mv.Class = true, pct(*m.Share), "pass"
			if *m.Share > 1 {
				mv.Class = "fail"
			}
		}
		v.Measures = append(v.Measures, mv)
	}
	v.Latency = latencyOf(s.Latencies)
}

func latencyOf(l *report.Latencies) *latencyView {
	if l == nil {
		return nil
	}
	type quantile struct {
		label string
		ms    *float64
	}
	all := []quantile{{"p50", l.P50}, {"p90", l.P90}, {"p99", l.P99}, {"p99.9", l.P999}, {"max", l.Max}}
	var values []float64
	for _, q := range append(all, quantile{"", l.P99SLO}) {
		if q.ms != nil {
			values = append(values, *q.ms)
		}
	}
	if len(values) == 0 {
		return nil
	}
	s := logScaleOf(values)
	out := &latencyView{Title: fmt.Sprintf("Latencies of %s requests", report.Count(l.Requests))}
	for _, q := range all {
		if q.ms != nil {
			out.Dots = append(out.Dots, latencyDot{pct(s.at(*q.ms)), q.label, report.Millis(*q.ms), len(out.Dots)%2 == 1})
			out.Title += ", " + q.label + " " + report.Millis(*q.ms)
		}
	}
	if l.P99SLO != nil {
		out.SLO, out.SLOMS = pct(s.at(*l.P99SLO)), report.Millis(*l.P99SLO)
		out.Title += "; p99 may be at most " + out.SLOMS
	}
	for _, t := range s.ticks() {
		out.Ticks = append(out.Ticks, tick{pct(s.at(t)), report.Millis(t)})
	}
	return out
}

func (v *view) digests() {
	r := v.R
	add := func(name, value string) {
		if value != "" {
			v.Digests = append(v.Digests, digestView{name, value})
		}
	}
	model := func(name string, m *report.Model) {
		if m != nil {
			add(name+" bundle", string(m.Bundle))
			add(name+" image", string(m.Image))
		}
	}
	model("candidate", &r.Candidate)
	model("baseline", r.Baseline)
	model("anchor", r.Anchor)
	if d := r.Run.Data.Train; d != nil {
		add("training data", fmt.Sprintf("%s, %s rows", d.Digest, report.Count(d.Rows)))
	}
	if d := r.Run.Data.Eval; d != nil {
		add("evaluation data", fmt.Sprintf("%s, %s rows", d.Digest, report.Count(d.Rows)))
	}
	for _, e := range r.Exams {
		add(string(e.Role)+"'s exam", string(e.Digest))
	}
	add("commit", string(r.Run.Commit))
	add("config", string(r.Run.Config))
	add("dosirak", string(r.Run.Dosirak))
}
