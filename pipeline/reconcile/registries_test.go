package reconcile

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Each of several registries follows, and all of them what Git says in the end:
// a merge while the second is set is not missed by the first.
func TestTwoRegistries(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	second := &FakeRegistry{}
	merged := false
	second.After = func(request string) error {
		if request == "write" && !merged {
			merged = true
			w.order.Merge("commit-b", ordered("b"))
		}
		return nil
	}
	o := w.options()
	o.Registries = append(o.Registries, second)
	o.Endpoint = nil
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, InSync, r.State)
	require.Len(t, r.Registries, 2)
	for i, registry := range []*FakeRegistry{w.registry, second} {
		assert.Equal(t, ordered("b").Image, registry.Aliases[alias], "registry %d", i)
		assert.Equal(t, AliasResult{Pointer: Pointer{alias, ordered("b").Image}, Changed: true}, r.Registries[i])
	}
	r, err = Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, [2]int{2, 2}, [2]int{w.registry.Writes, second.Writes}, "again changes nothing")
	assert.Equal(t, InSync, r.State)
}

// A registry that fails is said, and does not keep the next one from following.
func TestOneRegistryFails(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	w.registry.Before = func(string) error { return fault.Environment(errors.New("no route")) }
	second := &FakeRegistry{}
	o := w.options()
	o.Registries = append(o.Registries, second)
	r, err := Run(t.Context(), o)
	require.ErrorContains(t, err, "no route")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	assert.Equal(t, Unknown, r.State)
	assert.Equal(t, ordered("a").Image, second.Aliases[alias])
	require.Len(t, r.Registries, 1)
	assert.True(t, r.Registries[0].Changed)

	w.registry.Before, w.registry.Images = nil, map[string]bool{}
	r, err = Run(t.Context(), o)
	require.Error(t, err)
	assert.Equal(t, OutOfSync, r.State, "a registry that lacks the image")
	assert.Len(t, r.Registries, 2)
}
