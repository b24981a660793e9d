package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/project"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// retrainBaseline trains production's recipe anew, as its commit has it, with
// its own config, data and seeds. The model in production stays the baseline
// that is judged against; its seed is not trained again.
func (l *line) retrainBaseline(ctx context.Context) ([]contestant, error) {
	commit := l.production.Manifest.Commit
	unable := func(why string) error {
		return fault.Usage(fmt.Errorf("train.baseline is retrain, and %s: fetch the whole history (git fetch --unshallow), or write train.baseline: stored", why))
	}
	if l.project.Repo == nil || commit == "" {
		return nil, unable("the manifest names no commit that trained production")
	}
	if _, ok, err := l.project.Repo.Resolve(ctx, commit); err != nil || !ok {
		if err != nil {
			return nil, err
		}
		return nil, unable(fmt.Sprintf("commit %.12s, which trained production, is not here", commit))
	}
	// Outside the repository: inside it, Git would take the copy for ignored files.
	dir, err := os.MkdirTemp("", "dosirak-baseline-")
	if err != nil {
		return nil, fault.Environment(fmt.Errorf("retraining the baseline: %w", err))
	}
	defer os.RemoveAll(dir)
	if err := l.project.Repo.Export(ctx, commit, dir); err != nil {
		return nil, fault.Environment(fmt.Errorf("retraining the baseline: %w", err))
	}
	config, err := config.Load(filepath.Join(dir, l.project.ConfigPath), project.Catalogue)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("retraining the baseline: its config at commit %.12s: %w", commit, err))
	}
	seeds := slices.Clone(config.Train.Seeds[1:])
	if len(seeds) == 0 {
		return nil, nil
	}
	o := l.trainOptions()
	o.Dir, o.Command, o.Setup, o.Inputs = dir, config.Train.Command, config.Train.Setup, config.Train.Inputs
	o.Data, o.Withheld, o.Seeds, o.Prove, o.Folder = config.Data.Train, []string{config.Data.Eval}, seeds, false, "baseline/train"
	result, err := train.Train(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("retraining the baseline: %w", err)
	}
	var out []contestant
	for _, r := range result.Replicates {
		model, err := l.findModel(r)
		if err != nil {
			return nil, fmt.Errorf("retraining the baseline: %w", err)
		}
		out = append(out, contestant{fmt.Sprintf("baseline-seed-%d", r.Seed), model})
	}
	return out, nil
}
