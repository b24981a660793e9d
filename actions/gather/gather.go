// Package gather is the action that joins replicates which several jobs
// trained. What they left is read as data that anybody may have written.
package gather

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/dosirak-ml/dosirak/actions/runner"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/handoff"
)

// Action returns the action.
func Action() runner.Action {
	return runner.Action{
		Name:    "gather",
		Short:   "Join replicates that several jobs trained",
		Inputs:  []string{"from", "out"},
		Outputs: []string{"out", "count", "reason"},
		Run: func(_ context.Context, j *runner.Job) (int, error) {
			from, out := j.Input("from"), j.Input("out")
			if from == "" || out == "" {
				return 0, fault.Usage(errors.New("inputs from and out name folders: the one that holds a folder for each training, and the one that gets them joined"))
			}
			folders, err := inside(from)
			if err != nil {
				return 0, err
			}
			if err := handoff.Gather(folders, out); err != nil {
				return 0, err
			}
			return 0, j.SetAll(map[string]string{"out": out, "count": strconv.Itoa(len(folders))})
		},
	}
}

// inside lists the folders of from; links are no folders.
func inside(from string) ([]string, error) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("gathering: %w", err))
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, filepath.Join(from, e.Name()))
		}
	}
	if len(folders) == 0 {
		return nil, fault.ArtifactAbsent.Usage(fmt.Errorf("gathering: there is no training in %q: the jobs that train left none, or their artifacts expired", from))
	}
	return folders, nil
}
