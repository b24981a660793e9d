package pipeline

import (
	"context"
	"errors"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
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

// Files are predictions files to compare, and the config that says how.
type Files struct {
	Candidate, Baseline, Anchor string // the last two may be empty
	Config                      string
}

// CompareFiles judges predictions files of any tool, without a run. The exam is
// that of the config: its task, metrics, slices, confidence, group and weight.
func CompareFiles(ctx context.Context, f Files) (Compared, error) {
	c := Compared{Name: "predictions"}
	if f.Candidate == "" {
		return c, fault.BadCommand.Usage(errors.New("compare needs --candidate FILE"))
	}
	asked, err := config.LoadCompare(f.Config, project.Catalogue)
	if err != nil {
		return c, err
	}
	c.Exam = asked.Exam()
	columns, err := c.Exam.Columns()
	if err != nil {
		return c, fault.Usage(err)
	}
	sets, err := predictions.ReadFiles(ctx, predictions.Options{
		Task: c.Exam.Task, Positive: c.Exam.Data.Positive, Columns: columns, Group: c.Exam.Data.Group, Weight: c.Exam.Data.Weight,
	}, f.Candidate, f.Baseline, f.Anchor)
	if err != nil {
		return c, err
	}
	c.Candidate, c.Baseline = sets[0], sets[1]
	c.Result, err = compare.Compare(ctx, compare.Input{
		Exam: c.Exam, Candidate: sets[0], Baseline: sets[1], Anchor: sets[2], Custom: command.Custom(ctx, ""),
	})
	return c, err
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
