package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// State says whether what runs is what the manifest says.
type State string

const (
	InSync    State = "in-sync"
	OutOfSync State = "out-of-sync"
	Unknown   State = "unknown" // something could not be asked
)

// Worse returns the worse of two states. What is known to be wrong weighs more
// than what is not known.
func Worse(a, b State) State {
	rank := map[State]int{InSync: 0, Unknown: 1, OutOfSync: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// ExitCode returns the exit code of a command that ends with s.
func (s State) ExitCode() int {
	switch s {
	case InSync:
		return 0
	case OutOfSync:
		return fault.CodeFailed
	}
	return fault.CodeEnvironment
}

// DesiredState is what Git says at one moment.
type DesiredState struct {
	Commit   string             // head of the base branch
	Manifest *manifest.Manifest // nil: the environment runs nothing
}

// Desired reads what Git says now, past every cache.
type Desired interface {
	Read(ctx context.Context) (DesiredState, error)
}

// Pointer is an alias and what it points to.
type Pointer struct {
	Alias  string `json:"alias"`  // "ghcr.io/acme/flights-delay:production"
	Target string `json:"target"` // a digest or a version; "" for an alias that is not there
}

// ErrNoTarget says that a manifest names nothing that an alias could point to.
var ErrNoTarget = errors.New("no alias to set")

// Registry is where others look up what an environment runs.
type Registry interface {
	// Want says which alias a manifest governs and what it has to point to. An
	// error that is ErrNoTarget says why there is none.
	Want(m manifest.Manifest) (Pointer, error)
	// Read returns what the alias points to, "" when it does not exist.
	Read(ctx context.Context, alias string) (string, error)
	// Write points the alias to its target. It refuses a target that the
	// registry does not hold.
	Write(ctx context.Context, p Pointer) error
}

// Observation is what an endpoint serves, held against a manifest.
type Observation struct {
	State  State  `json:"state"`
	Bundle string `json:"bundle,omitempty"` // digest that it names, "" when it names none
	Detail string `json:"detail"`           // in words, without outside text
}

// Endpoint is a running server.
type Endpoint interface {
	// Address is where it answers.
	Address() string
	// Ask holds what it serves against m. An endpoint that is not as it should
	// be is no error.
	Ask(ctx context.Context, m manifest.Manifest) (Observation, error)
}

// Options say what to reconcile. Only Desired is required.
type Options struct {
	Model, Environment string
	Production         bool // the last environment, for who is told

	Desired     Desired
	Registries  []Registry
	Endpoint    Endpoint
	Deployments Deployments
	Issues      Issues

	// Wait is how long an endpoint may take to follow; it is asked every
	// few seconds until then. Sleep waits.
	Wait  time.Duration
	Sleep func(context.Context, time.Duration) error

	// Plan says what would be set, sets nothing, and tells nobody.
	Plan bool
}

// Result is what was found and done. Its JSON form is that of `reconcile
// --json`.
type Result struct {
	Model       string          `json:"model"`
	Environment string          `json:"environment"`
	State       State           `json:"state"`
	Commit      string          `json:"commit"`           // head of the base branch
	Bundle      string          `json:"bundle,omitempty"` // what Git says; "" where nothing was promoted
	Image       string          `json:"image,omitempty"`
	Registries  []AliasResult   `json:"registries,omitempty"`
	Endpoint    *EndpointResult `json:"endpoint,omitempty"`
	Problems    []string        `json:"problems,omitempty"` // what is out of sync or could not be asked
	Notes       []string        `json:"notes,omitempty"`
	Deployment  *NotifyResult   `json:"deployment,omitempty"`
	Issue       *NotifyResult   `json:"issue,omitempty"`
	Warnings    []string        `json:"warnings,omitempty"` // what could not be told
}

// AliasResult is what became of a registry's alias.
type AliasResult struct {
	Pointer
	Before  string `json:"before"` // "" when it did not exist
	Changed bool   `json:"changed"`
}

// EndpointResult is what an endpoint was found to serve.
type EndpointResult struct {
	Address string `json:"address"`
	Observation
}

// Run brings the registries to what Git says, asks the endpoint and tells those
// who want to know. The result holds as far as it got also when there is an
// error.
func Run(ctx context.Context, o Options) (Result, error) {
	r := Result{Model: o.Model, Environment: o.Environment, State: InSync}
	desired, err := o.Desired.Read(ctx)
	if err != nil {
		r.State = Unknown
		return r, fmt.Errorf("reading what Git says: %w", err)
	}
	failed := r.registries(ctx, o, &desired)
	r.Commit = desired.Commit
	if desired.Manifest == nil {
		r.Notes = append(r.Notes, "nothing was promoted to this environment yet")
		return r, failed
	}
	m := *desired.Manifest
	r.Bundle, r.Image = m.Bundle, m.Image
	if failed == nil || !interrupted(ctx, failed) {
		failed = errors.Join(failed, r.endpoint(ctx, o, m))
	}
	if interrupted(ctx, failed) {
		return r, failed
	}
	if !o.Plan {
		r.tell(ctx, o, m)
	}
	return r, failed
}

func interrupted(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, context.Canceled))
}

// problem notes what is wrong; an error that asks for a human means out of
// sync, any other that nobody knows.
func (r *Result) problem(err error, text string) {
	state := Unknown
	if code := fault.ExitCode(err); code == fault.CodeUsage || code == fault.CodeFailed {
		state = OutOfSync
	}
	r.State = Worse(r.State, state)
	r.Problems = append(r.Problems, text)
}

// every is the pause between two questions to an endpoint that has not
// followed yet.
const every = 5 * time.Second

func (r *Result) endpoint(ctx context.Context, o Options, m manifest.Manifest) error {
	if o.Endpoint == nil {
		return nil
	}
	var answer Observation
	for left := o.Wait; ; left -= every {
		var err error
		if answer, err = o.Endpoint.Ask(ctx, m); err != nil {
			r.problem(err, "the endpoint could not be asked")
			return fmt.Errorf("asking %s: %w", o.Endpoint.Address(), err)
		}
		if answer.State == InSync || left <= 0 {
			break
		}
		if err := o.Sleep(ctx, min(every, left)); err != nil {
			return fmt.Errorf("waiting for %s: %w", o.Endpoint.Address(), err)
		}
	}
	r.Endpoint = &EndpointResult{Address: o.Endpoint.Address(), Observation: answer}
	r.State = Worse(r.State, answer.State)
	if answer.State != InSync {
		r.Problems = append(r.Problems, fmt.Sprintf("the endpoint `%s`: %s", o.Endpoint.Address(), answer.Detail))
	}
	return nil
}
