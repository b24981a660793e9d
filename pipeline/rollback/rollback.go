package rollback

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest/codec"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// Options say where to roll back and to what.
type Options struct {
	Environment string // empty: the config's first one
	To          string // digest of a bundle or its beginning; empty: the one before
	Plan        bool   // write nothing
	Forge       promote.Forge
	Head        project.Head
	WorkDir     string // receives copies of bundles
}

// Result is what is proposed and what became of it.
type Result struct {
	Environment string            `json:"environment"`
	Goes        string            `json:"goes"`       // bundle
	ComesBack   string            `json:"comes_back"` // bundle
	Commit      string            `json:"commit"`     // whose manifest comes back
	Warnings    []string          `json:"warnings,omitempty"`
	Proposal    *promote.Proposal `json:"proposal,omitempty"`
	Outcome     promote.Outcome   `json:"outcome"`
}

// maxVersions bounds how many versions of a manifest are looked at.
const maxVersions = 10_000

// Run proposes the return of an environment to a model that it ran
// before.
func Run(ctx context.Context, p *project.Project, o Options) (Result, error) {
	for attempt := 1; ; attempt++ {
		r, err := run(ctx, p, o)
		// What was merged in between may have changed what comes back.
		if attempt == 3 || !errors.Is(err, promote.ErrBaseMoved) {
			return r, err
		}
	}
}

func run(ctx context.Context, p *project.Project, o Options) (Result, error) {
	var r Result
	var err error
	if r.Environment, err = p.Environment(o.Environment); err != nil {
		return r, err
	}
	name, err := p.Config.ManifestPath(r.Environment)
	if err != nil {
		return r, err
	}
	if p.Repo == nil || o.Forge == nil || o.Head == nil {
		return r, fault.NoRepository.Usage(fmt.Errorf("rolling back needs a Git repository, whose history says what ran before: %w", p.NoRepo))
	}
	base := p.Config.Promote.Base
	head, err := o.Head.Base(ctx, base)
	if err != nil {
		return r, err
	}
	if _, known, err := p.Repo.Resolve(ctx, head); err != nil || !known {
		return r, errors.Join(err, fault.ShallowClone.Usage(fmt.Errorf("this clone lacks commit %.12s, the head of %s: get it with `git fetch origin %s`, then roll back again", head, base, base)))
	}
	versions, complete, err := History(ctx, p, head, r.Environment)
	if err != nil {
		return r, err
	}
	choice, err := Choose(versions, complete, o.To)
	r.Goes, r.ComesBack, r.Commit = choice.Now.Manifest.Bundle, choice.Back.Manifest.Bundle, choice.Back.Commit
	if errors.Is(err, ErrRunning) {
		r.Outcome = promote.Outcome{Operation: promote.Unchanged, Reason: err.Error()}
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("rolling back %s: %w", r.Environment, err)
	}
	if r.Warnings, err = restorable(ctx, p, o, head, choice); err != nil {
		return r, err
	}
	proposal := Plan(choice, name, base)
	r.Proposal = &proposal
	if o.Plan {
		r.Outcome = promote.Outcome{Operation: promote.Planned, Branch: proposal.Branch}
		return r, nil
	}
	r.Outcome, err = Propose(ctx, promote.At(o.Forge, head), proposal)
	return r, err
}

// restorable says why a version cannot come back: the base branch's head must
// hold its bundle and its anchor's, whole.
func restorable(ctx context.Context, p *project.Project, o Options, head string, c Choice) (warnings []string, err error) {
	m := c.Back.Manifest
	from := project.HeadTree{Head: o.Head, Commit: head, Branch: p.Config.Promote.Base}
	q := &project.Deployed{Manifest: m, From: from, Bundles: p.Bundles}
	bundles := [][2]string{{m.Sources.Bundle, m.Bundle}}
	if m.Anchor != "" && m.Anchor != m.Bundle && m.Sources.Anchor != "" {
		bundles = append(bundles, [2]string{m.Sources.Anchor, m.Anchor})
	}
	for _, b := range bundles {
		source, digest := b[0], b[1]
		if _, err := q.Bundle(ctx, source, digest, filepath.Join(o.WorkDir, digest[len("sha256:"):])); err != nil {
			if ctx.Err() != nil || fault.ExitCode(err) == fault.CodeEnvironment {
				return nil, err
			}
			way := "that commit does not hold it either: choose another with --to"
			if names, listing := p.Repo.List(ctx, c.Back.Commit, source); listing == nil && len(names) > 0 {
				way = fmt.Sprintf("if it may come back, restore it with `git checkout %.12s -- %s`, commit that to %s, and roll back again", c.Back.Commit, source, p.Config.Promote.Base)
			}
			return nil, fault.BundleGone.Usage(fmt.Errorf("the manifest of commit %.12s cannot come back, since the files of %.19s… at %s are gone from %s or damaged (%w): %s", c.Back.Commit, digest, source, p.Config.Promote.Base, err, way))
		}
	}
	if m.Sources.Evidence != "" {
		names, err := from.List(ctx, m.Sources.Evidence)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			warnings = append(warnings, fmt.Sprintf("the evidence at %s is gone, so `dosirak verify` will not find it", m.Sources.Evidence))
		}
	}
	return warnings, nil
}

// History is an environment's manifest as the base branch had it, newest
// first, up to a commit. complete says that it goes back to the start.
func History(ctx context.Context, p *project.Project, head, environment string) (versions []Version, complete bool, err error) {
	name, err := p.Config.ManifestPath(environment)
	if err != nil {
		return nil, false, fault.Usage(err)
	}
	found, err := p.Repo.History(ctx, head, name, maxVersions)
	if err != nil {
		return nil, false, fault.Environment(err)
	}
	for i, v := range found.Versions {
		m, err := codec.Parse(name, v.Content)
		if err != nil || m.Model != p.Config.Model || m.Environment != environment {
			if i == 0 {
				return nil, false, errors.Join(err, fault.ManifestOfAnother.Usage(fmt.Errorf("%s on %s is no manifest of model %q in %q: correct it by hand", name, p.Config.Promote.Base, p.Config.Model, environment)))
			}
			continue // of another time, another model
		}
		versions = append(versions, Version{Commit: v.Commit, Text: v.Content, Manifest: m})
	}
	return versions, found.Complete, nil
}

// From reports whether an environment ran a bundle and was rolled back from it,
// as the base branch's history up to a commit has it: what a person took out of
// service comes back when a person asks for it, and not by itself.
func From(ctx context.Context, p *project.Project, head, environment, bundle string) (bool, error) {
	history, _, err := History(ctx, p, head, environment)
	if err != nil {
		return false, err
	}
	has := func(v Version) bool { return v.Manifest.Bundle == bundle }
	return slices.ContainsFunc(history, has) && !slices.ContainsFunc(Standing(history), has), nil
}
