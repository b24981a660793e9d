package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/reuse"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// findings is what the steps gave.
type findings struct {
	trained trained
	proved  proved
	sealed  sealed
	answers answers
	judged  judged
	built   image.Built
	tested  smoke.Result
}

// report writes report.json, the Markdown and the page into the run's folder.
// It is made anew by every try: it holds the run's own times.
func (l *line) report(ctx context.Context, f findings) (report.Report, error) {
	l.env.Observer.Start("report", "")
	r, err := l.writeReport(ctx, f)
	l.env.Observer.Done("report", "", err)
	return r, err
}

func (l *line) writeReport(ctx context.Context, f findings) (report.Report, error) {
	r, err := l.makeReport(ctx, f)
	if err != nil {
		return report.Report{}, err
	}
	text, err := report.Encode(&r)
	if err != nil {
		return r, fmt.Errorf("writing the report: %w", err)
	}
	html, err := page.Render(&r)
	if err != nil {
		return r, fmt.Errorf("writing the report: %w", err)
	}
	for name, content := range map[string][]byte{
		evidence.Report:   text,
		evidence.Markdown: []byte(markdown.Summary(&r, markdown.Options{})),
		evidence.Page:     html,
		evidence.Exam:     l.exam.Canonical(),
	} {
		if err := l.run.WriteFile(name, content); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (l *line) makeReport(ctx context.Context, f findings) (report.Report, error) {
	c := l.project.Config
	took := int64(0)
	for _, d := range l.spent {
		took += d.Milliseconds()
	}
	r := report.Report{
		Schema: report.SchemaName,
		Run: report.Run{
			ID: report.Name(l.run.ID()), Model: report.Name(c.Model), Environment: report.Name(l.asked.Environment),
			Task: report.Task(c.Task), Mode: report.Mode(c.Mode), Commit: report.Commit(l.project.Commit), Dirty: len(l.project.Changed) > 0,
			Config: report.NewText(l.project.ConfigPath), Seeds: c.Train.Seeds, Confidence: c.Confidence, Dosirak: report.Name(l.env.Release), DurationMS: &took,
			Data: report.Data{
				Train: &report.DataFile{Digest: report.Digest(l.trainRows.Digest()), Rows: int64(l.trainRows.Rows())},
				Eval:  &report.DataFile{Digest: report.Digest(l.evalRows.Digest()), Rows: int64(l.evalRows.Rows())},
			},
		},
		N:         f.judged.Today.N,
		Groups:    f.judged.Today.Groups,
		NEff:      f.judged.Today.NEff,
		Levels:    reportLevels(f.judged.Today.Levels),
		Candidate: report.Model{Bundle: report.Digest(f.sealed.Digest), Image: report.Image(f.built.Digest), Predictions: report.Digest(f.answers.Today.Candidate.Digest)},
		Metrics:   reportMetrics(f.judged.Today.Metrics),
		Slices:    reportSlices(f.judged.Today.Slices),
		Headline:  []report.Prose{},
		Exams:     []report.Exam{},
	}
	if l.baseline != nil {
		r.Baseline = &report.Model{Bundle: report.Digest(l.baseline.Digest), Image: report.Image(l.production.Manifest.Image), Predictions: report.Digest(f.answers.Today.Baseline.Digest)}
		r.Anchor = &report.Model{Bundle: report.Digest(l.anchor.Digest)}
		if a := f.answers.Today.Anchor; a != nil {
			r.Anchor.Predictions = report.Digest(a.Digest)
		}
		r.Unchanged = l.baseline.Digest == f.sealed.Digest
	}
	if reason := f.judged.Today.Reason; reason != "" {
		r.Headline = append(r.Headline, report.NewProse(reason))
	}
	for _, column := range l.leakage.Unchecked {
		r.Warnings = append(r.Warnings, report.Prosef("the training data has no column %s, so nobody can tell whether a row's %s is in it too", column, column))
	}
	if l.unvouched {
		r.Warnings = append(r.Warnings, report.Prosef("there is no branch %s here: what production runs was read from the change's own files; fetch the branch, or name the right one in promote.base", l.project.Config.Promote.Base))
	}
	if r.Unchanged {
		nothingToJudge(&r)
	}
	r.Determinism = reportDeterminism(f.proved, l.exam)
	r.Determinism.First = r.Candidate.Bundle
	if r.Determinism.Kind == report.Identical {
		r.Determinism.Second = r.Candidate.Bundle
	}
	r.Smoke = reportSmoke(f.tested)
	r.Leakage = reportLeakage(l.leakage)
	r.Exams = l.reportExams(f.judged)
	var err error
	if r.Replicates, r.Luck, err = l.reportReplicates(f); err != nil {
		return r, err
	}
	if r.Recipes, err = l.recipes(f.answers); err != nil {
		return r, err
	}
	if r.Calibration, err = l.calibrations(f.answers.Today); err != nil {
		return r, err
	}
	facts, err := l.writeProvenance(ctx, f)
	if err != nil {
		return r, fault.Environment(err)
	}
	if r.WhyDifferent, err = l.whyDifferent(ctx, facts, f.answers.Today); err != nil {
		return r, err
	}
	used, err := l.wear(ctx)
	if err != nil {
		return r, err
	}
	if used != nil && used.Warning() != "" {
		r.Warnings = append(r.Warnings, report.NewProse(used.Warning()))
	}
	r.Provenance = l.provenance(facts, used)
	r.Verdict = l.runVerdict(f, r)
	return r, nil
}

// runVerdict is the worst gate's. A candidate that is the baseline has nothing
// to compare; what is left to judge of it are the proof and the smoke test.
func (l *line) runVerdict(f findings, r report.Report) verdict.Verdict {
	vs := []verdict.Verdict{f.proved.verdict(), f.tested.Verdict}
	if !r.Unchanged {
		vs = append(vs, f.judged.verdict())
		for _, found := range r.Leakage {
			if found.Verdict != "" {
				vs = append(vs, found.Verdict)
			}
		}
	}
	return verdict.Worst(vs...)
}

// nothingToJudge takes the verdicts off a comparison of a bundle with itself:
// its intervals say what such rows could show, not what this change did.
func nothingToJudge(r *report.Report) {
	for i := range r.Metrics {
		r.Metrics[i].Verdict, r.Metrics[i].Reason, r.Metrics[i].RowsNeeded, r.Metrics[i].MDE = "", "", nil, nil
	}
	for i := range r.Slices {
		r.Slices[i].Verdict, r.Slices[i].Reason = "", ""
	}
	r.Headline = []report.Prose{}
}

func (l *line) reportExams(j judged) []report.Exam {
	exams := []report.Exam{{Digest: report.Digest(l.exam.Digest()), Role: report.Today, Verdict: j.Today.Verdict}}
	if len(j.Changes) == 0 {
		return exams
	}
	promoted := report.Exam{Digest: report.Digest(l.production.Manifest.Exam), Role: report.Promoted, Verdict: j.promoted(), Reason: report.NewProse(j.Reason)}
	for _, c := range j.Changes {
		promoted.Changes = append(promoted.Changes, report.ExamChange{Path: report.NewText(c.Path), Old: report.NewText(c.Old), New: report.NewText(c.New)})
	}
	return append(exams, promoted)
}

func reportInterval(ci *compare.Interval) *report.Interval {
	if ci == nil {
		return nil
	}
	return &report.Interval{Low: ci.Low, High: ci.High, Confidence: ci.Confidence, Sides: ci.Sides, Scale: report.Scale(ci.Scale), Method: report.NewProse(ci.Method), Source: report.NewProse(ci.Source)}
}

func reportMargin(m *exam.Margin) report.Margin {
	if m == nil {
		return ""
	}
	return report.Margin(m.String())
}

func reportMetrics(metrics []compare.Metric) []report.Metric {
	out := make([]report.Metric, 0, len(metrics))
	for _, m := range metrics {
		var resampling *report.Resampling
		if r := m.Resampling; r != nil {
			resampling = &report.Resampling{Seed: r.Seed, Resamples: int64(r.Resamples), MCError: r.MCError, Exact: r.Exact}
		}
		out = append(out, report.Metric{
			Name: report.Name(m.Name), Direction: report.Direction(m.Direction), Against: report.Against(m.Against), Primary: m.Primary,
			Baseline: m.Baseline, Candidate: m.Candidate, Delta: m.Delta, Improvement: m.Improvement,
			CI: reportInterval(m.CI), Value: reportInterval(m.ValueCI), Margin: reportMargin(m.Margin), Verdict: m.Verdict, Improved: m.Improved,
			Floor: m.Floor, Ceiling: m.Ceiling, SE: m.SE, MDE: m.MDE, RowsNeeded: m.RowsNeeded, Resampling: resampling, Reason: report.NewProse(m.Reason),
		})
	}
	return out
}

func reportSlices(list []compare.Slice) []report.Slice {
	out := make([]report.Slice, 0, len(list))
	for _, s := range list {
		if s.Against == compare.AgainstAnchor && s.Verdict != verdict.Fail {
			continue // one row a slice; the anchor's is worth one where it fails
		}
		out = append(out, report.Slice{
			Name: report.NewText(s.Name), Column: report.NewText(s.Column), Level: report.NewText(s.Level), Where: report.NewText(s.Where),
			Mode: report.SliceMode(s.Mode), Metric: report.Name(s.Metric), Direction: report.Direction(s.Direction), Against: report.Against(s.Against),
			N: s.N, MinN: s.MinN, P: s.P, PHolm: s.PHolm,
			Baseline: s.Baseline, Candidate: s.Candidate, Improvement: s.Improvement, CI: reportInterval(s.CI), Margin: reportMargin(s.Margin),
			Verdict: s.Verdict, Reason: report.NewProse(s.Reason),
		})
	}
	return out
}

func reportLevels(levels []compare.Levels) []report.Levels {
	texts := func(names []string) []report.Text {
		var out []report.Text
		for _, name := range names {
			out = append(out, report.NewText(name))
		}
		return out
	}
	var out []report.Levels
	for _, l := range levels {
		out = append(out, report.Levels{Column: report.NewText(l.Column), New: texts(l.New), Vanished: texts(l.Vanished)})
	}
	return out
}

func (l *line) reportReplicates(f findings) ([]report.Replicate, []report.Luck, error) {
	out := make([]report.Replicate, 0, len(f.trained.Replicates))
	for i, r := range f.trained.Replicates {
		values, err := l.measure(&f.answers.Seeds[i])
		if err != nil {
			return nil, nil, err
		}
		ms := r.Duration.Milliseconds()
		out = append(out, report.Replicate{Seed: r.Seed, Metrics: values, Reused: r.Reused, DurationMS: &ms})
	}
	return out, l.luck(out), nil
}

func reportDeterminism(p proved, e exam.Exam) *report.Determinism {
	d := &report.Determinism{Kind: report.ProofOff, Required: report.NewText(e.Reproduce)}
	if p.Today.Judged {
		d.Verdict = p.verdict()
	}
	d.Hint = report.NewProse(p.Today.Hint)
	if p.Proof == nil {
		d.Reason = report.NewProse(p.Today.Reason)
		return d
	}
	proof := p.Proof
	d.Kind, d.Remembered, d.Seed = report.DeterminismKind(proof.Kind), proof.Remembered, &proof.Seed
	if proof.Kind == train.Different && p.Today.Verdict == verdict.Pass {
		d.Kind = report.WithinTolerance
	}
	// What differs has fields of its own; the reason is what they do not say.
	switch {
	case proof.ModelError != "":
		d.Reason = report.Prosef("where the models differ is not known: %s", proof.ModelError)
	case proof.Cause != "":
		d.Reason = report.NewProse(proof.Cause)
	case d.Verdict == verdict.Fail:
		d.Reason = report.Prosef("reproduce: %s asks for more", e.Reproduce)
	}
	if proof.Model != nil {
		d.FirstDifference = report.NewProse(proof.Model.String())
	}
	if proof.History != nil {
		d.HistoryDifference = report.NewProse(proof.History.String())
	}
	if proof.Predictions != nil {
		d.MaxDifference = &proof.Predictions.Largest
	}
	return d
}

func reportSmoke(t smoke.Result) *report.Smoke {
	s := &report.Smoke{
		Target: report.SmokeTarget(t.Target), Why: report.NewProse(t.Why), ReadyMS: t.ReadyMS, ReadySLO: t.ReadySLO,
		ImageSize: t.ImageSize, ImageSLO: t.ImageSLO, Compressed: t.Compressed, Memory: t.Memory, MemorySLO: t.MemorySLO,
		Checks: []report.Check{},
	}
	for _, c := range t.Checks {
		s.Checks = append(s.Checks, report.Check{Name: report.NewText(c.Name), Verdict: c.Verdict, Detail: report.NewProse(c.Detail), DurationMS: &c.DurationMS})
	}
	if m := t.Latencies; m != nil {
		s.Latencies = &report.Latencies{Requests: int64(m.Requests), Rate: &m.Rate, RateSLO: m.RateSLO, P50: &m.P50, P90: &m.P90, P99: &m.P99, Max: &m.Max, P99SLO: m.P99SLO}
	}
	return s
}

// provenance is what the model came from, as lines for a reader; the whole
// statement is written beside the bundle.
func (l *line) provenance(facts provenance.Facts, used *reuse.Wear) []report.Fact {
	machine := facts.Machine.String()
	if l.asked.Trained != "" {
		machine = "trained on another machine, which its record does not name"
	}
	out := []report.Fact{
		{Name: "source", Value: report.NewProse(facts.Source.String())},
		{Name: "command", Value: report.NewProse(facts.Command)},
		{Name: "machine", Value: report.NewProse(machine)},
		{Name: "libraries", Value: report.Prosef("%d named by lock files", len(facts.Libraries))},
	}
	if used != nil {
		out = append(out, report.Fact{Name: "evaluation data", Value: report.NewProse(used.Sentence())})
	}
	for _, name := range slices.Sorted(maps.Keys(l.spent)) {
		out = append(out, report.Fact{Name: report.NewText("time of " + name), Value: report.NewProse(l.spent[name].Round(time.Millisecond).String())})
	}
	return out
}
