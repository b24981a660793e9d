package provenance

import (
	"fmt"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/toolchain"
)

// Facts are what is known about how a model came to be.
type Facts struct {
	Model   string    // name
	Bundle  string    // digest, "sha256:..."
	Release string    // of dosirak
	Run     string    // id
	Command string    // of the trainer
	Setup   string    // command, or ""
	Seeds   []int64   // the first is the candidate's
	Data    []Digest  // by role: train, eval
	Inputs  []Digest  // what the training depends on
	Started time.Time // of the run
	Ended   time.Time

	Source    Source
	Libraries []Library
	Machine   Machine
	Runtime   *Runtime // nil where the training was made elsewhere

	// Params is what the trainer of the candidate says that it trained with,
	// its params.json; nil where it wrote none.
	Params map[string]any
}

// Digest names content.
type Digest struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // "sha256:..."
}

// Source is the commit that was trained.
type Source struct {
	Commit  string   `json:"commit"`            // "" where there is none
	Branch  string   `json:"branch,omitempty"`  // "" when HEAD is detached
	Dirty   bool     `json:"dirty"`             // the project differs from the commit
	Changed []string `json:"changed,omitempty"` // in the form of git status, at most maxChanged
	More    int      `json:"more,omitempty"`    // changed files that are not listed
	Missing string   `json:"missing,omitempty"` // why there is no commit
}

// String says the source in a few words.
func (s Source) String() string {
	switch {
	case s.Commit == "":
		return "no commit: " + s.Missing
	case s.Dirty:
		return fmt.Sprintf("%.12s, with %d changes that are not committed", s.Commit, len(s.Changed)+s.More)
	}
	return fmt.Sprintf("%.12s", s.Commit)
}

// Library is a version that a lock file names.
type Library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	File    string `json:"file"` // lock file, relative to the project
}

// Runtime is what the training ran with, as it was installed: lock files say
// what was meant to be.
type Runtime struct {
	Executor string           `json:"executor"` // "host", or the digest of an image
	Threads  []string         `json:"threads"`  // variables that limit a replicate, NAME=value
	Tools    []toolchain.Tool `json:"tools"`
}

// Installed are the names of the tools; none of nil.
func (r *Runtime) Installed() []string {
	if r == nil {
		return nil
	}
	var names []string
	for _, t := range r.Tools {
		names = append(names, t.Name)
	}
	return names
}

// String says the tools and how much is installed in a line.
func (r Runtime) String() string {
	text, packages := "", 0
	for _, t := range r.Tools {
		if text != "" {
			text += ", "
		}
		text += t.Name
		if t.Version != "" {
			text += " " + t.Version
		}
		packages += len(t.Packages)
	}
	if packages > 0 {
		text += fmt.Sprintf(", %d distributions installed", packages)
	}
	return text
}

// Machine is what may change the last bits of a number.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu"` // model; "" where the system does not tell
	Cores int    `json:"cores"`
}

// String says the machine in a line, the same for equal machines.
func (m Machine) String() string {
	cpu := m.CPU
	if cpu == "" {
		cpu = "unknown processor"
	}
	return fmt.Sprintf("%s/%s, %s, %d cores", m.OS, m.Arch, cpu, m.Cores)
}
