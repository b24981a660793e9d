package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

// rounds bounds how often aliases and head are read until they agree. Each
// further round means that somebody else wrote in between.
const rounds = 10

// follower is a registry on its way to what Git says.
type follower struct {
	registry Registry
	result   *AliasResult // nil: no alias was read yet
	note     string       // why there is no alias to set
	differs  string       // what would be set, of a plan
	failed   error        // it is not asked again
	problem  string       // failed, in words
}

// registries sets the aliases, and reads them and Git's head again until all
// agree. A registry that fails does not keep the others from following. desired
// becomes what they agree on.
func (r *Result) registries(ctx context.Context, o Options, desired *DesiredState) error {
	followers := make([]*follower, len(o.Registries))
	for i, registry := range o.Registries {
		followers[i] = &follower{registry: registry}
	}
	settled := len(followers) == 0
	for round := 0; round < rounds && !settled && desired.Manifest != nil; round++ {
		var err error
		if settled, err = pass(ctx, o, followers, desired); err != nil {
			r.State = Worse(r.State, Unknown)
			r.gather(followers)
			return err
		}
	}
	if !settled && desired.Manifest != nil {
		for _, f := range followers {
			if f.failed == nil && f.result != nil {
				f.fail(fault.Environment(fmt.Errorf("setting %s: after %d rounds alias and base branch still differ: something else sets the alias too; find it, then run again", f.result.Alias, rounds)),
					fmt.Sprintf("`%s` is set by something else as well", f.result.Alias))
			}
		}
	}
	return r.gather(followers)
}

// pass brings each registry one step on, and reports whether all were found to
// be as Git says, with nothing written meanwhile. An error means that Git could
// not be read.
func pass(ctx context.Context, o Options, followers []*follower, desired *DesiredState) (settled bool, err error) {
	settled = true
	for _, f := range followers {
		if f.failed != nil {
			continue
		}
		done, err := f.step(ctx, o, desired)
		if err != nil {
			return false, err
		}
		settled = settled && done
		if desired.Manifest == nil || ctx.Err() != nil {
			return settled, nil
		}
	}
	return settled, nil
}

// step reads the alias, then Git's head, and sets the alias where it is not
// what both readings of Git ask for. done says that nothing was to be set.
func (f *follower) step(ctx context.Context, o Options, desired *DesiredState) (done bool, err error) {
	f.note, f.differs = "", ""
	want, err := f.registry.Want(*desired.Manifest)
	if errors.Is(err, ErrNoTarget) {
		f.note = err.Error()
		return true, nil
	}
	if err != nil {
		return f.fail(err, "the manifest's image cannot be looked up"), nil
	}
	is, err := f.registry.Read(ctx, want.Alias)
	if err != nil {
		return f.fail(err, fmt.Sprintf("what `%s` points to could not be read", want.Alias)), nil
	}
	if f.result == nil {
		f.result = &AliasResult{Before: is}
	}
	f.result.Pointer = want
	// The head is read after the alias: see the package's design.
	again, err := o.Desired.Read(ctx)
	if err != nil {
		return false, fmt.Errorf("reading what Git says: %w", err)
	}
	*desired = again
	if !wants(f.registry, again.Manifest, want) {
		return false, nil // Git moved meanwhile
	}
	if is == want.Target {
		return true, nil
	}
	if o.Plan {
		f.differs = fmt.Sprintf("`%s` points to %s and would be set to `%s`", want.Alias, orNothing(is), want.Target)
		return true, nil
	}
	if err := f.registry.Write(ctx, want); err != nil {
		return f.fail(err, fmt.Sprintf("`%s` points to %s and could not be set to %s", want.Alias, orNothing(is), want.Target)), nil
	}
	f.result.Changed = true
	return false, nil
}

func wants(registry Registry, m *manifest.Manifest, want Pointer) bool {
	if m == nil {
		return false
	}
	now, err := registry.Want(*m)
	return err == nil && now == want
}

// fail ends the following of a registry: there is no more to be done.
func (f *follower) fail(err error, problem string) (done bool) {
	f.failed, f.problem = err, problem
	return true
}

// gather takes over what became of the registries.
func (r *Result) gather(followers []*follower) error {
	var failed []error
	for _, f := range followers {
		if f.result != nil {
			r.Registries = append(r.Registries, *f.result)
		}
		if f.note != "" {
			r.Notes = append(r.Notes, f.note)
		}
		if f.differs != "" {
			r.State = Worse(r.State, OutOfSync)
			r.Problems = append(r.Problems, f.differs)
		}
		if f.failed != nil {
			r.problem(f.failed, f.problem)
			failed = append(failed, f.failed)
		}
	}
	return errors.Join(failed...)
}

func orNothing(target string) string {
	if target == "" {
		return "nothing"
	}
	return "`" + target + "`"
}
