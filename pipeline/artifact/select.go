package artifact

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Artifact is what GitHub says of one, before it is downloaded.
type Artifact struct {
	ID      int64
	Name    string
	Size    int64 // bytes of the archive
	Expired bool
	Digest  string // "sha256:..." of the archive, "" when GitHub names none
	Run     Run    // that left it; zero when GitHub names none
}

// Run is a workflow run and the commit that it ran on.
type Run struct {
	ID     int64
	Commit string
}

// Name is what the workflow calls the training of one seed of a model.
func Name(model string, seed int64) string {
	return fmt.Sprintf("dosirak-%s-seed-%d", model, seed)
}

// Select returns the trainings of a model among what a run left, one a seed, in
// the order of their names. It refuses, with a fault.Usage, what is missing,
// expired, too large or of another run.
func Select(listed []Artifact, run Run, model string, l Limits) ([]Artifact, error) {
	newest := map[string]Artifact{}
	for _, a := range listed {
		if !isTraining(a.Name, model) {
			continue
		}
		if a.Run != run {
			return nil, fault.ArtifactAbsent.Usage(fmt.Errorf("the artifact %s (id %d) is of run %d at commit %q, the event is about run %d at %q: nothing is judged; run the workflow again", a.Name, a.ID, a.Run.ID, a.Run.Commit, run.ID, run.Commit))
		}
		if have, ok := newest[a.Name]; !ok || a.ID > have.ID {
			newest[a.Name] = a
		}
	}
	if len(newest) == 0 {
		return nil, fault.ArtifactAbsent.Usage(fmt.Errorf("run %d left no artifact %s: see in that run why its jobs did not train, and run it again", run.ID, strings.TrimSuffix(Name(model, 0), "0")+"N"))
	}
	if len(newest) > l.Artifacts {
		return nil, fault.ArtifactRefused.Usage(fmt.Errorf("run %d left %d trainings of %s, at most %d are read: train fewer seeds", run.ID, len(newest), model, l.Artifacts))
	}
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		a := newest[name]
		switch {
		case a.Expired:
			return nil, fault.ArtifactAbsent.Usage(Expired(a))
		case a.Size < 0 || a.Size > l.Archive:
			return nil, fault.ArtifactRefused.Usage(fmt.Errorf("the artifact %s of run %d has %d bytes, at most %d are downloaded: make the model or its history smaller", name, run.ID, a.Size, l.Archive))
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Artifact) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// Expired is the error of an artifact that GitHub keeps no more.
func Expired(a Artifact) error {
	return fmt.Errorf("the artifact %s of run %d has expired: run all jobs of that run again (a push to the change does too), or keep artifacts longer with retention-days", a.Name, a.Run.ID)
}

// isTraining holds a name to the one form that Name gives.
func isTraining(name, model string) bool {
	text, ok := strings.CutPrefix(name, strings.TrimSuffix(Name(model, 0), "0"))
	seed, err := strconv.ParseInt(text, 10, 64)
	return ok && err == nil && Name(model, seed) == name
}
