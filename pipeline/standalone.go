package pipeline

import (
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// Compared is a comparison of predictions files, without a run around it.
type Compared struct {
	Name      string // of the comparison, such as the candidate file's
	Release   string
	Exam      exam.Exam
	Result    compare.Result
	Candidate *predictions.Set
	Baseline  *predictions.Set // nil: none
	// Digests of the files: no bundle is known, so they name the models.
	CandidateDigest, BaselineDigest, AnchorDigest string
}

// Report is the comparison as a report, so that every rendering serves it.
func (c Compared) Report() report.Report {
	model := func(digest string) report.Model {
		return report.Model{Bundle: report.Digest(digest), Predictions: report.Digest(digest)}
	}
	r := report.Report{
		Schema: report.SchemaName,
		Run: report.Run{
			ID: report.ComparisonID, Model: report.Name(c.Name), Task: report.Task(c.Exam.Task), Mode: report.Gate,
			Seeds: []int64{}, Confidence: c.Exam.Confidence, Dosirak: report.Name(c.Release),
		},
		Verdict: c.Result.Verdict, N: c.Result.N, Groups: c.Result.Groups, NEff: c.Result.NEff, Levels: reportLevels(c.Result.Levels),
		Candidate: model(c.CandidateDigest), Metrics: reportMetrics(c.Result.Metrics), Slices: reportSlices(c.Result.Slices),
		Headline: []report.Prose{}, Replicates: []report.Replicate{}, Exams: []report.Exam{},
	}
	if c.Baseline != nil {
		m := model(c.BaselineDigest)
		r.Baseline = &m
	}
	if c.AnchorDigest != "" {
		m := model(c.AnchorDigest)
		r.Anchor = &m
	}
	if c.Result.Reason != "" {
		r.Headline = append(r.Headline, report.NewProse(c.Result.Reason))
	}
	if c.Exam.Task == exam.Binary && c.Candidate.Score != nil {
		r.Calibration = &report.Calibration{Class: report.NewText(c.Candidate.Classes[c.Candidate.Positive]), Candidate: bins(c.Candidate)}
		if c.Baseline != nil && c.Baseline.Score != nil {
			r.Calibration.Baseline = bins(c.Baseline)
		}
	}
	return r
}
