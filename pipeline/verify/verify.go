// Package verify holds a manifest against its evidence: the bundle's files
// against their digests, the report and the exam against the manifest's, and
// the verdict against what the kept predictions give when they are compared
// again. Nothing that the report claims is taken for true.
package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Result says whether a manifest's verdict holds.
type Result struct {
	Environment string          `json:"environment"`
	Bundle      string          `json:"bundle"`
	Manifest    verdict.Verdict `json:"manifest_verdict"`
	Recomputed  verdict.Verdict `json:"recomputed_verdict"`
	Holds       bool            `json:"holds"`
	Checks      []Check         `json:"checks"`
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
}

func (v *Result) add(name string, holds bool, format string, args ...any) {
	v.Checks = append(v.Checks, Check{name, holds, fmt.Sprintf(format, args...)})
	v.Holds = v.Holds && holds
}

// Run recomputes the verdict of the manifest in the work tree from its
// evidence, and says for each thing that the manifest claims whether it
// holds. dir receives a copy of the bundle.
func Run(ctx context.Context, p *project.Project, environment, dir string) (Result, error) {
	v := Result{Environment: environment, Holds: true}
	from := project.Folder(p.Dir)
	name, err := p.Config.ManifestPath(environment)
	if err != nil {
		return v, fault.Usage(err)
	}
	data, err := from.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return v, fault.Usage(fmt.Errorf("there is no %s: environment %q runs nothing yet", name, environment))
	}
	if err != nil {
		return v, fault.Environment(fmt.Errorf("reading the manifest: %w", err))
	}
	m, err := config.ParseManifest(name, data)
	if err != nil {
		return v, err
	}
	v.Bundle, v.Manifest = m.Bundle, m.Verdict
	if m.Sources.Evidence == "" {
		return v, fault.Usage(fmt.Errorf("%s names no evidence: the model was adopted, so there is no verdict to recompute", name))
	}

	q := &project.Deployed{Manifest: m, From: from}
	if _, err := q.Bundle(ctx, m.Sources.Bundle, m.Bundle, dir); err != nil {
		v.add("bundle", false, "%v", err)
	} else {
		v.add("bundle", true, "%s is at %s, and every file of it has its digest", m.Bundle, m.Sources.Bundle)
	}
	r, err := checkReport(ctx, &v, q)
	if err != nil {
		return v, err
	}
	e, err := q.Exam(ctx)
	switch {
	case err != nil:
		v.add("exam", false, "%v", err)
	case e == nil:
		v.add("exam", false, "the evidence does not hold the text of the exam")
	default:
		v.add("exam", true, "the evidence holds the exam that the manifest names")
	}
	if r == nil || e == nil {
		v.Recomputed = verdict.Inconclusive
		return v, nil
	}
	return v, checkVerdict(ctx, p.Dir, &v, q, r, *e)
}

// checkReport reads the evidence's report and holds it against the manifest.
func checkReport(ctx context.Context, v *Result, q *project.Deployed) (*report.Report, error) {
	text, err := q.From.Read(ctx, path.Join(q.Manifest.Sources.Evidence, evidence.Report))
	if errors.Is(err, fs.ErrNotExist) {
		v.add("report", false, "%s lacks %s", q.Manifest.Sources.Evidence, evidence.Report)
		return nil, nil
	}
	if errors.Is(err, fs.ErrInvalid) {
		v.add("report", false, "%v", err)
		return nil, nil
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the evidence: %w", err))
	}
	if got := digest.Of(text); got != q.Manifest.Sources.EvidenceDigest {
		v.add("report", false, "the report is %s, the manifest names %s", got, q.Manifest.Sources.EvidenceDigest)
		return nil, nil
	}
	r, err := report.Parse(text, report.DefaultLimits())
	if err != nil {
		v.add("report", false, "%v", err)
		return nil, nil
	}
	if string(r.Candidate.Bundle) != q.Manifest.Bundle {
		v.add("report", false, "the report is about %s", r.Candidate.Bundle)
		return nil, nil
	}
	if missing := missingEvidence(r, q.Manifest); missing != "" {
		v.add("report", false, "%s", missing)
		return nil, nil
	}
	v.add("report", true, "it has the digest that the manifest names and is about this bundle")
	return r, nil
}

