package pipeline

import (
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

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
		out = append(out, report.Metric{
			Name: report.Name(m.Name), Direction: report.Direction(m.Direction), Against: report.Against(m.Against), Primary: m.Primary,
			Baseline: m.Baseline, Candidate: m.Candidate, Delta: m.Delta, Improvement: m.Improvement,
			CI: reportInterval(m.CI), Value: reportInterval(m.ValueCI), Margin: reportMargin(m.Margin), Verdict: m.Verdict, Improved: m.Improved,
			Floor: m.Floor, Ceiling: m.Ceiling, SE: m.SE, MDE: m.MDE, RowsNeeded: m.RowsNeeded, Reason: report.NewProse(m.Reason),
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
