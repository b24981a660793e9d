package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/report/markdown"
	"github.com/dosirak-ml/dosirak/pipeline/rollback"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// promotable says why a promotion would be refused whatever the verdict. What
// production runs must be a function of a commit that the base branch has.
func promotable(ctx context.Context, p *project.Project, forge promote.Forge) error {
	if p.Repo == nil || forge == nil {
		return fault.NoRepository.Usage(fmt.Errorf("promoting needs a Git repository: %w; run without --promote, or clone the project with Git", p.NoRepo))
	}
	if p.Commit == "" {
		return fault.NoCommit.Usage(errors.New("promoting needs a commit, and this repository has none yet: commit the project first"))
	}
	if len(p.Changed) > 0 {
		return fault.DirtyTree.Usage(fmt.Errorf("promoting needs a clean work tree, and %d files differ from the commit, the first being %q: commit or stash them, then run again", len(p.Changed), p.Changed[0]))
	}
	base, err := forge.Base(ctx, p.Config.Promote.Base)
	if err != nil {
		return err
	}
	merged, err := p.Repo.IsAncestor(ctx, p.Commit, base)
	if err != nil {
		return fault.Environment(err)
	}
	if !merged {
		return fault.NotOnBase.Usage(fmt.Errorf("commit %.12s is not on %s: what is promoted is trained from %s; merge the change first, or run without --promote", p.Commit, p.Config.Promote.Base, p.Config.Promote.Base))
	}
	return nil
}

// promote proposes the candidate. It returns no proposal for a candidate that
// is not to be promoted, and says why in the outcome.
func (s *session) promote(ctx context.Context, r report.Report, f stepResults) (*promote.Proposal, *promote.Outcome, error) {
	s.env.Observer.Start("promote", "")
	proposal, out, err := s.propose(ctx, r, f)
	detail := ""
	if out != nil {
		detail = string(out.Operation)
		if out.Reason != "" {
			detail += ": " + out.Reason
		}
	}
	s.env.Observer.Done("promote", detail, err)
	return proposal, out, err
}

func (s *session) propose(ctx context.Context, r report.Report, f stepResults) (*promote.Proposal, *promote.Outcome, error) {
	j := f.judged
	skip := func(reason string) (*promote.Proposal, *promote.Outcome, error) {
		out, err := s.withdraw(ctx, reason)
		return nil, &out, err
	}
	switch {
	case r.Unchanged && len(j.Changes) == 0:
		return skip("the candidate is the model in production")
	case r.Unchanged && j.Today.Verdict != verdict.Pass:
		return skip(fmt.Sprintf("the candidate is the model in production, and by the changed exam it is %s", j.Today.Verdict))
	case r.Verdict != verdict.Pass && !(s.asked.AcknowledgeExam && acceptable(f.judged, r)):
		return skip(fmt.Sprintf("the verdict is %s", r.Verdict))
	// A first model has nothing to be better than: its floors decided.
	case s.exam.When == exam.Improved && s.deployed != nil && !r.Unchanged && !j.Today.Improved():
		return skip("promote.when asks for an improvement of the primary metric, and it is not shown to be one")
	case len(j.Changes) > 0 && !s.asked.AcknowledgeExam:
		return nil, nil, fault.ExamDiffers.Usage(fmt.Errorf("the exam differs from the one that production was promoted by (%s, and %d more in the report): a change may not grade its own exam; look at the differences, then promote with --acknowledge-exam", j.Changes[0].Path, len(j.Changes)-1))
	}
	base, err := s.project.BaseTree(ctx)
	if err != nil {
		return nil, nil, err
	}
	if tree, ok := base.(project.CommitTree); ok && !s.asked.Again {
		back, err := rollback.From(ctx, s.project, tree.Commit, s.asked.Environment, f.sealed.Digest)
		if err != nil {
			return nil, nil, err
		}
		if back {
			return skip(fmt.Sprintf("%s was rolled back from this very bundle; to have it again, promote with --again", s.asked.Environment))
		}
	}
	d, err := s.decide(r, f)
	if err != nil {
		return nil, nil, err
	}
	d.Findings = markdown.Promotion(&r, markdown.Options{Limit: findingsLimit, Page: s.asked.Links.Run, Repository: s.asked.Links.Repository})
	if d.Links, err = s.links(ctx, d.Manifest); err != nil {
		return nil, nil, err
	}
	if d.Attributes, err = promote.Attributes(ctx, base, d.ManifestPath); err != nil {
		return nil, nil, err
	}
	proposal, err := promote.Plan(d, codec.Format)
	if err != nil {
		return nil, nil, err
	}
	if s.asked.Plan {
		return &proposal, &promote.Outcome{Operation: promote.Planned, Branch: proposal.Branch}, nil
	}
	proposal.Superseded = s.supersededBy
	if repository := s.project.Config.Serve.Repository; repository != "" && s.env.Push != nil {
		if err := s.env.Push(ctx, f.built, repository); err != nil {
			return nil, nil, fmt.Errorf("the promotion names an image, which comes first: %w", err)
		}
	}
	if d.BundleSource != "" {
		if err := s.project.Bundles.Push(ctx, f.sealed.Dir, s.project.Config.Serve.Repository); err != nil {
			return nil, nil, fmt.Errorf("the promotion names a bundle in a registry, which comes first: %w", err)
		}
	}
	out, err := promote.Propose(ctx, s.env.Forge, proposal)
	if err != nil {
		return nil, nil, err // what it was about to do is not done
	}
	if out.Operation == promote.Skipped {
		return nil, &out, err
	}
	return &proposal, &out, err
}

