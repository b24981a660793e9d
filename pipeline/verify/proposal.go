package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/metric/command"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// againstBase finds out what the manifest is to the base branch and verifies
// it as that.
func againstBase(ctx context.Context, v Result, q *project.Deployed, o Options) (Result, error) {
	b := o.Base
	// What a change names is not asked of any host that it likes.
	v.registry = func(source string) bool {
		where, there := strings.CutPrefix(source, project.RegistryScheme)
		repository, _, _ := strings.Cut(where, "@")
		return !there || repository == b.Config.Serve.Repository
	}
	name, err := b.Config.ManifestPath(o.Environment)
	if err != nil {
		return v, fault.Usage(err)
	}
	text, err := q.From.Read(ctx, name)
	if err != nil {
		return v, fault.Environment(fmt.Errorf("reading the manifest: %w", err))
	}
	now, err := b.DeployedIn(ctx, b.Tree, o.Environment)
	if err != nil {
		return v, err
	}
	if now != nil {
		current, err := b.Tree.Read(ctx, name)
		if err != nil {
			return v, fault.Environment(fmt.Errorf("reading the manifest of %s: %w", b.Tree, err))
		}
		if bytes.Equal(current, text) {
			v.registry = nil // the branch's own word
			return inForce(ctx, v, b.Dir, q, o)
		}
	}
	if q.Manifest.Sources.Evidence == "" {
		return adoption(ctx, v, q, now, o), nil
	}
	if was, standing, err := earlier(ctx, b, o.Environment, text); err != nil || was {
		return returned(ctx, v, q, standing, o), err
	}
	v.Kind = Proposal
	return proposal(ctx, v, q, now, o)
}

// earlier reports whether the base branch had a manifest with this text, and
// whether it was never rolled back from.
func earlier(ctx context.Context, b *project.Base, environment string, text []byte) (was, standing bool, err error) {
	history, _, err := rollback.History(ctx, b.Project, b.Commit, environment)
	if err != nil {
		return false, false, err
	}
	same := func(v rollback.Version) bool { return bytes.Equal(v.Text, text) }
	return slices.ContainsFunc(history, same), slices.ContainsFunc(rollback.Standing(history), same), nil
}

// returned verifies a rollback: what comes back was verified when it came.
func returned(ctx context.Context, v Result, q *project.Deployed, standing bool, o Options) Result {
	v.Kind, v.Recomputed, v.registry = Rollback, q.Manifest.Verdict, nil
	checkBundle(ctx, &v, q, filepath.Join(o.Dir, "bundle"))
	v.add("history", true, "%s had this very manifest before", o.Base.Tree)
	if !standing {
		v.wait(o, "history", "it was rolled back from; a person has to want it again")
	}
	return v
}

// adoption verifies a manifest that claims nothing.
func adoption(ctx context.Context, v Result, q, now *project.Deployed, o Options) Result {
	v.Kind, v.Recomputed = Adoption, verdict.Inconclusive
	opened := checkBundle(ctx, &v, q, filepath.Join(o.Dir, "bundle"))
	if opened != nil {
		checkGolden(ctx, &v, opened)
	}
	m := q.Manifest
	v.add("environment", now == nil, "%s", map[bool]string{true: "it runs nothing yet that a manifest names", false: "a manifest names what it runs already; a model comes after it by a promotion"}[now == nil])
	v.add("claims", m.Verdict == verdict.Inconclusive && !m.Improved && len(m.Metrics) == 0, "the manifest says %s and names %d metrics; without evidence it can say INCONCLUSIVE and none", m.Verdict, len(m.Metrics))
	v.add("anchor", m.Anchor == m.Bundle && m.Replaces == "", "an adopted model is its own anchor and replaces nothing")
	v.wait(o, "adoption", "nobody judged this model: a person has to say that it is what runs")
	return v
}

// wait adds a check that holds once a person has acknowledged it.
func (v *Result) wait(o Options, name, what string) {
	if o.Acknowledged {
		v.Checks = append(v.Checks, Check{Name: name, Holds: true, Detail: what + "; acknowledged"})
		return
	}
	if v.Holds && v.Waits == "" {
		v.Waits = what
	}
	v.Checks = append(v.Checks, Check{Name: name, Detail: what})
	v.Holds = false
}

