// Package failpoint marks the places where a process may die, so that a test
// can kill it at each of them and look at what is left.
//
// A point is a package variable, registered when the package that owns it is
// loaded, so that a test can enumerate all points and fail if one was never
// hit. Without a hook a point costs one load and one branch. Only tests set a
// hook; nothing here reads the environment by itself.
package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
)

// Point is one place where a process may die.
type Point struct{ name string }

var (
	names []string          // registered while packages are loaded
	hook  func(name string) // set once, before anything runs
)

// New registers a point. It is called from package variables only; two points
// of one name are a mistake of the programmer.
func New(name string) *Point {
	if slices.Contains(names, name) {
		panic(fmt.Sprintf("failpoint %q is registered twice", name))
	}
	names = append(names, name)
	return &Point{name}
}

// Hit tells the hook, if there is one, that the process is here.
func (p *Point) Hit() {
	if hook != nil {
		hook(p.name)
	}
}

// Names lists all registered points, sorted.
func Names() []string { return slices.Sorted(slices.Values(names)) }

// Variables that FromEnvironment reads.
const (
	EnvTrace = "DOSIRAK_FAILPOINT_TRACE" // file: the name of every hit is appended
	EnvKill  = "DOSIRAK_FAILPOINT_KILL"  // number of the hit, from 1, at which the process kills itself
)

// FromEnvironment sets the hook that the environment asks for. A test's
// TestMain calls it in the process that is to be killed; the command line
// never does.
func FromEnvironment() error {
	trace, kill := os.Getenv(EnvTrace), os.Getenv(EnvKill)
	if trace == "" && kill == "" {
		return nil
	}
	var at int
	if kill != "" {
		var err error
		if at, err = strconv.Atoi(kill); err != nil {
			return fmt.Errorf("reading %s: %w", EnvKill, err)
		}
	}
	var out *os.File
	if trace != "" {
		var err error
		if out, err = os.OpenFile(trace, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
			return fmt.Errorf("opening the trace of failpoints: %w", err)
		}
	}
	var mu sync.Mutex
	hits := 0
	hook = func(name string) {
		mu.Lock()
		defer mu.Unlock()
		hits++
		if out != nil {
			fmt.Fprintln(out, name)
		}
		if hits == at {
			die()
		}
	}
	return nil
}

// die ends the process as kill -9 does: no deferred call runs, no buffer is
// written.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("killing the own process: %v", err))
	}
	select {}
}
