package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// An environment that comes after another one takes that one's bundle, judged
// again against what it runs itself, and never retrained: what was watched in
// staging is what goes to production, bit by bit.

// earlier is the environment before this one; "" for the first.
func (l *line) earlier() string {
	i := slices.Index(l.project.Config.Promote.Environments, l.asked.Environment)
	if i <= 0 || l.asked.Trained != "" {
		return ""
	}
	return l.project.Config.Promote.Environments[i-1]
}

// makeCandidate gives the model that is judged: trained, proved and sealed
// here, or the bundle that the environment before this one runs.
func (l *line) makeCandidate(ctx context.Context) (trained, proved, sealed, error) {
	if earlier := l.earlier(); earlier != "" {
		p, s, err := l.takeStaged(ctx, earlier)
		return trained{}, p, s, err
	}
	// Every seed trains in a working copy of its own; the first seed's model is
	// the candidate, never the best one's.
	t, err := l.train(ctx)
	if err != nil {
		return t, proved{}, sealed{}, err
	}
	// The first seed again, past every cache: is it the same model?
	p, err := l.prove(ctx, t)
	if err != nil {
		return t, p, sealed{}, err
	}
	// The candidate becomes a bundle: weights, signature, golden answers, digest.
	s, err := l.seal(ctx, t)
	return t, p, s, err
}

// takeStaged copies the earlier environment's bundle and what is known of it.
func (l *line) takeStaged(ctx context.Context, earlier string) (proved, sealed, error) {
	l.env.Observer.Start("seal", "")
	p, s, err := l.copyStaged(ctx, earlier)
	l.env.Observer.Done("seal", "the bundle of "+earlier, err)
	if err == nil {
		_, err = l.link("staged", []any{p, s})
	}
	return p, s, err
}

func (l *line) copyStaged(ctx context.Context, earlier string) (proved, sealed, error) {
	q, err := l.project.Deployed(ctx, earlier)
	if err != nil {
		return proved{}, sealed{}, err
	}
	if q == nil {
		return proved{}, sealed{}, fault.Usage(fmt.Errorf("%s takes the bundle of %s, and %s runs nothing yet: promote to %s first", l.asked.Environment, earlier, earlier, earlier))
	}
	m := q.Manifest
	dir, err := l.run.Path("candidate/" + strings.TrimPrefix(m.Bundle, "sha256:"))
	if err != nil {
		return proved{}, sealed{}, err
	}
	opened, err := q.Bundle(ctx, m.Sources.Bundle, m.Bundle, dir)
	if err != nil {
		return proved{}, sealed{}, err
	}
	p, err := provedThen(ctx, q, earlier)
	if err != nil {
		return proved{}, sealed{}, err
	}
	l.staged = q
	return p, sealed{Digest: opened.Digest, Dir: dir, Signature: opened.Bundle.Signature}, nil
}

// provedThen is the proof that the earlier environment's evidence holds.
func provedThen(ctx context.Context, q *project.Deployed, earlier string) (proved, error) {
	unknown := proved{Today: train.Judgement{Verdict: verdict.Inconclusive, Judged: true, Reason: "the evidence of " + earlier + " holds no proof that the training reproduces"}}
	if q.Manifest.Sources.Evidence == "" {
		return unknown, nil
	}
	text, err := q.From.Read(ctx, path.Join(q.Manifest.Sources.Evidence, evidence.Report))
	if errors.Is(err, fs.ErrNotExist) {
		return unknown, nil
	}
	if err != nil {
		return proved{}, fault.Environment(fmt.Errorf("reading the evidence of %s: %w", earlier, err))
	}
	if digest.Of(text) != q.Manifest.Sources.EvidenceDigest {
		return proved{}, fault.Usage(fmt.Errorf("the report in %s is not the one that the manifest for %s names: restore it from the commit that promoted", q.Manifest.Sources.Evidence, earlier))
	}
	r, err := report.Parse(text, report.DefaultLimits())
	if err != nil {
		return proved{}, fault.Usage(fmt.Errorf("reading the evidence of %s: %w", earlier, err))
	}
	if r.Determinism == nil {
		return unknown, nil
	}
	p := proved{Today: train.Judgement{Verdict: r.Determinism.Verdict, Judged: true, Reason: "as it was judged for " + earlier}}
	if r.Determinism.Verdict == "" { // reproduce: off
		p.Today = train.Judgement{Verdict: verdict.Pass, Reason: "not asked for when it was promoted to " + earlier}
	}
	return p, nil
}

// originsOfStaged keeps the statement of the bundle that was taken over.
func (l *line) originsOfStaged(ctx context.Context) error {
	source := l.staged.Manifest.Sources.Evidence
	if source == "" {
		return nil
	}
	text, err := l.staged.From.Read(ctx, path.Join(source, provenance.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Environment(fmt.Errorf("reading the provenance: %w", err))
	}
	return l.run.WriteFile(filepath.ToSlash(filepath.Join("candidate", provenance.File)), text)
}