// proposal judges a manifest by the base branch's exam, on the base branch's
// rows, against what the base branch's manifest says is in production.
func proposal(ctx context.Context, v Result, q, now *project.Deployed, o Options) (Result, error) {
	v.Recomputed = verdict.Inconclusive
	opened := checkBundle(ctx, &v, q, filepath.Join(o.Dir, "bundle"))
	r, err := checkReport(ctx, &v, q)
	if err != nil {
		return v, err
	}
	kept := checkExam(ctx, &v, q)
	if opened == nil {
		return v, nil
	}
	checkGolden(ctx, &v, opened)
	checkPlace(ctx, &v, q.Manifest, now, o)
	rows, err := o.Base.Rows(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		v.add("rows", false, "the evaluation rows of %s cannot be read: %v", o.Base.Tree, err)
		return v, nil
	}
	e := o.Base.Exam(rows)
	if kept != nil {
		checkSameExam(&v, *kept, e, o)
	}
	in, err := answerAgain(ctx, &v, opened, now, e, rows, o)
	if err != nil || in == nil {
		return v, err
	}
	if r != nil {
		checkAnswers(ctx, &v, q, r, in, e)
		checkClaims(&v, r)
	}
	in.Custom = command.Custom(ctx, o.Base.Dir)
	result, err := compare.Compare(ctx, *in)
	if err != nil {
		v.add("verdict", false, "%v", err)
		return v, nil
	}
	v.Recomputed = result.Verdict
	v.add("verdict", result.Verdict == verdict.Pass && q.Manifest.Verdict == verdict.Pass,
		"the bundles' answers to the rows of %s give %s, the manifest says %s; only a PASS is promoted", o.Base.Tree, result.Verdict, q.Manifest.Verdict)
	if e.When == exam.Improved && now != nil && now.Manifest.Bundle != opened.Digest {
		v.add("improvement", result.Improved(), "promote.when asks for an improvement of the primary metric")
	}
	checkMetrics(&v, q.Manifest, result, nil)
	checkAnchor(&v, q.Manifest, now, result.Improved())
	checkExamOfProduction(ctx, &v, q.Manifest, now, e, o)
	return v, nil
}

// checkPlace holds against the base branch what the manifest says of where it
// stands: what it replaces, what it was trained from, and, in a later
// environment, what the one before it runs.
func checkPlace(ctx context.Context, v *Result, m manifest.Manifest, now *project.Deployed, o Options) {
	runs := ""
	if now != nil {
		runs = now.Manifest.Bundle
	}
	v.add("replaces", m.Replaces == runs, "it replaces %s, and %s says that %s runs %s", orNothing(m.Replaces), o.Base.Tree, o.Environment, orNothing(runs))
	merged, err := o.Base.Repo.IsAncestor(ctx, m.Commit, o.Base.Commit)
	switch {
	case m.Commit == "":
		v.add("commit", false, "it names no commit that it was trained from")
	case err != nil:
		v.add("commit", false, "whether %s has commit %.12s cannot be told: %v", o.Base.Tree, m.Commit, err)
	default:
		v.add("commit", merged, "it was trained from commit %.12s, which %s %s", m.Commit, o.Base.Tree, map[bool]string{true: "has", false: "does not have"}[merged])
	}
	at := slices.Index(o.Base.Config.Promote.Environments, o.Environment)
	if at < 1 {
		return
	}
	before := o.Base.Config.Promote.Environments[at-1]
	staged, err := o.Base.DeployedIn(ctx, o.Base.Tree, before)
	switch {
	case err != nil:
		v.add("earlier environment", false, "%v", err)
	case staged == nil:
		v.add("earlier environment", false, "%s runs nothing yet, and %s takes what it runs", before, o.Environment)
	default:
		v.add("earlier environment", staged.Manifest.Bundle == m.Bundle, "%s takes what %s runs, and that is %s", o.Environment, before, staged.Manifest.Bundle)
	}
}

// checkSameExam holds the exam of the evidence against the base branch's.
func checkSameExam(v *Result, kept, today exam.Exam, o Options) {
	changes := exam.Changes(today, kept)
	if len(changes) == 0 {
		v.add("exam of "+o.Base.Tree.String(), true, "it was judged by the exam that the branch's config and rows are")
		return
	}
	c := changes[0]
	v.add("exam of "+o.Base.Tree.String(), false, "it was judged by another exam: %s is %q there and %q here, and %d more differ", c.Path, c.Old, c.New, len(changes)-1)
}

// checkExamOfProduction asks for a person where production was promoted by
// another exam.
func checkExamOfProduction(ctx context.Context, v *Result, m manifest.Manifest, now *project.Deployed, today exam.Exam, o Options) {
	if now == nil {
		return
	}
	old, err := now.Exam(ctx)
	if err == nil && (old == nil && now.Manifest.Exam == today.Digest() || old != nil && len(exam.Changes(*old, today)) == 0) {
		return
	}
	v.wait(o, "exam of production", fmt.Sprintf("production was promoted by another exam (%.19s…, this by %.19s…): a person has to acknowledge the change", now.Manifest.Exam, m.Exam))
}