// findingsLimit leaves room in a pull request's text, which has the limit of a
// comment, for what the proposal says itself.
const findingsLimit = markdown.CommentLimit - 8<<10

// mergedPull finds the pull request in the subject of a merge or of a squash.
var mergedPull = regexp.MustCompile(`^(?:Merge pull request #(\d{1,9}) |.* \(#(\d{1,9})\)$)`)

// links are where the proposal came from: the pull requests that were merged
// since production was trained, as Git's history names them.
func (s *session) links(ctx context.Context, m manifest.Manifest) (promote.Links, error) {
	l := promote.Links{Repository: s.asked.Links.Repository, Run: s.asked.Links.Run}
	if s.deployed == nil || s.deployed.Manifest.Commit == "" || m.Commit == "" {
		return l, nil
	}
	since := s.deployed.Manifest.Commit
	if _, there, err := s.project.Repo.Resolve(ctx, since); err != nil || !there {
		return l, err // rewritten history
	}
	messages, err := s.project.Repo.MessagesSince(ctx, since, m.Commit)
	if err != nil {
		return l, fault.Environment(err)
	}
	l.Since = since
	for _, message := range messages {
		subject, _, _ := strings.Cut(message, "\n")
		found := mergedPull.FindStringSubmatch(strings.TrimSpace(subject))
		if found == nil || len(l.Pulls) == 20 {
			continue
		}
		n, err := strconv.Atoi(found[1] + found[2])
		if err == nil && !slices.Contains(l.Pulls, n) {
			l.Pulls = append(l.Pulls, n)
		}
	}
	return l, nil
}

// supersededBy says that a newer commit of the base branch has been proposed
// already: of two runs the slower one may be that of the older commit, and the
// newest PASS is what stands.
func (s *session) supersededBy(ctx context.Context, base string, head *promote.Head) (string, error) {
	if base == s.project.Commit || head == nil || head.Merged {
		return "", nil
	}
	for _, message := range head.Messages {
		t, ours := promote.ParseTrailers(message)
		if !ours || t.Source == "" || t.Source == s.project.Commit {
			continue
		}
		older, err := s.project.Repo.IsAncestor(ctx, s.project.Commit, t.Source)
		if err != nil {
			return "", fault.Environment(fmt.Errorf("looking at what is proposed: %w", err))
		}
		if older {
			return fmt.Sprintf("commit %.12s is proposed already, and it is newer than %.12s", t.Source, s.project.Commit), nil
		}
	}
	return "", nil
}

// withdraw takes back an older proposal, because what the base branch trains
// today is not to be promoted. A variant's config decides nothing about what
// the project's own proposed.
func (s *session) withdraw(ctx context.Context, reason string) (promote.Outcome, error) {
	out := promote.Outcome{Operation: promote.Skipped, Branch: promote.Branch(s.project.Config.Model, s.asked.Environment), Reason: reason}
	base, err := s.env.Forge.Base(ctx, s.project.Config.Promote.Base)
	if err != nil || base != s.project.Commit || s.project.ConfigPath != project.ConfigFile || s.asked.Plan {
		return out, err
	}
	taken, err := promote.Withdraw(ctx, s.env.Forge, out.Branch, s.project.Config.Promote.Base, reason+" at the newest commit of "+s.project.Config.Promote.Base)
	if err != nil || taken.Operation == promote.Unchanged {
		return out, err
	}
	return taken, nil
}

// acceptable reports whether a person may accept today's comparison in the
// place of the one by production's exam: that one cannot be answered any more,
// both models did answer today's, and all else passes. A question that was
// answered is never passed over.
func acceptable(j judged, r report.Report) bool {
	return j.Promoted == nil && r.Acceptable()
}

