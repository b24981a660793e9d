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

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/seal"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/train"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// sealed is the candidate as a bundle.
type sealed struct {
	Digest    string           `json:"digest"`
	Dir       string           `json:"dir"`
	Signature bundle.Signature `json:"signature"`
}

// String says it in a line.
func (s sealed) String() string { return s.Digest }

func (s *session) seal(ctx context.Context, t trained) (sealed, error) {
	golden := s.project.Config.Serve.Golden
	rows := s.evalRows
	if golden.From != "eval" {
		var err error
		if rows, err = s.project.Table(ctx, s.project.Path(golden.From)); err != nil {
			return sealed{}, err
		}
	}
	return step(ctx, s, "seal", []any{golden, rows.Digest()}, func(ctx context.Context, made *store.Step) (sealed, error) {
		dir, err := s.run.Path("candidate")
		if err != nil {
			return sealed{}, err
		}
		b, err := seal.Seal(ctx, seal.Options{
			Model: t.Models[0], Name: s.project.Config.Model, Dir: dir, Rows: rows, Train: s.trainRows, N: golden.Rows, Data: s.exam.Data, Task: s.exam.Task,
			Budget: s.changeBudget(),
		})
		if err != nil {
			return sealed{}, blameTrainer(err)
		}
		out := sealed{Digest: b.Digest, Dir: b.Dir, Signature: b.Signature}
		if s.isDeployed(b) {
			// Sealed anew it would be the same model in another wrapping: golden rows of
			// today, fields of a later release. Production's bundle stays.
			out = sealed{Digest: s.baseline.Digest, Dir: s.baseline.Dir, Signature: s.baseline.bundle.Bundle.Signature}
		}
		rel, err := filepath.Rel(s.run.Dir(), out.Dir)
		if err != nil {
			return sealed{}, err
		}
		return out, made.AddTree(filepath.ToSlash(rel))
	})
}

// isDeployed reports whether a sealed model is the one in production: the same
// file, asked by the same columns.
func (s *session) isDeployed(b *seal.Sealed) bool {
	if s.baseline == nil {
		return false
	}
	now, err := bundle.Open(b.Dir)
	if err != nil {
		return false
	}
	was := s.baseline.bundle.Bundle
	file := func(b bundle.Bundle) string {
		for _, f := range b.Files {
			if f.Path == b.Model.File {
				return f.SHA256
			}
		}
		return ""
	}
	if was.Model.Name != now.Bundle.Model.Name || file(was) == "" || file(was) != file(now.Bundle) {
		return false
	}
	recorded := evaluate.Places(was.Signature)
	if recorded == nil { // of an earlier release: the exam's columns, then and now
		return s.promotedExam == nil || slices.Equal(s.promotedExam.Data.Features, s.exam.Data.Features)
	}
	return slices.Equal(recorded, evaluate.Places(now.Bundle.Signature))
}

// blameTrainer marks the error of a model that the trainer left damaged or in
// a form that is refused: the change does not train.
func blameTrainer(err error) error {
	var damaged *bundle.DamagedError
	var refused *bundle.RefusedError
	if errors.As(err, &damaged) || errors.As(err, &refused) {
		return fault.Failed(err)
	}
	return err
}

// An environment that comes after another one takes that one's bundle, judged
// again against what it runs itself, and never retrained: what was watched in
// staging is what goes to production, bit by bit.

// earlier is the environment before this one; "" for the first.
func (s *session) earlier() string {
	i := slices.Index(s.project.Config.Promote.Environments, s.asked.Environment)
	if i <= 0 || s.asked.Trained != "" {
		return ""
	}
	return s.project.Config.Promote.Environments[i-1]
}

// makeCandidate gives the model that is judged: trained, proved and sealed
// here, or the bundle that the environment before this one runs.
func (s *session) makeCandidate(ctx context.Context) (trained, proved, sealed, error) {
	if earlier := s.earlier(); earlier != "" {
		p, candidate, err := s.takeStaged(ctx, earlier)
		return trained{}, p, candidate, err
	}
	// Every seed trains in a working copy of its own; the first seed's model is
	// the candidate, never the best one's.
	t, err := s.train(ctx)
	if err != nil {
		return t, proved{}, sealed{}, err
	}
	// The first seed again, past every cache: is it the same model?
	p, err := s.prove(ctx, t)
	if err != nil {
		return t, p, sealed{}, err
	}
	// The candidate becomes a bundle: weights, signature, golden answers, digest.
	candidate, err := s.seal(ctx, t)
	return t, p, candidate, err
}

// takeStaged copies the earlier environment's bundle and what is known of it.
func (s *session) takeStaged(ctx context.Context, earlier string) (proved, sealed, error) {
	s.env.Observer.Start("seal", "")
	p, taken, err := s.copyStaged(ctx, earlier)
	s.env.Observer.Done("seal", "the bundle of "+earlier, err)
	if err == nil {
		_, err = s.link("staged", []any{p, s})
	}
	return p, taken, err
}

func (s *session) copyStaged(ctx context.Context, earlier string) (proved, sealed, error) {
	q, err := s.project.Deployed(ctx, earlier)
	if err != nil {
		return proved{}, sealed{}, err
	}
	if q == nil {
		return proved{}, sealed{}, fault.EarlierFirst.Usage(fmt.Errorf("%s takes the bundle of %s, and %s runs nothing yet: promote to %s first", s.asked.Environment, earlier, earlier, earlier))
	}
	m := q.Manifest
	dir, err := s.run.Path("candidate/" + strings.TrimPrefix(m.Bundle, "sha256:"))
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
	s.staged = q
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
		return proved{}, fault.EvidenceChanged.Usage(fmt.Errorf("the report in %s is not the one that the manifest for %s names: restore it from the commit that promoted", q.Manifest.Sources.Evidence, earlier))
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
func (s *session) originsOfStaged(ctx context.Context) error {
	source := s.staged.Manifest.Sources.Evidence
	if source == "" {
		return nil
	}
	text, err := s.staged.From.Read(ctx, path.Join(source, provenance.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Environment(fmt.Errorf("reading the provenance: %w", err))
	}
	return s.run.WriteFile(filepath.ToSlash(filepath.Join("candidate", provenance.File)), text)
}