// answerAgain lets the models answer the rows. It returns nil where one of them
// cannot.
func answerAgain(ctx context.Context, v *Result, candidate *bundle.Opened, now *project.Deployed, e exam.Exam, rows *dataset.Table, o Options) (*compare.Input, error) {
	in := &compare.Input{Exam: e}
	ask := func(name string, b *bundle.Opened, e exam.Exam, set **predictions.Set) (bool, error) {
		answers, err := evaluate.PredictServed(ctx, server.Options{Name: b.Bundle.Model.Name, Budget: engine.UntrustedBudget()}, b.Dir, e, rows, nil)
		if err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			v.add(name+"'s answers", false, "%v", err)
			return false, nil
		}
		*set = answers
		v.add(name+"'s answers", true, "%d rows of %s, answered again", answers.N, o.Base.Tree)
		return true, nil
	}
	if ok, err := ask("candidate", candidate, e, &in.Candidate); !ok {
		return nil, err
	}
	if now == nil {
		return in, nil
	}
	m := now.Manifest
	for _, production := range []struct {
		name, source, digest string
		set                  **predictions.Set
	}{
		{"baseline", m.Sources.Bundle, m.Bundle, &in.Baseline},
		{"anchor", m.Sources.Anchor, m.Anchor, &in.Anchor},
	} {
		if production.digest == "" || production.name == "anchor" && production.digest == m.Bundle {
			continue
		}
		b, err := now.Bundle(ctx, production.source, production.digest, filepath.Join(o.Dir, production.name))
		if err != nil {
			v.add(production.name, false, "%v", err)
			return nil, nil
		}
		if ok, err := ask(production.name, b, byOwnColumns(ctx, b, now, e, rows, o), production.set); !ok {
			return nil, err
		}
	}
	return in, nil
}

// byOwnColumns is an exam as a model of production is asked it: one whose
// bundle, of an earlier release, does not say which columns its one input reads
// has those of the exam that promoted it, whatever today's table has more.
func byOwnColumns(ctx context.Context, b *bundle.Opened, now *project.Deployed, e exam.Exam, rows *dataset.Table, o Options) exam.Exam {
	if !evaluate.UnrecordedPlaces(b.Bundle.Signature) {
		return e
	}
	old, err := now.Exam(ctx)
	if err != nil || old == nil {
		return e
	}
	if len(old.Data.Features) == 0 && old.Data.Eval != e.Data.Eval {
		found, _, err := o.Base.RowsOf(ctx, old.Data.Eval, filepath.Join(o.Dir, "promoted-rows"), now)
		if err != nil || found == nil {
			return e
		}
		rows = found
	}
	if places := evaluate.PlacesIn(rows, b.Bundle.Signature, old.Data); places != nil {
		e.Data.Features = places
	}
	return e
}

// checkAnswers holds the kept predictions of the candidate against what its
// bundle says.
func checkAnswers(ctx context.Context, v *Result, q *project.Deployed, r *report.Report, in *compare.Input, e exam.Exam) {
	kept, err := keptPredictions(ctx, q, evidence.CandidatePredictions, r.Candidate.Predictions, e)
	if err != nil {
		v.add("candidate's predictions", false, "%v", err)
		return
	}
	if at := predictions.Differ(kept, in.Candidate); at != "" {
		v.add("candidate's predictions", false, "those of the evidence do not come from this bundle: %s", at)
		return
	}
	v.add("candidate's predictions", true, "those of the evidence are what the bundle answers")
}

// checkClaims looks for what nobody computes again: it has to be there and to
// pass.
func checkClaims(v *Result, r *report.Report) {
	proof := r.Determinism.Verdict
	v.claim("proof", proof == "" || proof == verdict.Pass, "%s", map[bool]string{true: "the evidence says that training reproduces, or that nobody asked", false: "the evidence says that training does not reproduce"}[proof == "" || proof == verdict.Pass])
	smoke := verdict.Of((&report.Report{Unchanged: true, Smoke: r.Smoke}).Gates())
	v.claim("smoke test", smoke == verdict.Pass, "the evidence says %s", smoke)
	var leaks []verdict.Gate
	for _, l := range r.Leakage {
		leaks = append(leaks, verdict.Gate{Name: "leakage", Verdict: l.Verdict})
	}
	if worst := verdict.Of(append(leaks, verdict.Gate{Verdict: verdict.Pass})); worst != verdict.Pass {
		v.claim("leakage", false, "the evidence says %s", worst)
	}
}

// checkAnchor holds the anchor: production's, or the model itself where it is
// shown to be better or the first.
func checkAnchor(v *Result, m manifest.Manifest, now *project.Deployed, improved bool) {
	want := m.Bundle
	if now != nil && !(improved && m.Replaces != m.Bundle) {
		if want = now.Manifest.Anchor; want == "" {
			want = now.Manifest.Bundle
		}
	}
	v.add("anchor", m.Anchor == want, "it is %s, and has to be %s", orNothing(m.Anchor), want)
}

// checkGolden asks the bundle's golden examples again.
func checkGolden(ctx context.Context, v *Result, b *bundle.Opened) {
	err := evaluate.Golden(ctx, b, engine.UntrustedBudget())
	switch {
	case err == nil:
		v.add("golden answers", true, "the bundle gives them again")
	case errors.Is(err, context.Canceled):
	default:
		v.add("golden answers", false, "%v", err)
	}
}
