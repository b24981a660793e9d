package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/evidence"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// maxReplicateBytes bounds them. Beyond it they are left out, and later recipes
// are compared with production's one model.
const maxReplicateBytes = 2 << 20

// keptReplicates are the models of the other seeds as evidence; none where
// they are too large for Git.
func keptReplicates(t trained) (map[string][]byte, error) {
	kept := map[string][]byte{}
	size := 0
	for i, r := range t.Replicates {
		if i == 0 {
			continue // the candidate itself
		}
		from := t.Models[i]
		info, err := os.Stat(from)
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("reading a replicate: %w", err))
		}
		if info.IsDir() || int(info.Size())+size > maxReplicateBytes {
			return nil, nil
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("reading a replicate: %w", err))
		}
		size += len(data)
		kept[fmt.Sprintf("%s/seed-%d%s", evidence.Replicates, r.Seed, filepath.Ext(from))] = data
	}
	return kept, nil
}

// baselineReplicates are the replicates of production's recipe: those that the
// evidence holds, or, with train.baseline: retrain, new ones.
func (s *session) baselineReplicates(ctx context.Context) ([]evaluatedModel, error) {
	switch {
	case s.deployed == nil || s.staged != nil:
		return nil, nil
	case s.project.Config.Train.Baseline == config.Retrain && s.asked.Trained == "":
		return s.retrainBaseline(ctx)
	case s.deployed.Manifest.Sources.Evidence == "":
		return nil, nil
	}
	source := path.Join(s.deployed.Manifest.Sources.Evidence, evidence.Replicates)
	names, err := s.deployed.From.List(ctx, source)
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("fetching the replicates of production: %w", err))
	}
	var out []evaluatedModel
	for _, name := range names {
		data, err := s.deployed.From.Read(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fault.Environment(fmt.Errorf("fetching the replicates of production: %w", err))
		}
		base := path.Base(name)
		seed, err := seedOfReplicate(base)
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("reading the replicates of production at %s: %w: restore the folder from the commit that promoted", source, err))
		}
		to := "baseline/replicates/" + base
		if err := s.run.WriteFile(to, data); err != nil {
			return nil, err
		}
		out = append(out, evaluatedModel{name: fmt.Sprintf("baseline-seed-%d", seed), path: filepath.Join(s.run.Dir(), filepath.FromSlash(to)), seed: seed, places: s.baselinePlaces()})
	}
	return out, nil
}

// seedOfReplicate reads the name that keptReplicates gave a file.
func seedOfReplicate(name string) (int64, error) {
	digits, ours := strings.CutPrefix(strings.TrimSuffix(name, path.Ext(name)), "seed-")
	seed, err := strconv.ParseInt(digits, 10, 64)
	if !ours || err != nil {
		return 0, fmt.Errorf("%q is not the name of a replicate, such as seed-2.onnx", name)
	}
	return seed, nil
}

// reportBaselineReplicates are the values of production's recipe by seed: of
// the model in production, where its provenance names its seed, and of the
// other seeds. One alone says nothing of the recipe.
func (s *session) reportBaselineReplicates(ctx context.Context, a answers) ([]report.Replicate, error) {
	if len(a.BaselineSeeds) == 0 || a.Today.Baseline == nil {
		return nil, nil
	}
	var out []report.Replicate
	add := func(seed int64, f *predictionsFile) error {
		values, err := s.measure(ctx, f)
		out = append(out, report.Replicate{Seed: seed, Metrics: values, Predictions: report.Digest(f.Digest)})
		return err
	}
	origin, err := s.deployed.Statement(ctx)
	if err != nil {
		return nil, err
	}
	if origin != nil {
		if seeds := origin.Seeds(); len(seeds) > 0 {
			if err := add(seeds[0], a.Today.Baseline); err != nil {
				return nil, err
			}
		}
	}
	for i := range a.BaselineSeeds {
		if err := add(a.BaselineSeeds[i].Seed, &a.BaselineSeeds[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recipes compares the recipes of candidate and production, each seen through
// its replicates: a change can win by its seed alone. It is shown, never a gate.
func (s *session) recipes(ctx context.Context, a answers) ([]report.Recipe, error) {
	if a.Today.Baseline == nil || len(a.Seeds) < 2 {
		return nil, nil
	}
	read := func(files []predictionsFile) ([]*predictions.Set, error) {
		var sets []*predictions.Set
		for i := range files {
			set, err := files[i].read(ctx, s.exam)
			if err != nil {
				return nil, err
			}
			sets = append(sets, set)
		}
		return sets, nil
	}
	candidate, err := read(a.Seeds)
	if err != nil {
		return nil, err
	}
	baseline, err := read(append([]predictionsFile{*a.Today.Baseline}, a.BaselineSeeds...))
	if err != nil {
		return nil, err
	}
	var out []report.Recipe
	for _, m := range s.exam.Metrics {
		if m.Margin == nil || m.Command != "" {
			continue
		}
		r, err := compare.Recipes(compare.RecipesInput{Exam: s.exam, Metric: m, Candidate: candidate, Baseline: baseline})
		if err != nil {
			return nil, err
		}
		recipe := report.Recipe{
			Metric: report.Name(r.Metric), Direction: report.Direction(r.Direction),
			Seeds:     report.RecipeSeeds{Candidate: r.Seeds[0], Baseline: r.Seeds[1]},
			Candidate: r.Candidate, Baseline: r.Baseline, Improvement: r.Improvement, CI: reportInterval(r.CI), SE: r.SE, DF: r.DF,
			Margin: reportMargin(r.Margin), Verdict: r.Verdict, Improved: r.Improved, Reason: report.NewProse(r.Reason),
		}
		if c := r.Components; c != nil {
			recipe.Components = &report.Components{SeedsCandidate: c.SeedsCandidate, SeedsBaseline: c.SeedsBaseline, Rows: c.Rows, Interaction: c.Interaction}
		}
		out = append(out, recipe)
	}
	return out, nil
}
