package handoff

import (
	"fmt"
	"regexp"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
	"github.com/dosirak-ml/dosirak/pipeline/quote"
)

// Environment is what the candidate was trained in. It is a claim like all of
// the folder: it goes into the provenance, and decides nothing.
type Environment struct {
	Machine provenance.Machine `json:"machine"`
	Runtime provenance.Runtime `json:"runtime"`
}

const (
	maxTools    = 32
	maxPackages = 5000 // of all tools
	maxCores    = 1 << 16
)

var (
	toolName    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	packageName = regexp.MustCompile(`^(conda:)?[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$`)
	threadLimit = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}=[A-Za-z0-9.,_-]{1,40}$`)
	printable   = regexp.MustCompile(`^[ -~]{0,200}$`)
)

// check refuses what no machine is.
func (e *Environment) check() error {
	if e == nil {
		return nil
	}
	for _, text := range []string{e.Machine.OS, e.Machine.Arch, e.Machine.CPU, e.Runtime.Executor} {
		if !printable.MatchString(text) {
			return fmt.Errorf("its environment holds %s, which is no name of a machine", quote.Text(text))
		}
	}
	if e.Machine.Cores < 0 || e.Machine.Cores > maxCores {
		return fmt.Errorf("its machine has %d cores", e.Machine.Cores)
	}
	if len(e.Runtime.Threads) > 64 || len(e.Runtime.Tools) > maxTools {
		return fmt.Errorf("its environment has %d limits of threads and %d tools, more than are read", len(e.Runtime.Threads), len(e.Runtime.Tools))
	}
	for _, limit := range e.Runtime.Threads {
		if !threadLimit.MatchString(limit) {
			return fmt.Errorf("its environment holds %s, which is no limit of threads", quote.Text(limit))
		}
	}
	packages := 0
	for _, tool := range e.Runtime.Tools {
		if !toolName.MatchString(tool.Name) || !printable.MatchString(tool.Version) {
			return fmt.Errorf("its environment has a tool %s %s, which is none", quote.Text(tool.Name), quote.Text(tool.Version))
		}
		if packages += len(tool.Packages); packages > maxPackages {
			return fmt.Errorf("its environment has more than %d distributions", maxPackages)
		}
		for _, p := range tool.Packages {
			if !packageName.MatchString(p.Name) || !printable.MatchString(p.Version) {
				return fmt.Errorf("its environment has a distribution %s %s, which is none", quote.Text(p.Name), quote.Text(p.Version))
			}
		}
	}
	return nil
}
