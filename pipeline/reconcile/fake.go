package reconcile

import (
	"context"
	"fmt"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// FakeDesired is a Desired for tests. Its zero value runs nothing.
type FakeDesired struct {
	mu      sync.Mutex
	ordered DesiredState
	// Before is called before each reading, for what happens in between.
	Before func() error
}

// Merge makes m what Git says.
func (f *FakeDesired) Merge(commit string, m *manifest.Manifest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ordered = DesiredState{Commit: commit, Manifest: m}
}

// Read returns what was merged last.
func (f *FakeDesired) Read(context.Context) (DesiredState, error) {
	if f.Before != nil {
		if err := f.Before(); err != nil {
			return DesiredState{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ordered, nil
}

// FakeRegistry is a Registry in memory for tests: aliases point to what is in
// Images.
type FakeRegistry struct {
	mu      sync.Mutex
	Images  map[string]bool // nil: it holds everything
	Aliases map[string]string
	Writes  int
	// Before and After are called around each request, named "read" or "write";
	// an error of Before keeps the request's effect from happening.
	Before, After func(request string) error
}

// Want points an alias named by model and environment to the image.
func (f *FakeRegistry) Want(m manifest.Manifest) (Pointer, error) {
	if m.Image == "" {
		return Pointer{}, fmt.Errorf("the manifest names no image: %w", ErrNoTarget)
	}
	return Pointer{Alias: m.Model + ":" + m.Environment, Target: m.Image}, nil
}

// Read returns what the alias points to.
func (f *FakeRegistry) Read(_ context.Context, alias string) (target string, err error) {
	err = f.request("read", func() error { target = f.Aliases[alias]; return nil })
	return target, err
}

// Write points the alias.
func (f *FakeRegistry) Write(_ context.Context, p Pointer) error {
	return f.request("write", func() error {
		if f.Images != nil && !f.Images[p.Target] {
			return fault.Usage(fmt.Errorf("the registry does not hold %s", p.Target))
		}
		if f.Aliases == nil {
			f.Aliases = map[string]string{}
		}
		f.Aliases[p.Alias] = p.Target
		f.Writes++
		return nil
	})
}

func (f *FakeRegistry) request(name string, effect func() error) error {
	if f.Before != nil {
		if err := f.Before(name); err != nil {
			return err
		}
	}
	f.mu.Lock()
	err := effect()
	f.mu.Unlock()
	if f.After != nil && err == nil {
		err = f.After(name)
	}
	return err
}

// FakeEndpoint is an Endpoint that serves one bundle.
type FakeEndpoint struct {
	Serves string
	Err    error
	Asked  int
	// Follows makes it serve what it is asked for from this question on.
	Follows int
}

// Address is where the fake would answer.
func (f *FakeEndpoint) Address() string { return "https://models.example.org" }

// Ask compares the digests.
func (f *FakeEndpoint) Ask(_ context.Context, m manifest.Manifest) (Observation, error) {
	f.Asked++
	if f.Err != nil {
		return Observation{}, f.Err
	}
	if f.Follows > 0 && f.Asked >= f.Follows {
		f.Serves = m.Bundle
	}
	if f.Serves != m.Bundle {
		return Observation{State: OutOfSync, Bundle: f.Serves, Detail: "it serves another bundle"}, nil
	}
	return Observation{State: InSync, Bundle: f.Serves, Detail: "it serves the bundle"}, nil
}

// FakeForge is Deployments and Issues in memory for tests.
type FakeForge struct {
	Err    error
	Told   []Deployment // one for each change
	Open   *Issue
	Issues []string // "opened", "updated", "closed", in order
}

// ShowDeployment notes a deployment that differs from the last one.
func (f *FakeForge) ShowDeployment(_ context.Context, d Deployment) (NotifyResult, error) {
	if f.Err != nil {
		return NotifyResult{}, f.Err
	}
	if n := len(f.Told); n > 0 {
		last := f.Told[n-1]
		last.Commit = d.Commit
		if last == d {
			return NotifyResult{Operation: Unchanged}, nil
		}
	}
	f.Told = append(f.Told, d)
	return NotifyResult{Operation: Updated}, nil
}

// Raise opens or updates the issue.
func (f *FakeForge) Raise(_ context.Context, i Issue) (NotifyResult, error) {
	if f.Err != nil {
		return NotifyResult{}, f.Err
	}
	told := NotifyResult{Operation: Opened}
	switch {
	case f.Open != nil && *f.Open == i:
		return NotifyResult{Operation: Unchanged}, nil
	case f.Open != nil:
		told.Operation = Updated
	}
	f.Open = &i
	f.Issues = append(f.Issues, string(told.Operation))
	return told, nil
}

// Settle closes the issue.
func (f *FakeForge) Settle(context.Context, string, string, string) (NotifyResult, error) {
	if f.Err != nil || f.Open == nil {
		return NotifyResult{}, f.Err
	}
	f.Open = nil
	f.Issues = append(f.Issues, string(Closed))
	return NotifyResult{Operation: Closed}, nil
}
