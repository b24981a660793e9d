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

// Ordered is what Git says at one moment.
type Ordered struct {
	Commit   string             // head of the base branch
	Manifest *manifest.Manifest // nil: the environment runs nothing
}

// Order reads what Git says now, past every cache.
type Order interface {
	Read(ctx context.Context) (Ordered, error)
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

// Answer is what an endpoint serves, held against a manifest.
type Answer struct {
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
	Ask(ctx context.Context, m manifest.Manifest) (Answer, error)
}

// Options say what to reconcile. Only Order is required.
type Options struct {
	Model, Environment string
	Production         bool // the last environment, for who is told

	Order       Order
	Registry    Registry
	Endpoint    Endpoint
	Deployments Deployments
	Issues      Issues

	// Patience is how long an endpoint may take to follow; it is asked every
	// few seconds until then. Sleep waits.
	Patience time.Duration
	Sleep    func(context.Context, time.Duration) error

	// Plan says what would be set, sets nothing, and tells nobody.
	Plan bool
}

// Result is what was found and done. Its JSON form is that of `reconcile
// --json`.
type Result struct {
	Model       string   `json:"model"`
	Environment string   `json:"environment"`
	State       State    `json:"state"`
	Commit      string   `json:"commit"`           // head of the base branch
	Bundle      string   `json:"bundle,omitempty"` // what Git says; "" where nothing was promoted
	Image       string   `json:"image,omitempty"`
	Registry    *Kept    `json:"registry,omitempty"`
	Endpoint    *Seen    `json:"endpoint,omitempty"`
	Problems    []string `json:"problems,omitempty"` // what is out of sync or could not be asked
	Notes       []string `json:"notes,omitempty"`
	Deployment  *Told    `json:"deployment,omitempty"`
	Issue       *Told    `json:"issue,omitempty"`
	Warnings    []string `json:"warnings,omitempty"` // what could not be told
}

// Kept is what became of the registry's alias.
type Kept struct {
	Pointer
	Before  string `json:"before"` // "" when it did not exist
	Changed bool   `json:"changed"`
}

// Seen is what an endpoint was found to serve.
type Seen struct {
	Address string `json:"address"`
	Answer
}

// Run brings the registry to what Git says, asks the endpoint and tells those
// who want to know. The result holds as far as it got also when there is an
// error.
func Run(ctx context.Context, o Options) (Result, error) {
	r := Result{Model: o.Model, Environment: o.Environment, State: InSync}
	ordered, err := o.Order.Read(ctx)
	if err != nil {
		r.State = Unknown
		return r, fmt.Errorf("reading what Git says: %w", err)
	}
	failed := r.registry(ctx, o, &ordered)
	r.Commit = ordered.Commit
	if ordered.Manifest == nil {
		r.Notes = append(r.Notes, "nothing was promoted to this environment yet")
		return r, failed
	}
	m := *ordered.Manifest
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

// rounds bounds how often alias and head are read until they agree. Each
// further round means that somebody else wrote in between.
const rounds = 10

// registry sets the alias and reads it and Git's head again until they agree.
// ordered becomes what they agree on.
func (r *Result) registry(ctx context.Context, o Options, ordered *Ordered) error {
	if o.Registry == nil {
		return nil
	}
	for range rounds {
		if ordered.Manifest == nil {
			return nil
		}
		want, err := o.Registry.Want(*ordered.Manifest)
		if errors.Is(err, ErrNoTarget) {
			r.Notes = append(r.Notes, err.Error())
			return nil
		}
		if err != nil {
			r.problem(err, "the manifest's image cannot be looked up")
			return err
		}
		is, err := o.Registry.Read(ctx, want.Alias)
		if err != nil {
			r.problem(err, fmt.Sprintf("what `%s` points to could not be read", want.Alias))
			return err
		}
		if r.Registry == nil {
			r.Registry = &Kept{Before: is}
		}
		r.Registry.Pointer = want
		// The head is read after the alias: see the package's design.
		again, err := o.Order.Read(ctx)
		if err != nil {
			r.State = Worse(r.State, Unknown)
			return fmt.Errorf("reading what Git says: %w", err)
		}
		*ordered = again
		if again.Manifest == nil {
			continue
		}
		now, err := o.Registry.Want(*again.Manifest)
		if err != nil || now != want {
			continue // Git moved meanwhile
		}
		if is == want.Target {
			return nil
		}
		if o.Plan {
			r.State = Worse(r.State, OutOfSync)
			r.Problems = append(r.Problems, fmt.Sprintf("`%s` points to %s and would be set to `%s`", want.Alias, orNothing(is), want.Target))
			return nil
		}
		if err := o.Registry.Write(ctx, want); err != nil {
			r.problem(err, fmt.Sprintf("`%s` points to %s and could not be set to %s", want.Alias, orNothing(is), want.Target))
			return err
		}
		r.Registry.Changed = true
	}
	err := fault.Environment(fmt.Errorf("setting %s: after %d rounds alias and base branch still differ: something else sets the alias too; find it, then run again", r.Registry.Alias, rounds))
	r.problem(err, fmt.Sprintf("`%s` is set by something else as well", r.Registry.Alias))
	return err
}

func orNothing(target string) string {
	if target == "" {
		return "nothing"
	}
	return "`" + target + "`"
}

// every is the pause between two questions to an endpoint that has not
// followed yet.
const every = 5 * time.Second

func (r *Result) endpoint(ctx context.Context, o Options, m manifest.Manifest) error {
	if o.Endpoint == nil {
		return nil
	}
	var answer Answer
	for left := o.Patience; ; left -= every {
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
	r.Endpoint = &Seen{Address: o.Endpoint.Address(), Answer: answer}
	r.State = Worse(r.State, answer.State)
	if answer.State != InSync {
		r.Problems = append(r.Problems, fmt.Sprintf("the endpoint `%s`: %s", o.Endpoint.Address(), answer.Detail))
	}
	return nil
}
