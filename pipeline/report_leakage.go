package pipeline

import (
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Kinds of findings.
const (
	sharedRows   report.FindingKind = "rows"
	sharedIDs    report.FindingKind = "ids"
	sharedGroups report.FindingKind = "groups"
	timeOrder    report.FindingKind = "time"
	groupColumn  report.FindingKind = "group-column"
)

// reportLeakage turns what training and evaluation data share into findings.
// Shared ids and groups and a broken order of time mean that the evaluation
// cannot be trusted, so nothing can be told from it. Equal rows happen by
// chance where there are few features: as many are pointed out, more mean the
// same as shared ids.
func reportLeakage(r dataset.LeakageReport) []report.Finding {
	var out []report.Finding
	of := int64(r.EvalRows)
	overlap := func(kind report.FindingKind, v verdict.Verdict, o *dataset.Overlap, what string) {
		if o == nil || o.Rows == 0 {
			return
		}
		f := report.Finding{Kind: kind, Verdict: v, Count: int64(o.Rows), Of: of, Detail: report.Prosef("%d of %d evaluation rows %s", o.Rows, r.EvalRows, what)}
		for _, e := range o.Examples {
			text := fmt.Sprintf("%s %d, training %s %d", r.EvalUnit, e.EvalLine, r.TrainUnit, e.TrainLine)
			if e.Value != "" {
				text = e.Value + ": " + text
			}
			f.Examples = append(f.Examples, report.NewText(text))
		}
		out = append(out, f)
	}
	overlap(sharedIDs, verdict.Inconclusive, r.IDs, "have an id that a training row has too")
	overlap(sharedGroups, verdict.Inconclusive, r.Groups, "belong to a group that the training data has too")
	if t := r.Time; t != nil && t.After > 0 {
		out = append(out, report.Finding{
			Kind: timeOrder, Verdict: verdict.Inconclusive, Count: int64(t.After), Of: int64(r.TrainRows),
			Detail: report.Prosef("%d training rows are later than the first evaluation row (%s, %s %d)", t.After, t.FirstEval, r.EvalUnit, t.FirstLine),
		})
	}
	rows := verdict.Verdict("")
	if r.BeyondChance {
		rows = verdict.Inconclusive
	}
	overlap(sharedRows, rows, &r.Rows, fmt.Sprintf("equal a training row in all features and the label, where chance gives about %.0f (%d of %d training rows equal another)", r.ByChance, r.TrainRepeats, r.TrainRows))
	for _, g := range r.LooksLikeGroup {
		out = append(out, report.Finding{
			Kind: groupColumn, Count: int64(g.Levels), Detail: report.Prosef("column %s looks like the id of a group (%d levels that repeat): rows with the same value may not be independent; set data.group to it if so", g.Column, g.Levels),
		})
	}
	return out
}
