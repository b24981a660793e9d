package pipeline

import (
	"cmp"
	"context"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/report/page"
	"github.com/dosirak-ml/dosirak/pipeline/smoke"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// stepResults is what the steps gave.
type stepResults struct {
	trained  trained
	proved   proved
	sealed   sealed
	exported exported
	answers  answers
	judged   judged
	built    image.Built
	tested   smoke.Result
}

// report writes report.json, the Markdown and the page into the run's folder.
// It is made anew by every try: it holds the run's own times.
func (s *session) report(ctx context.Context, f stepResults) (report.Report, error) {
	s.env.Observer.Start("report", "")
	r, err := s.writeReport(ctx, f)
	s.env.Observer.Done("report", "", err)
	return r, err
}

func (s *session) writeReport(ctx context.Context, f stepResults) (report.Report, error) {
	r, err := s.makeReport(ctx, f)
	if err != nil {
		return report.Report{}, err
	}
	text, err := report.Encode(&r)
	if err != nil {
		return r, fmt.Errorf("writing the report: %w", err)
	}
	if err := s.writeForReaders(&r, report.Proposal{}); err != nil {
		return r, err
	}
	// The report comes last: where it is, the run has come to its verdict.
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{evidence.Exam, s.exam.Canonical()},
		{evidence.Report, text},
	} {
		if err := s.run.WriteFile(file.name, file.content); err != nil {
			return r, err
		}
	}
	return r, nil
}

// writeForReaders writes the Markdown and the page. They are written again once
// the model is proposed: what they say is next is then another thing, and
// report.json, which says what was found, stays as it is.
func (s *session) writeForReaders(r *report.Report, p report.Proposal) error {
	html, err := page.RenderProposed(r, p)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := s.run.WriteFile(evidence.Markdown, []byte(markdown.Summary(r, markdown.Options{Proposed: p}))); err != nil {
		return err
	}
	return s.run.WriteFile(evidence.Page, html)
}

