package handoff

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Gather joins the trainings of several machines into one folder.
func Gather(folders []string, out string) error {
	var all Training
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("gathering: %w", err))
	}
	for _, folder := range folders {
		t, err := Read(folder)
		if err != nil {
			return err
		}
		if all.Schema == "" {
			all = Training{Schema: trainingSchema, Model: t.Model, Commit: t.Commit}
		}
		all.Dirty = all.Dirty || t.Dirty
		if t.Model != all.Model || t.Commit != all.Commit {
			return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: %s is of model %q at commit %q, the first folder of %q at %q: gather one change's replicates only", folder, t.Model, t.Commit, all.Model, all.Commit))
		}
		for _, r := range t.Replicates {
			if slices.ContainsFunc(all.Replicates, func(o Replicate) bool { return o.Seed == r.Seed }) {
				return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: seed %d is in two folders, the second being %s", r.Seed, folder))
			}
			if err := fetch(folder, out, r); err != nil {
				return err
			}
			all.Replicates = append(all.Replicates, r)
		}
		if t.Again != nil {
			if all.Again != nil {
				return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: two folders hold a seed that was trained a second time, %d and %d, the second being %s: only the first seed of the config is", all.Again.Seed, t.Again.Seed, folder))
			}
			if err := fetch(folder, out, *t.Again); err != nil {
				return err
			}
			all.Again = t.Again
		}
	}
	slices.SortFunc(all.Replicates, func(a, b Replicate) int { return int(min(max(a.Seed-b.Seed, -1), 1)) })
	return writeTraining(out, all)
}

// fetch copies a replicate's files, checked, from one folder to another.
func fetch(from, to string, r Replicate) error {
	files := []File{r.Model}
	if r.History != nil {
		files = append(files, *r.History)
	}
	for _, f := range files {
		limit := int64(bundle.MaxModel)
		if f != r.Model {
			limit = maxHistoryFile
		}
		data, err := readFile(from, f, limit)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f.Path), data, 0o644); err != nil {
			return fault.Environment(fmt.Errorf("gathering: %w", err))
		}
	}
	return nil
}
