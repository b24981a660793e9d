package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/dataset"
	"github.com/dosirak-ml/dosirak/pipeline/digest"
	"github.com/dosirak-ml/dosirak/pipeline/evaluate"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/serving"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// predictionsFolder holds, in the run's folder, what the models answered.
const predictionsFolder = "predictions"

// predictionsFile is what one model answered.
type predictionsFile struct {
	Path   string `json:"path"` // absolute
	Digest string `json:"digest"`
	set    *predictions.Set
}

// read returns the answers; a resumed run has them on disk only.
func (f *predictionsFile) read(e exam.Exam) (*predictions.Set, error) {
	if f.set != nil {
		return f.set, nil
	}
	set, err := predictions.ReadFile(f.Path, predictions.Options{Task: e.Task, Positive: e.Data.Positive})
	if err != nil {
		return nil, err
	}
	f.set = set
	return set, nil
}

// answerSet is the answers of the models that an exam compares.
type answerSet struct {
	Candidate predictionsFile  `json:"candidate"`
	Baseline  *predictionsFile `json:"baseline,omitempty"`
	Anchor    *predictionsFile `json:"anchor,omitempty"` // nil when it is the baseline
}

// answers is what all models answered.
type answers struct {
	Today          answerSet         `json:"today"`
	Promoted       *answerSet        `json:"promoted,omitempty"` // under the exam of production, where it asks something else
	PromotedReason string            `json:"promoted_reason,omitempty"`
	Seeds          []predictionsFile `json:"seeds"`                    // by seed, under today's exam; the first is the candidate's
	BaselineSeeds  []predictionsFile `json:"baseline_seeds,omitempty"` // of production's other seeds
}

// String says it in a line.
func (a answers) String() string {
	if a.Today.Candidate.set == nil {
		return ""
	}
	return fmt.Sprintf("%d rows", a.Today.Candidate.set.N)
}

// contestant is a model that answers.
type contestant struct {
	name string
	path string // bundle's folder or model file
}

func (l *line) evaluate(ctx context.Context, t trained, s sealed) (answers, error) {
	return step(ctx, l, "evaluate", nil, func(ctx context.Context, made *store.Step) (answers, error) {
		var a answers
		if err := checkOrder(l.trainRows, l.evalRows, l.exam.Data, s.Signature); err != nil {
			return a, err
		}
		models := l.contestants(s)
		for i, r := range t.Replicates {
			if i > 0 {
				models = append(models, contestant{fmt.Sprintf("seed-%d", r.Seed), t.Models[i]})
			}
		}
		others, err := l.baselineReplicates(ctx)
		if err != nil {
			return a, err
		}
		files, err := l.answer(ctx, append(models, others...), l.exam, l.evalRows, predictionsFolder)
		if err != nil {
			return a, err
		}
		a.Today = answersOf(files)
		a.Seeds = []predictionsFile{files["candidate"]}
		for i, r := range t.Replicates {
			if i > 0 {
				a.Seeds = append(a.Seeds, files[fmt.Sprintf("seed-%d", r.Seed)])
			}
		}
		for _, m := range others {
			a.BaselineSeeds = append(a.BaselineSeeds, files[m.name])
		}
		if a.Promoted, a.PromotedReason, err = l.answerPromoted(ctx, s, a.Today); err != nil {
			return a, err
		}
		return a, made.AddTree(predictionsFolder)
	})
}

func (l *line) contestants(s sealed) []contestant {
	models := []contestant{{"candidate", s.Dir}}
	if l.baseline != nil {
		models = append(models, contestant{"baseline", l.baseline.Dir})
		if l.anchor.Digest != l.baseline.Digest {
			models = append(models, contestant{"anchor", l.anchor.Dir})
		}
	}
	return models
}

func answersOf(files map[string]predictionsFile) answerSet {
	set := answerSet{Candidate: files["candidate"]}
	if f, ok := files["baseline"]; ok {
		set.Baseline = &f
	}
	if f, ok := files["anchor"]; ok {
		set.Anchor = &f
	}
	return set
}

