package handoff

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Gather joins the trainings of several machines into one folder.
func Gather(folders []string, out string) error {
	var all Training
	taken := map[string]string{} // folder by the file that came from it
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fault.Environment(fmt.Errorf("gathering: %w", err))
	}
	for _, folder := range folders {
		t, err := Read(folder)
		if err != nil {
			return err
		}
		if all.Schema == "" {
			all = Training{Schema: trainingSchema, Model: t.Model, Commit: t.Commit, Environment: t.Environment}
		}
		all.Dirty = all.Dirty || t.Dirty
		if t.Model != all.Model || t.Commit != all.Commit {
			return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: %s is of model %q at commit %q, the first folder of %q at %q: gather one change's replicates only", folder, t.Model, t.Commit, all.Model, all.Commit))
		}
		for _, r := range t.Replicates {
			if slices.ContainsFunc(all.Replicates, func(o Replicate) bool { return o.Seed == r.Seed }) {
				return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: seed %d is in two folders, the second being %s", r.Seed, folder))
			}
			if err := fetch(folder, out, r, taken); err != nil {
				return err
			}
			all.Replicates = append(all.Replicates, r)
		}
		if t.Again != nil {
			if all.Again != nil {
				return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: two folders hold a seed that was trained a second time, %d and %d, the second being %s: only the first seed of the config is", all.Again.Seed, t.Again.Seed, folder))
			}
			if err := fetch(folder, out, *t.Again, taken); err != nil {
				return err
			}
			all.Again, all.Environment = t.Again, t.Environment // the candidate's
		}
	}
	if len(all.Replicates) > maxReplicates {
		return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: %d replicates, at most %d are read", len(all.Replicates), maxReplicates))
	}
	slices.SortFunc(all.Replicates, func(a, b Replicate) int { return cmp.Compare(a.Seed, b.Seed) })
	return writeTraining(out, all)
}

// fetch copies a replicate's files, checked, from one folder to another. Two
// folders that call different files by one name would leave one of them.
func fetch(from, to string, r Replicate, taken map[string]string) error {
	limit := int64(bundle.MaxModel)
	for _, f := range r.files() {
		if first, twice := taken[strings.ToLower(f.Path)]; twice {
			return fault.HandoffMismatch.Usage(fmt.Errorf("gathering: %s and %s both have a file %s: rename one of them, in its %s too", first, from, f.Path, trainingFile))
		}
		taken[strings.ToLower(f.Path)] = from
		data, err := readFile(from, f, limit)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f.Path), data, 0o644); err != nil {
			return fault.Environment(fmt.Errorf("gathering: %w", err))
		}
		limit = maxSideFile
	}
	return nil
}