// missingEvidence says what a report leaves out that the manifest's verdict rests on. A
// report without the baseline's answers would have the candidate judged as a
// first model, by floors alone.
func missingEvidence(r *report.Report, m manifest.Manifest) string {
	baseline := ""
	if r.Baseline != nil {
		baseline = string(r.Baseline.Bundle)
	}
	switch {
	case baseline != m.Replaces:
		return fmt.Sprintf("it compares with %s, the manifest replaces %s", orNothing(baseline), orNothing(m.Replaces))
	case r.Candidate.Predictions == "":
		return "it names no predictions of the candidate"
	case r.Baseline != nil && r.Baseline.Predictions == "":
		return "it names no predictions of the baseline"
	case r.Anchor != nil && string(r.Anchor.Bundle) != baseline && r.Anchor.Predictions == "":
		return "it names no predictions of the anchor"
	}
	return ""
}

func orNothing(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest
}

// checkVerdict compares the kept predictions again.
func checkVerdict(ctx context.Context, dir string, v *Result, q *project.Deployed, r *report.Report, e exam.Exam) error {
	in := compare.Input{Exam: e, Custom: command.Custom(ctx, dir)}
	var compared []string
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
		data, err := unpacked(ctx, q.From, path.Join(q.Manifest.Sources.Evidence, model.file))
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			v.add(model.name, false, "%v", err)
			v.Recomputed = verdict.Inconclusive
			return nil
		}
		if got := digest.Of(data); got != string(model.want.Predictions) {
			v.add(model.name, false, "they are %s, the report names %s", got, model.want.Predictions)
			v.Recomputed = verdict.Inconclusive
			return nil
		}
		set, err := predictions.Read(bytes.NewReader(data), model.file, predictions.Options{Task: e.Task, Positive: e.Data.Positive})
		if err != nil {
			v.add(model.name, false, "%v", err)
			v.Recomputed = verdict.Inconclusive
			return nil
		}
		v.add(model.name, true, "%d rows, as the report names them", set.N)
		*model.set = set
		if model.file != evidence.AnchorPredictions {
			compared = append(compared, digest.Of(data))
		}
	}
	in.Seed = compare.SeedOf(e, compared...)
	result, err := compare.Compare(in)
	if err != nil {
		v.add("verdict", false, "%v", err)
		v.Recomputed = verdict.Inconclusive
		return nil
	}
	vs := []verdict.Verdict{result.Verdict}
	if r.Determinism != nil && r.Determinism.Verdict != "" {
		vs = append(vs, r.Determinism.Verdict)
	}
	if r.Smoke != nil {
		for _, c := range r.Smoke.Checks {
			if c.Verdict != "" {
				vs = append(vs, c.Verdict)
			}
		}
	}
	v.Recomputed = verdict.Worst(vs...)
	v.add("verdict", v.Recomputed == q.Manifest.Verdict, "recomputed %s, the manifest says %s", v.Recomputed, q.Manifest.Verdict)
	checkMetrics(v, q.Manifest, result)
	return nil
}

// checkMetrics holds the manifest's numbers against the recomputed ones. The
// tolerance is what another processor's arithmetic may change.
func checkMetrics(v *Result, m manifest.Manifest, result compare.Result) {
	const tolerance = 1e-9
	same := func(a, b *float64) bool {
		if a == nil || b == nil {
			return a == b
		}
		return math.Abs(*a-*b) <= tolerance*max(1, math.Abs(*a), math.Abs(*b))
	}
	recomputed := map[string]compare.Metric{}
	for _, got := range result.Metrics {
		if got.Against == compare.AgainstBaseline {
			recomputed[got.Name] = got
		}
	}
	for _, want := range m.Metrics {
		got, ok := recomputed[want.Name]
		if !ok {
			v.add("metric "+want.Name, false, "the exam does not ask for it")
			continue
		}
		var low, high *float64
		if got.CI != nil {
			low, high = got.CI.Low, got.CI.High
		}
		if !same(want.Candidate, got.Candidate) || !same(want.Baseline, got.Baseline) || !same(want.Improvement, got.Improvement) || !same(want.Low, low) || !same(want.High, high) {
			v.add("metric "+want.Name, false, "the manifest's numbers are not those of the predictions")
		}
	}
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
