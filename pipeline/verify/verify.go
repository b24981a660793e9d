package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Kind says what a manifest is to the base branch.
type Kind string

const (
	InForce  Kind = "in force" // the base branch has it
	Proposal Kind = "proposal" // another model, or another exam
	Rollback Kind = "rollback" // the base branch had it
	Adoption Kind = "adoption" // of a model that nobody judged
)

// Result says whether a manifest's verdict holds.
type Result struct {
	Environment string          `json:"environment"`
	Kind        Kind            `json:"kind"`
	Bundle      string          `json:"bundle"`
	Manifest    verdict.Verdict `json:"manifest_verdict"`
	Recomputed  verdict.Verdict `json:"recomputed_verdict"`
	Holds       bool            `json:"holds"`
	// Waits says what a person has to acknowledge before it can hold; all else
	// does.
	Waits  string  `json:"waits,omitempty"`
	Checks []Check `json:"checks"`

	registry func(source string) bool // whether a registry may be asked for a source; nil: any
}

// Verdict is PASS where all holds, INCONCLUSIVE where a person's
// acknowledgement is all that is missing, else FAIL.
func (v Result) Verdict() verdict.Verdict {
	switch {
	case v.Holds:
		return verdict.Pass
	case v.Waits != "":
		return verdict.Inconclusive
	}
	return verdict.Fail
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
	// Claimed says that it is the evidence's word: nothing here computed it.
	Claimed bool `json:"claimed,omitempty"`
}

func (v *Result) add(name string, holds bool, format string, args ...any) {
	v.Checks = append(v.Checks, Check{Name: name, Holds: holds, Detail: fmt.Sprintf(format, args...)})
	v.Holds = v.Holds && holds
}

func (v *Result) claim(name string, holds bool, format string, args ...any) {
	v.Checks = append(v.Checks, Check{Name: name, Holds: holds, Claimed: true, Detail: fmt.Sprintf(format, args...)})
	v.Holds = v.Holds && holds
}

// Options say what is held against what.
type Options struct {
	Environment string
	// Base is what decides about a proposal. Without one (no Git) every manifest
	// is taken as in force.
	Base *project.Base
	// Acknowledged says that a person has acknowledged what waits for one.
	Acknowledged bool
	Dir          string // receives copies of bundles
}

// Run verifies the manifest of an environment in p's work tree, which is a
// change's or the base branch's own.
func Run(ctx context.Context, p *project.Project, o Options) (Result, error) {
	v := Result{Environment: o.Environment, Kind: InForce, Holds: true}
	reader := p // whose config says where the manifest is
	if o.Base != nil {
		reader = o.Base.Project
	}
	q, err := reader.DeployedIn(ctx, p.WorkTree(), o.Environment)
	if err != nil {
		return v, err
	}
	if q == nil {
		return v, fault.NothingPromoted.Usage(fmt.Errorf("there is no manifest of environment %q: it runs nothing yet", o.Environment))
	}
	v.Bundle, v.Manifest = q.Manifest.Bundle, q.Manifest.Verdict
	if o.Base != nil {
		return againstBase(ctx, v, q, o)
	}
	return inForce(ctx, v, p.Dir, q, o)
}

// inForce holds a manifest against its own evidence.
func inForce(ctx context.Context, v Result, dir string, q *project.Deployed, o Options) (Result, error) {
	checkBundle(ctx, &v, q, filepath.Join(o.Dir, "bundle"))
	if q.Manifest.Sources.Evidence == "" {
		v.Recomputed = verdict.Inconclusive
		v.add("verdict", q.Manifest.Verdict != verdict.Pass, "the model was adopted: nobody judged it, and the manifest says %s", q.Manifest.Verdict)
		return v, nil
	}
	r, err := checkReport(ctx, &v, q)
	if err != nil {
		return v, err
	}
	e := checkExam(ctx, &v, q)
	if r == nil || e == nil {
		v.Recomputed = verdict.Inconclusive
		return v, nil
	}
	return v, checkVerdict(ctx, dir, &v, q, r, *e)
}

// checkBundle copies the bundle and opens it, nil where it does not hold.
func checkBundle(ctx context.Context, v *Result, q *project.Deployed, dir string) *bundle.Opened {
	if v.registry != nil && !v.registry(q.Manifest.Sources.Bundle) {
		v.add("bundle", false, "it is kept at %s, which is not the serve.repository of the base branch", q.Manifest.Sources.Bundle)
		return nil
	}
	opened, err := q.Bundle(ctx, q.Manifest.Sources.Bundle, q.Manifest.Bundle, dir)
	if err != nil {
		v.add("bundle", false, "%v", err)
		return nil
	}
	v.add("bundle", true, "%s is at %s, and every file of it has its digest", q.Manifest.Bundle, q.Manifest.Sources.Bundle)
	return opened
}

// checkExam reads the exam that the evidence keeps, nil where it does not hold.
func checkExam(ctx context.Context, v *Result, q *project.Deployed) *exam.Exam {
	e, err := q.Exam(ctx)
	switch {
	case err != nil:
		v.add("exam", false, "%v", err)
	case e == nil:
		v.add("exam", false, "the evidence does not hold the text of the exam")
	default:
		v.add("exam", true, "the evidence holds the exam that the manifest names")
	}
	return e
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
	case reported(r, m) != m.Verdict:
		return fmt.Sprintf("its verdict is %s, the manifest's is %s", r.Verdict, m.Verdict)
	case r.Run.Model != report.Name(m.Model) || r.Run.Environment != report.Name(m.Environment):
		return fmt.Sprintf("it is about %s in %s", r.Run.Model, r.Run.Environment)
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

// reported is the report's verdict as the manifest may state it: where a person
// accepted today's comparison in the place of the one by production's exam, the
// verdict without that exam.
func reported(r *report.Report, m manifest.Manifest) verdict.Verdict {
	if m.Accepted != nil && m.Accepted.Verdict == verdict.Inconclusive && r.Acceptable() {
		return verdict.Of(r.GatesToday())
	}
	return r.Verdict
}

func orNothing(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest
}
