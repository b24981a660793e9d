package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// Names of the evidence's files, beside the manifest's report.
const (
	reportFile               = "report.json"
	examFile                 = "exam.json"
	candidatePredictionsFile = "predictions-candidate.csv.gz"
	baselinePredictionsFile  = "predictions-baseline.csv.gz"
	anchorPredictionsFile    = "predictions-anchor.csv.gz"
)

// tree reads files of the project as somebody vouches for them: a commit of
// the base branch, or the work tree where there is no Git. Paths are relative
// to the project's folder.
type tree interface {
	Read(ctx context.Context, path string) ([]byte, error) // fs.ErrNotExist when it lacks the file
	List(ctx context.Context, folder string) ([]string, error)
	String() string // for messages: "main", "the work tree"
}

// production is what an environment runs today.
type production struct {
	Manifest manifest.Manifest
	From     tree
}

// findProduction reads the environment's manifest. Git is the order: what
// counts is the base branch's manifest, not the one that a change brings along.
// It returns nil for an environment that runs nothing yet.
func (p *Project) findProduction(ctx context.Context, environment string) (*production, error) {
	from, err := p.vouched(ctx)
	if err != nil {
		return nil, err
	}
	name, err := p.Config.ManifestPath(environment)
	if err != nil {
		return nil, fault.Usage(err)
	}
	data, err := from.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the manifest: %w", err))
	}
	m, err := config.ParseManifest(name, data)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("reading the manifest on %s: %w", from, err))
	}
	if m.Model != p.Config.Model || m.Environment != environment {
		return nil, fault.Usage(fmt.Errorf("%s on %s is for model %q in %q, the config asks for %q in %q: correct promote.manifest or the manifest", name, from, m.Model, m.Environment, p.Config.Model, environment))
	}
	return &production{Manifest: m, From: from}, nil
}

// vouched is the base branch's commit, or the work tree where there is no Git
// or no such branch.
func (p *Project) vouched(ctx context.Context) (tree, error) {
	if p.Repo == nil {
		return folder(p.Dir), nil
	}
	for _, ref := range []string{"refs/heads/" + p.Config.Promote.Base, "refs/remotes/origin/" + p.Config.Promote.Base} {
		commit, ok, err := p.Repo.Resolve(ctx, ref)
		if err != nil {
			return nil, err
		}
		if ok {
			return commitTree{repo: p.Repo, commit: commit, branch: p.Config.Promote.Base}, nil
		}
	}
	return folder(p.Dir), nil
}

// bundle copies a production bundle into dir and opens it, verified against
// the digest that the manifest names.
func (q *production) bundle(ctx context.Context, source, digest, dir string) (*bundle.Opened, error) {
	if opened, err := bundle.Open(dir); err == nil && opened.Digest == digest {
		return opened, nil // a resumed run has it already
	}
	names, err := q.From.List(ctx, source)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
	}
	if len(names) == 0 {
		return nil, fault.Usage(fmt.Errorf("the manifest for %s names bundle %s at %s, and %s has no such folder: restore the folder from the commit that promoted it, or correct `sources` in the manifest", q.Manifest.Environment, digest, source, q.From))
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
	}
	for _, name := range names {
		data, err := q.From.Read(ctx, name)
		if err == nil {
			err = writeFile(filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, source+"/"))), data)
		}
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("fetching the production bundle: %w", err))
		}
	}
	opened, err := bundle.Open(dir)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("opening the production bundle at %s on %s: %w", source, q.From, err))
	}
	if opened.Digest != digest {
		return nil, fault.Usage(fmt.Errorf("the bundle at %s on %s is %s, the manifest for %s names %s: restore the folder from the commit that promoted it", source, q.From, opened.Digest, q.Manifest.Environment, digest))
	}
	return opened, nil
}

// exam reads the exam by which production was promoted. It returns nil when
// the evidence does not hold it.
func (q *production) exam(ctx context.Context) (*exam.Exam, error) {
	if q.Manifest.Sources.Evidence == "" {
		return nil, nil
	}
	text, err := q.From.Read(ctx, path.Join(q.Manifest.Sources.Evidence, examFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("reading the exam of production: %w", err))
	}
	e, err := exam.Parse(text)
	if err != nil {
		return nil, fault.Usage(err)
	}
	if e.Digest() != q.Manifest.Exam {
		return nil, fault.Usage(fmt.Errorf("the exam in %s is %s, the manifest for %s names %s: the evidence was changed; restore it from the commit that promoted", q.Manifest.Sources.Evidence, e.Digest(), q.Manifest.Environment, q.Manifest.Exam))
	}
	return &e, nil
}

// commitTree is the project's folder in a commit.
type commitTree struct {
	repo           *git.Repo
	commit, branch string
}

func (t commitTree) Read(ctx context.Context, path string) ([]byte, error) {
	data, err := t.repo.Show(ctx, t.commit, path)
	if errors.Is(err, git.ErrNotFound) {
		return nil, fs.ErrNotExist
	}
	return data, err
}

func (t commitTree) List(ctx context.Context, folder string) ([]string, error) {
	return t.repo.List(ctx, t.commit, folder)
}

func (t commitTree) String() string { return t.branch }

// folder is the project's folder as it lies there.
type folder string

// Read reads a regular file below the folder. What a change brings along may be
// a link that leads elsewhere or a pipe that never ends: both are refused.
func (f folder) Read(_ context.Context, path string) ([]byte, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.FromSlash(path)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxEvidence {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes: %w", path, maxEvidence, fs.ErrInvalid)
	}
	return root.ReadFile(name)
}

func (f folder) List(_ context.Context, below string) ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(string(f)), below, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

func (f folder) String() string { return "the work tree" }

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