// answerPromoted answers what the exam of production asks. The same rows and
// columns need no second answer.
func (l *line) answerPromoted(ctx context.Context, s sealed, today answerSet) (*answerSet, string, error) {
	e := l.promotedExam
	if e == nil {
		return nil, "", nil
	}
	columns, err := l.exam.Columns()
	if err != nil {
		return nil, "", fault.Usage(err)
	}
	then, err := e.Columns()
	if err != nil {
		return nil, "the exam of production: " + err.Error(), nil
	}
	same := e.Task == l.exam.Task && sameData(e.Data, l.exam.Data)
	for _, name := range then {
		same = same && slices.Contains(columns, name)
	}
	if same {
		return &today, "", nil
	}
	table, err := l.findTable(ctx, e.Data.Eval)
	if err != nil {
		return nil, "", err
	}
	if table == nil {
		return nil, fmt.Sprintf("no file that Git tracks here is the evaluation data %.19s… of the exam of production", e.Data.Eval), nil
	}
	files, err := l.answer(ctx, l.contestants(s), *e, table, predictionsFolder+"/promoted-exam")
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", err
		}
		return nil, err.Error(), nil
	}
	set := answersOf(files)
	return &set, "", nil
}

// sameData reports whether two exams read the same rows in the same way.
func sameData(a, b exam.Data) bool {
	return a.Eval == b.Eval && a.Label == b.Label && a.Positive == b.Positive && a.ID == b.ID && a.Group == b.Group &&
		a.Weight == b.Weight && slices.Equal(a.Features, b.Features)
}

// findTable finds the tracked file of a digest, or nil.
func (l *line) findTable(ctx context.Context, want string) (*dataset.Table, error) {
	if l.evalRows.Digest() == want {
		return l.evalRows, nil
	}
	if l.project.Repo == nil {
		return nil, nil
	}
	names, err := l.project.Repo.Tracked(ctx)
	if err != nil {
		return nil, fault.Environment(err)
	}
	for _, name := range names {
		if !dataset.Readable(name) {
			continue
		}
		data, err := os.ReadFile(l.project.Path(name))
		if err == nil && digest.Of(data) == want {
			return dataset.Read(l.project.Path(name))
		}
	}
	return nil, nil
}

// answer lets each model answer the table's rows, through a server of its own
// on a loopback port, and keeps the answers in the run's folder.
func (l *line) answer(ctx context.Context, models []contestant, e exam.Exam, table *dataset.Table, folder string) (map[string]predictionsFile, error) {
	files := map[string]predictionsFile{}
	for i, m := range models {
		l.env.Observer.Update("evaluate", i, len(models), m.name)
		set, err := l.ask(ctx, m.path, e, table)
		if err != nil {
			return nil, fmt.Errorf("evaluating the %s: %w", m.name, err)
		}
		path, err := l.run.Path(filepath.Join(folder, m.name+".csv"))
		if err != nil {
			return nil, err
		}
		if err := predictions.WriteFile(path, set); err != nil {
			return nil, fault.Environment(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("reading the predictions: %w", err))
		}
		files[m.name] = predictionsFile{Path: path, Digest: digest.Of(data), set: set}
	}
	return files, nil
}

func (l *line) ask(ctx context.Context, path string, e exam.Exam, table *dataset.Table) (*predictions.Set, error) {
	return serveAndAsk(ctx, l.project.Config.Model, l.env.Release, path, e, table)
}

// serveAndAsk serves a model in this process and asks it every row of the
// table.
func serveAndAsk(ctx context.Context, name, release, path string, e exam.Exam, table *dataset.Table) (*predictions.Set, error) {
	columns, err := e.Columns()
	if err != nil {
		return nil, fault.Usage(err)
	}
	var set *predictions.Set
	err = serving.With(ctx, path, server.Options{Name: name, Release: release}, func(s *serving.Local, c serving.Client) (err error) {
		set, err = evaluate.Predict(ctx, evaluate.Options{
			Client: c, Model: s.Name(), Signature: s.Signature(),
			Table: table, Task: e.Task, Data: e.Data, Columns: columns,
		})
		return err
	})
	return set, err
}
