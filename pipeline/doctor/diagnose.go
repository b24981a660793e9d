package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/image"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
)

// Options say what is looked at besides the project.
type Options struct {
	GitHub  GitHub // nil: not asked
	Machine Machine
	Labels  []string // that promotions get
	Steps   []string // those that are asked about; none: all
	WorkDir string   // receives copies of bundles
}

// Diagnose looks at the project in dir and says what will block which step. A
// project that cannot be opened is a finding.
func Diagnose(ctx context.Context, dir, config string, o Options) (Report, error) {
	s := Subject{Dir: dir, Steps: o.Steps, Machine: o.Machine, GitHub: o.GitHub}
	p, err := project.Open(ctx, dir, config)
	if ctx.Err() != nil {
		return Report{}, ctx.Err()
	}
	if err != nil {
		s.ConfigErr = err
		repo, err := git.Open(ctx, dir)
		if err != nil {
			s.Git.Err = err
		} else if s.Git.Commit, s.Git.Branch, err = repo.Head(ctx); err != nil {
			s.Git.Err = err
		}
		return Run(ctx, s)
	}
	s.Config = symptoms(ctx, p)
	s.Config.Labels = append([]string{promote.Again}, o.Labels...)
	if s.Git, err = gitFacts(ctx, p); err != nil {
		return Report{}, err
	}
	for _, environment := range p.Config.Promote.Environments {
		s.Manifests = append(s.Manifests, manifestFacts(ctx, p, environment, filepath.Join(o.WorkDir, environment)))
	}
	if s.Workflows, err = workflows(ctx, p); err != nil {
		return Report{}, err
	}
	return Run(ctx, s)
}

// symptoms is what the doctor wants to know of the config.
func symptoms(ctx context.Context, p *project.Project) Config {
	c := p.Config
	d := Config{Model: c.Model, Environments: c.Promote.Environments, Base: c.Promote.Base, Repository: c.Serve.Repository}
	command := func(key, text string) {
		if strings.TrimSpace(text) != "" {
			d.Commands = append(d.Commands, Command{Key: key, Text: text})
		}
	}
	// What setup installs is on the PATH of training only.
	command("train.setup", c.Train.Setup)
	if strings.TrimSpace(c.Train.Setup) == "" {
		command("train.command", c.Train.Command)
	}
	for _, m := range c.Metrics {
		command("metrics."+m.Name+".command", m.Command)
	}
	file := func(key, name string) {
		// What a run would say of it: not there, a pointer of Git LFS, a web page.
		err := dataset.Check(ctx, p.Path(name), dataset.Options{Separator: c.Data.Separator})
		d.Files = append(d.Files, File{Key: key, Path: name, Err: err, Fetched: c.Data.Fetch != ""})
	}
	file("data.train", c.Data.Train)
	file("data.eval", c.Data.Eval)
	if from := c.Serve.Golden.From; from != "" && from != "eval" {
		file("serve.golden.from", from)
	}
	return d
}

func gitFacts(ctx context.Context, p *project.Project) (Git, error) {
	g := Git{Err: p.NoRepo, Commit: p.Commit, Branch: p.Branch, Changed: p.Changed}
	if p.Repo == nil || p.Commit == "" {
		return g, ctx.Err()
	}
	for _, ref := range []string{"refs/heads/" + p.Config.Promote.Base, "refs/remotes/origin/" + p.Config.Promote.Base} {
		base, exists, err := p.Repo.Resolve(ctx, ref)
		if err != nil {
			return g, err
		}
		if !exists {
			continue
		}
		g.BaseExists = true
		merged, err := p.Repo.IsAncestor(ctx, p.Commit, base)
		if err != nil && ctx.Err() != nil {
			return g, ctx.Err()
		}
		g.Merged = g.Merged || merged
	}
	for _, name := range []string{"dosirak", "dosirak/promote", "dosirak/promote/" + p.Config.Model} {
		_, exists, err := p.Repo.Resolve(ctx, "refs/heads/"+name)
		if err != nil {
			return g, err
		}
		if exists && g.InTheWay == "" {
			g.InTheWay = name
		}
	}
	// A history of one file tells whether the clone is a shallow one.
	h, err := p.Repo.History(ctx, "HEAD", p.ConfigPath, 1_000_000)
	if err != nil && ctx.Err() != nil {
		return g, ctx.Err()
	}
	g.Shallow = err == nil && !h.Complete
	return g, nil
}

// manifestFacts looks whether what an environment runs can be had.
func manifestFacts(ctx context.Context, p *project.Project, environment, dir string) Manifest {
	name, err := p.Config.ManifestPath(environment)
	m := Manifest{Environment: environment, Path: name, Err: err}
	if err != nil {
		return m
	}
	q, err := p.Deployed(ctx, environment)
	if err != nil || q == nil {
		m.Err = err
		return m
	}
	m.Present, m.Bundle = true, q.Manifest.Bundle
	if _, m.Err = q.Bundle(ctx, q.Manifest.Sources.Bundle, q.Manifest.Bundle, filepath.Join(dir, "bundle")); m.Err != nil {
		return m
	}
	if anchor := q.Manifest.Anchor; anchor != "" && anchor != q.Manifest.Bundle {
		_, m.Err = q.Bundle(ctx, q.Manifest.Sources.Anchor, anchor, filepath.Join(dir, "anchor"))
	}
	return m
}

// workflows reads the workflows at the top of the repository.
func workflows(ctx context.Context, p *project.Project) ([]Workflow, error) {
	if p.Repo == nil {
		return nil, ctx.Err()
	}
	top := p.Dir
	for range strings.Count(p.Repo.Prefix, "/") {
		top = filepath.Dir(top)
	}
	const folder = ".github/workflows"
	entries, err := os.ReadDir(filepath.Join(top, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []Workflow
	for _, e := range entries {
		if !slices.Contains([]string{".yml", ".yaml"}, path.Ext(e.Name())) || e.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(top, folder, e.Name()))
		if err == nil && len(text) <= 1<<20 {
			out = append(out, Workflow{Path: path.Join(folder, e.Name()), Text: text})
		}
	}
	return out, nil
}

// ThisMachine is the computer that dosirak runs on, to the  server is
// where images get theirs from.
func ThisMachine(server image.Server) Machine { return machine{server} }

type machine struct{ server image.Server }

func (machine) Find(program string) (string, error) { return exec.LookPath(program) }
func (machine) Free(dir string) (uint64, error)     { return FreeBytes(dir) }

func (machine) Docker(ctx context.Context) (string, error) {
	engine, err := serving.Docker{}.Probe(ctx)
	return engine.Version, err
}

func (m machine) Builds() bool {
	if _, source := m.server.(image.Source); !source {
		return true
	}
	_, err := exec.LookPath("go")
	return err == nil
}
