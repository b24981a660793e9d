package verify

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// checkVerdict compares the kept predictions again.
func checkVerdict(ctx context.Context, dir string, v *Result, q *project.Deployed, r *report.Report, e exam.Exam) error {
	in := compare.Input{Exam: e, Custom: command.Custom(ctx, dir)}
	for _, model := range []struct {
		name string
		want *report.Model
		file string
		set  **predictions.Set
	}{
		{"candidate's predictions", &r.Candidate, evidence.CandidatePredictions, &in.Candidate},
		{"baseline's predictions", r.Baseline, evidence.BaselinePredictions, &in.Baseline},
		{"anchor's predictions", r.Anchor, evidence.AnchorPredictions, &in.Anchor},
	} {
		if model.want == nil || model.want.Predictions == "" {
			continue
		}
		set, err := keptPredictions(ctx, q, model.file, model.want.Predictions, e)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			v.add(model.name, false, "%v", err)
			v.Recomputed = verdict.Inconclusive
			return nil
		}
		v.add(model.name, true, "%d rows, as the report names them", set.N)
		*model.set = set
	}
	result, err := compare.Compare(ctx, in)
	if err != nil {
		v.add("verdict", false, "%v", err)
		v.Recomputed = verdict.Inconclusive
		return nil
	}
	v.Recomputed = recomputed(r, q.Manifest, result)
	v.add("verdict", v.Recomputed == q.Manifest.Verdict, "recomputed %s, the manifest says %s", v.Recomputed, q.Manifest.Verdict)
	checkMetrics(v, q.Manifest, result, r)
	return nil
}

// recomputed is the verdict with the comparison made anew. The other gates (the
// proof, the smoke test, what the data share, production's own exam) cannot be
// repeated from the evidence: they are the report's word.
func recomputed(r *report.Report, m manifest.Manifest, result compare.Result) verdict.Verdict {
	kept := *r
	kept.Metrics, kept.Slices = nil, nil
	accepted := m.Accepted != nil && r.Acceptable()
	kept.Exams = slices.DeleteFunc(slices.Clone(r.Exams), func(e report.Exam) bool { return e.Role == report.Today || accepted })
	return verdict.Of(append(kept.Gates(), verdict.Gate{Name: "comparison", Verdict: result.Verdict, Asked: true}))
}

// checkMetrics holds the manifest's numbers against the recomputed ones. The
// tolerance is what another processor's arithmetic may change.
func checkMetrics(v *Result, m manifest.Manifest, result compare.Result, kept *report.Report) {
	const tolerance = 1e-9
	same := func(a, b *float64) bool {
		if a == nil || b == nil {
			return a == b
		}
		return math.Abs(*a-*b) <= tolerance*max(1, math.Abs(*a), math.Abs(*b))
	}
	left := map[string]compare.Metric{}
	for _, got := range result.Metrics {
		if got.Against == compare.AgainstBaseline {
			left[got.Name] = got
		}
	}
	for _, want := range m.Metrics {
		got, ok := left[want.Name]
		delete(left, want.Name)
		if !ok {
			v.add("metric "+want.Name, false, "the exam does not ask for it")
			continue
		}
		then := keptMetric(kept, want.Name)
		low, high := v.bounds(want.Name, got.CI, then.CI)
		valueLow, valueHigh := v.bounds(want.Name, got.ValueCI, then.Value)
		numbers := same(want.Candidate, got.Candidate) && same(want.Baseline, got.Baseline) && same(want.Improvement, got.Improvement) &&
			same(want.Low, low) && same(want.High, high) && same(want.ValueLow, valueLow) && same(want.ValueHigh, valueHigh)
		margin := ""
		if got.Margin != nil {
			margin = got.Margin.String()
		}
		switch {
		case !numbers:
			v.add("metric "+want.Name, false, "the manifest's numbers are not those of the predictions")
		case want.Margin != margin || !same(want.Floor, got.Floor) || !same(want.Ceiling, got.Ceiling):
			v.add("metric "+want.Name, false, "the manifest's margin, floor or ceiling is not the exam's")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		v.add("metric "+name, false, "the exam asks for it, and the manifest leaves it out")
	}
	if m.Improved != result.Improved() {
		v.add("improved", false, "the manifest says %t, the predictions give %t", m.Improved, result.Improved())
	}
}

// bounds are those that the manifest must name: the recomputed ones or, where an
// earlier version bounded the metric by another method, those of its report,
// which is said. The verdict is by the recomputed ones in any case.
func (v *Result) bounds(name string, now *compare.Interval, then *report.Interval) (low, high *float64) {
	switch {
	case now == nil:
		return nil, nil
	case then != nil && then.Method != "" && then.Method != report.NewProse(now.Method):
		v.add("metric "+name, true, "bounded by another method than today's when it was judged (%s; now %s)", then.Method, now.Method)
		return then.Low, then.High
	}
	return now.Low, now.High
}

// keptMetric is what the report says of a metric against the baseline.
func keptMetric(r *report.Report, name string) report.Metric {
	if r != nil {
		for _, m := range r.Metrics {
			if string(m.Name) == name && m.Against != report.AgainstAnchor {
				return m
			}
		}
	}
	return report.Metric{}
}

// keptPredictions reads what the evidence keeps of a model's answers, of the
// digest that its report names.
func keptPredictions(ctx context.Context, q *project.Deployed, file string, want report.Digest, e exam.Exam) (*predictions.Set, error) {
	data, err := unpacked(ctx, q.From, path.Join(q.Manifest.Sources.Evidence, file))
	if err != nil {
		return nil, err
	}
	if got := digest.Of(data); got != string(want) {
		return nil, fmt.Errorf("they are %s, the report names %s", got, want)
	}
	return predictions.Read(ctx, bytes.NewReader(data), file, predictions.Options{Task: e.Task, Positive: e.Data.Positive})
}

// unpacked reads a packed file of the evidence.
func unpacked(ctx context.Context, from project.Tree, name string) ([]byte, error) {
	data, err := from.Read(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	out, err := evidence.Unpack(data)
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", name, err)
	}
	return out, nil
}