// accepted is what the manifest records of an exam that a person acknowledged.
func (s *session) accepted(j judged) *manifest.Accepted {
	if len(j.Changes) == 0 {
		return nil
	}
	return &manifest.Accepted{Exam: s.deployed.Manifest.Exam, Verdict: j.promoted(), Reason: string(report.NewProse(j.Reason))}
}

// decide gathers what is promoted: the manifest, the bundle's files and the
// evidence.
func (s *session) decide(r report.Report, f stepResults) (promote.Decision, error) {
	candidate, a, j, built, t := f.sealed, f.answers.Today, f.judged, f.built, f.trained
	path, err := s.project.Config.ManifestPath(s.asked.Environment)
	if err != nil {
		return promote.Decision{}, fault.Usage(err)
	}
	m := manifest.Manifest{
		Schema: manifest.Schema, Model: s.project.Config.Model, Environment: s.asked.Environment,
		Bundle: candidate.Digest, Image: built.Digest, Verdict: verdict.Pass, Improved: j.Today.Improved() && !r.Unchanged,
		Metrics: manifestMetrics(r), Exam: s.exam.Digest(), Accepted: s.accepted(j), Commit: s.project.Commit,
	}
	if s.project.Config.Serve.Repository != "" {
		m.Image = s.project.Config.Serve.Repository + "@" + built.Digest
	}
	d := promote.Decision{ManifestPath: path, Base: s.project.Config.Promote.Base, Evidence: map[string][]byte{}}
	// The anchor moves only when production gets better: not worse than the
	// last one, k times over, must not add up to much worse.
	switch {
	case s.deployed == nil || m.Improved:
		m.Anchor = candidate.Digest
	default:
		m.Anchor, d.AnchorSource = s.anchor.Digest, s.deployed.Manifest.Sources.Anchor
		if d.AnchorSource == "" {
			d.AnchorSource = s.deployed.Manifest.Sources.Bundle
		}
	}
	if s.staged != nil {
		m.Commit = s.staged.Manifest.Commit
	}
	if s.deployed != nil {
		m.Replaces = s.deployed.Manifest.Bundle
	}
	d.Manifest = m

	text, err := os.ReadFile(filepath.Join(s.run.Dir(), evidence.Report))
	if err != nil {
		return d, fault.Environment(fmt.Errorf("reading the report: %w", err))
	}
	d.ReportDigest = digest.Of(text)
	d.Evidence[evidence.Report] = text
	d.Evidence[evidence.Exam] = s.exam.Canonical()
	origin, err := os.ReadFile(filepath.Join(s.run.Dir(), "candidate", provenance.File))
	switch {
	case err == nil:
		d.Evidence[provenance.File] = origin
	case !errors.Is(err, fs.ErrNotExist): // a staged bundle may have none
		return d, fault.Environment(fmt.Errorf("reading the provenance: %w", err))
	}
	replicates, err := keptReplicates(t)
	if err != nil {
		return d, err
	}
	maps.Copy(d.Evidence, replicates)
	for name, f := range map[string]*predictionsFile{
		evidence.CandidatePredictions: &a.Candidate, evidence.BaselinePredictions: a.Baseline, evidence.AnchorPredictions: a.Anchor,
	} {
		if f == nil {
			continue
		}
		if d.Evidence[name], err = compressed(f.Path); err != nil {
			return d, err
		}
	}
	room := int64(promote.MaxGitBytes)
	for _, content := range d.Evidence {
		room -= int64(len(content))
	}
	opened, err := bundle.Open(candidate.Dir)
	if err != nil {
		return d, fault.Environment(err)
	}
	d.Bundle, d.BundleSource, err = s.project.Place(opened, room)
	return d, err
}

// compressed reads a file and packs it.
func compressed(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the predictions: %w", err))
	}
	packed, err := evidence.Pack(data)
	if err != nil {
		return nil, fmt.Errorf("packing the predictions: %w", err)
	}
	return packed, nil
}

func manifestMetrics(r report.Report) []manifest.Metric {
	var out []manifest.Metric
	for _, m := range r.Metrics {
		if m.Against == report.AgainstAnchor {
			continue
		}
		row := manifest.Metric{Name: string(m.Name), Candidate: m.Candidate, Baseline: m.Baseline, Improvement: m.Improvement, Margin: string(m.Margin), Floor: m.Floor, Ceiling: m.Ceiling}
		if m.Value != nil {
			row.ValueLow, row.ValueHigh = m.Value.Low, m.Value.High
		}
		if m.CI != nil {
			row.Low, row.High = m.CI.Low, m.CI.High
		}
		out = append(out, row)
	}
	return out
}
