// Package verify holds a manifest against its evidence: the bundle's files
// against their digests, the report and the exam against the manifest's, and
// the verdict against what the kept predictions give when they are compared
// again. Nothing that the report claims is taken for true.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
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
	q, err := p.DeployedIn(ctx, p.WorkTree(), environment)
	if err != nil {
		return v, err
	}
	if q == nil {
		return v, fault.NothingPromoted.Usage(fmt.Errorf("there is no manifest of environment %q: it runs nothing yet", environment))
	}
	m := q.Manifest
	v.Bundle, v.Manifest = m.Bundle, m.Verdict
	if m.Sources.Evidence == "" {
		return v, fault.NothingPromoted.Usage(fmt.Errorf("the manifest of %s names no evidence: the model was adopted, so there is no verdict to recompute", environment))
	}

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

// missingEvidence says what a report leaves out that the manifest's verdict
// rests on. A report without the baseline's answers would have the candidate
// judged as a first model, by floors alone.
func missingEvidence(r *report.Report, m manifest.Manifest) string {
	baseline := ""
	if r.Baseline != nil {
		baseline = string(r.Baseline.Bundle)
	}
	switch {
	case r.Verdict != m.Verdict:
		return fmt.Sprintf("its verdict is %s, the manifest's is %s", r.Verdict, m.Verdict)
	case baseline != m.Replaces:
		return fmt.Sprintf("it compares with %s, the manifest replaces %s", orNothing(baseline), orNothing(m.Replaces))
	case r.Candidate.Predictions == "":
		return "it names no predictions of the candidate"
	case r.Baseline != nil && r.Baseline.Predictions == "":
		return "it names no predictions of the baseline"
	case r.Anchor != nil && string(r.Anchor.Bundle) != baseline && r.Anchor.Predictions == "":
		return "it names no predictions of the anchor"
	case r.Determinism == nil:
		return "it does not say whether the training reproduces"
	case r.Smoke == nil:
		return "it holds no smoke test"
	}
	return ""
}

func orNothing(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest
}