func (s *session) makeReport(ctx context.Context, f stepResults) (report.Report, error) {
	c := s.project.Config
	took := int64(0)
	for _, d := range s.spent {
		took += d.Milliseconds()
	}
	r := report.Report{
		Schema: report.SchemaName,
		Run: report.Run{
			ID: report.Name(s.run.ID()), Model: report.Name(c.Model), Environment: report.Name(s.asked.Environment),
			Task: report.Task(c.Task), Mode: report.Mode(c.Mode), Commit: report.Commit(s.project.Commit), Dirty: len(s.project.Changed) > 0,
			Folder: report.NewText(s.project.Folder()), Config: report.NewText(s.project.ConfigPath), Seeds: c.Train.Seeds, Confidence: c.Confidence, Dosirak: report.Name(s.env.Release), DurationMS: &took,
			Data: report.Data{
				Train: &report.DataFile{Digest: report.Digest(s.trainRows.Digest()), Rows: int64(s.trainRows.Rows())},
				Eval:  &report.DataFile{Digest: report.Digest(s.evalRows.Digest()), Rows: int64(s.evalRows.Rows())},
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
	if s.baseline != nil {
		r.Baseline = &report.Model{Bundle: report.Digest(s.baseline.Digest), Image: report.Image(s.deployed.Manifest.Image), Predictions: report.Digest(f.answers.Today.Baseline.Digest)}
		r.Anchor = &report.Model{Bundle: report.Digest(s.anchor.Digest)}
		if a := f.answers.Today.Anchor; a != nil {
			r.Anchor.Predictions = report.Digest(a.Digest)
		}
		r.Unchanged = s.baseline.Digest == f.sealed.Digest
	}
	if reason := f.judged.Today.Reason; reason != "" {
		r.Headline = append(r.Headline, report.NewProse(reason))
	}
	for _, column := range s.leakage.Unchecked {
		r.Warnings = append(r.Warnings, report.Prosef("the training data has no column %s, so it is not known whether a row's %s is in it too", column, column))
	}
	if s.baseBranchMissing {
		r.Warnings = append(r.Warnings, report.Prosef("there is no branch %s here: what production runs was read from the change's own files; fetch the branch, or name the right one in promote.base", s.project.Config.Promote.Base))
	}
	if r.Unchanged {
		nothingToJudge(&r)
	}
	r.Determinism = reportDeterminism(f.proved, s.exam)
	r.Determinism.First = r.Candidate.Bundle
	if r.Determinism.Kind == report.Identical {
		r.Determinism.Second = r.Candidate.Bundle
	}
	r.Export = reportExport(f.exported, s.asked.Witness)
	r.Smoke = reportSmoke(f.tested)
	r.Leakage = reportLeakage(s.leakage)
	r.Exams = s.reportExams(f.judged)
	var err error
	if r.Replicates, r.SeedPositions, err = s.reportReplicates(ctx, f); err != nil {
		return r, err
	}
	if r.BaselineReplicates, err = s.reportBaselineReplicates(ctx, f.answers); err != nil {
		return r, err
	}
	if alike := r.SeedsAlike(); alike != "" {
		// One training seen twice tells nothing of what another seed would give.
		r.Warnings, r.SeedPositions = append(r.Warnings, report.NewProse(alike)), nil
	} else if r.Recipes, err = s.recipes(ctx, f.answers); err != nil {
		return r, err
	}
	if r.Calibration, err = s.calibrations(ctx, f.answers.Today); err != nil {
		return r, err
	}
	facts, err := s.writeProvenance(ctx, f)
	if err != nil {
		return r, fault.Environment(err)
	}
	if r.WhyDifferent, err = s.whyDifferent(ctx, facts, f.answers.Today); err != nil {
		return r, err
	}
	used, err := s.reuse(ctx)
	if err != nil {
		return r, err
	}
	if warning := unlocked(s.project.Dir, facts); warning != "" && s.staged == nil {
		r.Warnings = append(r.Warnings, report.NewProse(warning))
	}
	if used != nil && used.Warning() != "" {
		r.Warnings = append(r.Warnings, report.NewProse(used.Warning()))
	}
	r.Provenance = s.provenance(facts, used)
	if s.asked.AcknowledgeExam {
		r.Accept()
	}
	if r.Verdict = verdict.Of(r.Gates()); r.Verdict != f.judged.Today.Verdict {
		r.Headline = []report.Prose{} // another gate than the comparison's decided, and says why
	}
	r.Publish(report.Rows(cmp.Or(s.asked.Rows, c.Report.Rows, config.ShowRows)))
	return r, nil
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

func (s *session) reportExams(j judged) []report.Exam {
	exams := []report.Exam{{Digest: report.Digest(s.exam.Digest()), Role: report.Today, Verdict: j.Today.Verdict}}
	if len(j.Changes) == 0 {
		return exams
	}
	old := ""
	if s.promotedExam != nil {
		old = s.promotedExam.Digest()
	} else {
		old = s.deployed.Manifest.Exam
	}
	promoted := report.Exam{Digest: report.Digest(old), Role: report.Promoted, Verdict: j.promoted(), Reason: report.NewProse(j.Reason)}
	for _, c := range j.Changes {
		promoted.Changes = append(promoted.Changes, report.ExamChange{Path: report.NewText(c.Path), Old: report.NewText(c.Old), New: report.NewText(c.New)})
	}
	return append(exams, promoted)
}

func (s *session) reportReplicates(ctx context.Context, f stepResults) ([]report.Replicate, []report.SeedPosition, error) {
	out := make([]report.Replicate, 0, len(f.trained.Replicates))
	for i, r := range f.trained.Replicates {
		values, err := s.measure(ctx, &f.answers.Seeds[i])
		if err != nil {
			return nil, nil, err
		}
		ms := r.Duration.Milliseconds()
		model, err := digestOfModel(f.trained.Models[i])
		if err != nil {
			return nil, nil, err
		}
		out = append(out, report.Replicate{
			Seed: r.Seed, Metrics: values, Reused: r.Reused, DurationMS: &ms,
			Model: model, Predictions: report.Digest(f.answers.Seeds[i].Digest),
		})
	}
	return out, s.seedPositions(out), nil
}

func reportDeterminism(p proved, e exam.Exam) *report.Determinism {
	d := &report.Determinism{Kind: report.ProofOff, Required: report.NewText(e.Reproduce)}
	if p.Today.Judged || p.Promoted.Judged {
		d.Verdict = p.verdict()
	}
	if p.Witness != Seen {
		d.Claimed = true
		if d.Verdict == verdict.Pass {
			d.Verdict = "" // it counts, and nothing here has seen it
		}
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
	case p.Witness == Unvouched && d.Verdict == verdict.Inconclusive:
		d.Reason = report.NewProse("nothing on this side has seen it")
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
