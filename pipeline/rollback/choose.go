package rollback

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// Version is the manifest as a commit of the base branch left it.
type Version struct {
	Commit   string
	Text     []byte
	Manifest manifest.Manifest
}

// Choice is what goes and what comes back.
type Choice struct {
	Now, Back Version
}

// ErrRunning says that the environment runs the wanted bundle already.
var ErrRunning = errors.New("the environment runs this bundle already")

var digestPrefix = regexp.MustCompile(`^(sha256:)?[0-9a-f]{6,64}$`)

// Choose finds the version to return to. history has the newest version
// first, which is what the environment runs; complete says that it goes back
// to the start. to names a bundle by its digest or the beginning of it; empty
// is the model that ran before.
func Choose(history []Version, complete bool, to string) (Choice, error) {
	if len(history) == 0 {
		return Choice{}, fault.NothingToRollBack.Usage(errors.New("nothing was promoted to this environment yet, so there is nothing to roll back"))
	}
	now := history[0]
	if to != "" {
		return chooseBundle(history, complete, to)
	}
	stack := Standing(history)
	for i := len(stack) - 2; i >= 0; i-- {
		if stack[i].Manifest.Bundle != now.Manifest.Bundle {
			return Choice{Now: now, Back: stack[i]}, nil
		}
	}
	if !complete {
		return Choice{}, fault.NothingToRollBack.Usage(errors.New(shallow))
	}
	return Choice{}, fault.NothingToRollBack.Usage(fmt.Errorf("%.19s… is the first model that this environment runs, so there is none to return to; take the model out of service where it is deployed, or promote another", now.Manifest.Bundle))
}

const shallow = "this clone does not hold the manifest's whole history: get it with `git fetch --unshallow` (in a workflow, `fetch-depth: 0` of actions/checkout), then roll back again"

func chooseBundle(history []Version, complete bool, to string) (Choice, error) {
	if !digestPrefix.MatchString(to) {
		return Choice{}, fault.NothingToRollBack.Usage(fmt.Errorf("--to %q: name a bundle by its digest, or by at least 6 digits of it", to))
	}
	want := "sha256:" + strings.TrimPrefix(to, "sha256:")
	var found []Version // one for each bundle, the newest
	seen := map[string]bool{}
	for _, v := range history {
		if strings.HasPrefix(v.Manifest.Bundle, want) && !seen[v.Manifest.Bundle] {
			seen[v.Manifest.Bundle] = true
			found = append(found, v)
		}
	}
	switch {
	case len(found) > 1:
		return Choice{}, fault.NothingToRollBack.Usage(fmt.Errorf("--to %s: it is the beginning of %d bundles, %s and %s among them: give more digits", to, len(found), found[0].Manifest.Bundle, found[1].Manifest.Bundle))
	case len(found) == 0 && !complete:
		return Choice{}, fault.NothingToRollBack.Usage(fmt.Errorf("--to %s: no manifest in this clone names it; %s", to, shallow))
	case len(found) == 0:
		return Choice{}, fault.NothingToRollBack.Usage(fmt.Errorf("--to %s: this environment never ran such a bundle; `git log` of the manifest shows what it ran", to))
	case found[0].Manifest.Bundle == history[0].Manifest.Bundle:
		return Choice{Now: history[0], Back: history[0]}, ErrRunning
	}
	return Choice{Now: history[0], Back: found[0]}, nil
}

// Standing reads a history, newest first, as a stack, oldest first: a version
// with the very text of an earlier one takes back all that came in between. The
// last one is what runs; those before it are what a rollback may return to.
func Standing(history []Version) []Version {
	var stack []Version
	for i := len(history) - 1; i >= 0; i-- {
		v := history[i]
		at := len(stack)
		for j := range stack {
			if bytes.Equal(stack[j].Text, v.Text) {
				at = j
				break
			}
		}
		stack = append(stack[:at:at], v)
	}
	return stack
}
