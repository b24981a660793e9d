package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
)

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func ordered(c string) *manifest.Manifest {
	return &manifest.Manifest{Model: "flights-delay", Environment: "production", Bundle: digest(c), Image: "ghcr.io/acme/flights@" + digest(c)}
}

const alias = "flights-delay:production"

// world is one environment with everything around it.
type world struct {
	order    *FakeDesired
	registry *FakeRegistry
	endpoint *FakeEndpoint
	forge    *FakeForge
}

func newWorld(c string) *world {
	w := &world{order: &FakeDesired{}, registry: &FakeRegistry{}, endpoint: &FakeEndpoint{Serves: digest(c)}, forge: &FakeForge{}}
	w.order.Merge("commit-"+c, ordered(c))
	return w
}

func (w *world) options() Options {
	return Options{
		Model: "flights-delay", Environment: "production", Production: true,
		Desired: w.order, Registries: []Registry{w.registry}, Endpoint: w.endpoint, Deployments: w.forge, Issues: w.forge,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	r, err := Run(t.Context(), w.options())
	require.NoError(t, err)
	assert.Equal(t, InSync, r.State)
	assert.Equal(t, []AliasResult{{Pointer: Pointer{alias, ordered("a").Image}, Before: "", Changed: true}}, r.Registries)
	assert.Equal(t, ordered("a").Image, w.registry.Aliases[alias])
	assert.Equal(t, "commit-a", r.Commit)
	require.Len(t, w.forge.Told, 1)
	assert.Equal(t, InSync, w.forge.Told[0].State)
	assert.Empty(t, w.forge.Issues)

	// Again, and on a newer commit that left the manifest alone.
	w.order.Merge("commit-later", ordered("a"))
	r, err = Run(t.Context(), w.options())
	require.NoError(t, err)
	assert.False(t, r.Registries[0].Changed)
	assert.Equal(t, 1, w.registry.Writes)
	assert.Len(t, w.forge.Told, 1)

	// A promotion that the endpoint has not followed.
	w.order.Merge("commit-b", ordered("b"))
	for range 2 {
		r, err = Run(t.Context(), w.options())
		require.NoError(t, err)
		assert.Equal(t, OutOfSync, r.State)
		assert.Equal(t, fault.CodeFailed, r.State.ExitCode())
		assert.Equal(t, ordered("b").Image, w.registry.Aliases[alias], "the registry follows all the same")
		require.NotNil(t, w.forge.Open)
		assert.Contains(t, w.forge.Open.Body, digest("b"))
		assert.Equal(t, []string{"opened"}, w.forge.Issues, "the same finding is told once")
	}

	// It follows while it is waited for.
	o := w.options()
	o.Wait, w.endpoint.Follows = 30*time.Second, w.endpoint.Asked+3
	r, err = Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, InSync, r.State)
	assert.Equal(t, []string{"opened", "closed"}, w.forge.Issues)

	// Somebody moved the alias by hand.
	w.registry.Aliases[alias] = "latest"
	r, err = Run(t.Context(), w.options())
	require.NoError(t, err)
	assert.Equal(t, "latest", r.Registries[0].Before)
	assert.Equal(t, ordered("b").Image, w.registry.Aliases[alias])
}

func TestRunFindings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(w *world, o *Options)
		state  State
		code   int // of the error, 0 for none
		says   string
	}{
		{"nothing was promoted", func(w *world, _ *Options) { w.order.Merge("commit", nil) }, InSync, 0, "nothing was promoted"},
		{"a manifest without image", func(w *world, _ *Options) {
			m := ordered("a")
			m.Image = ""
			w.order.Merge("commit", m)
		}, InSync, 0, "names no image"},
		{"the registry lacks the image", func(w *world, _ *Options) { w.registry.Images = map[string]bool{} }, OutOfSync, 2, "could not be set"},
		{"the registry is away", func(w *world, _ *Options) {
			w.registry.Before = func(string) error { return fault.Environment(errors.New("no route")) }
		}, Unknown, 4, "could not be read"},
		{"the endpoint serves another", func(w *world, _ *Options) { w.endpoint.Serves = digest("c") }, OutOfSync, 0, "serves another"},
		{"the endpoint cannot be asked", func(w *world, _ *Options) { w.endpoint.Err = fault.Usage(errors.New("no bundle")) }, OutOfSync, 2, "could not be asked"},
		{"the forge is away", func(w *world, _ *Options) { w.forge.Err = errors.New("no permission") }, InSync, 0, "no permission"},
		{"no registry, no forge", func(_ *world, o *Options) { o.Registries, o.Deployments, o.Issues = nil, nil, nil }, InSync, 0, ""},
		{"something else sets the alias", func(w *world, _ *Options) {
			w.registry.After = func(request string) error {
				if request == "write" {
					w.registry.Aliases[alias] = "theirs"
				}
				return nil
			}
		}, Unknown, 4, "set by something else"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("a")
			o := w.options()
			tt.change(w, &o)
			r, err := Run(t.Context(), o)
			assert.Equal(t, tt.code, fault.ExitCode(err), "%v", err)
			assert.Equal(t, tt.state, r.State)
			said := strings.Join(append(append(r.Problems, r.Notes...), r.Warnings...), "\n")
			assert.Contains(t, said, tt.says)
		})
	}
}

// What is not known replaces nothing that was told.
func TestUnknownIsNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	w.endpoint.Serves = digest("c")
	_, err := Run(t.Context(), w.options())
	require.NoError(t, err)
	require.NotNil(t, w.forge.Open)
	w.registry.Before = func(string) error { return fault.Environment(errors.New("no route")) }
	w.endpoint.Serves = digest("a")
	r, err := Run(t.Context(), w.options())
	require.Error(t, err)
	assert.Equal(t, Unknown, r.State)
	assert.NotNil(t, w.forge.Open, "the issue stays")
	assert.Len(t, w.forge.Told, 1)
}

var errKilled = errors.New("killed")

// Killed at any request, before or after its effect, and run again, the alias
// is what Git says; again, nothing changes.
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			w := newWorld("b")
			w.registry.Aliases = map[string]string{alias: ordered("a").Image}
			n, came := 0, false
			die := func(string) error {
				n++
				if n >= at {
					came = true
					return errKilled
				}
				return nil
			}
			if after {
				w.registry.After = die
			} else {
				w.registry.Before = die
				w.order.Before = func() error { return die("head") }
			}
			_, err := Run(t.Context(), w.options())
			if !came {
				require.NoError(t, err)
				require.Greater(t, at, 3)
				break
			}
			require.Error(t, err)
			w.registry.Before, w.registry.After, w.order.Before = nil, nil, nil
			r, err := Run(t.Context(), w.options())
			require.NoError(t, err)
			assert.Equal(t, InSync, r.State)
			assert.Equal(t, ordered("b").Image, w.registry.Aliases[alias])
			writes := w.registry.Writes
			assert.LessOrEqual(t, writes, 1)
			_, err = Run(t.Context(), w.options())
			require.NoError(t, err)
			assert.Equal(t, writes, w.registry.Writes, "again changes nothing")
		}
	}
}

// actor is a reconciler that takes one request at a time when it is told to.
type actor struct {
	turn chan error // what the request is answered with
	done chan error
}

func (a *actor) wait() error { return <-a.turn }

type gatedOrder struct {
	Desired
	a *actor
}

func (g gatedOrder) Read(ctx context.Context) (DesiredState, error) {
	if err := g.a.wait(); err != nil {
		return DesiredState{}, err
	}
	return g.Desired.Read(ctx)
}

type gatedRegistry struct {
	Registry
	a *actor
}

func (g gatedRegistry) Read(ctx context.Context, alias string) (string, error) {
	if err := g.a.wait(); err != nil {
		return "", err
	}
	return g.Registry.Read(ctx, alias)
}

func (g gatedRegistry) Write(ctx context.Context, p Pointer) error {
	if err := g.a.wait(); err != nil {
		return err
	}
	return g.Registry.Write(ctx, p)
}

// Reconcilers that run at once, in any order of their requests, while Git
// moves on: when the last one that started after the last merge is done and
// the others too, the alias is what Git says. Where one was killed, the next
// run sees to it.
func TestRaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld("a")
		w.registry.Aliases = map[string]string{}
		var actors []*actor
		killed := false
		start := func() {
			a := &actor{turn: make(chan error), done: make(chan error, 1)}
			actors = append(actors, a)
			go func() {
				_, err := Run(context.Background(), Options{
					Model: "flights-delay", Environment: "production",
					Desired: gatedOrder{w.order, a}, Registries: []Registry{gatedRegistry{w.registry, a}},
				})
				a.done <- err
			}()
		}
		// step lets an actor do one request and reports whether it is still there.
		step := func(a *actor, answer error) bool {
			select {
			case a.turn <- answer:
				return true
			case err := <-a.done:
				if err != nil && !errors.Is(err, errKilled) {
					t.Fatalf("a reconciler failed: %v", err)
				}
				return false
			}
		}
		remove := func(i int) { actors = append(actors[:i], actors[i+1:]...) }
		merges := rapid.IntRange(0, 3).Draw(t, "merges")
		start()
		for n := 0; len(actors) > 0; n++ {
			if n > 400 {
				t.Fatalf("it does not come to rest")
			}
			switch action := rapid.IntRange(0, 19).Draw(t, "action"); {
			case action == 0 && merges > 0:
				merges--
				w.order.Merge(fmt.Sprintf("commit-%d", n), ordered(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "bundle")))
				start() // every merge is followed by a run
			case action == 1 && len(actors) < 4:
				start()
			case action == 2:
				i := rapid.IntRange(0, len(actors)-1).Draw(t, "victim")
				if step(actors[i], errKilled) {
					killed = true
					<-actors[i].done
				}
				remove(i)
			default:
				i := rapid.IntRange(0, len(actors)-1).Draw(t, "actor")
				if !step(actors[i], nil) {
					remove(i)
				}
			}
		}
		head, _ := w.order.Read(context.Background())
		if killed {
			_, err := Run(context.Background(), w.options())
			require.NoError(t, err)
		}
		require.Equal(t, head.Manifest.Image, w.registry.Aliases[alias])
		writes := w.registry.Writes
		_, err := Run(context.Background(), w.options())
		require.NoError(t, err)
		require.Equal(t, writes, w.registry.Writes)
	})
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld("a")
	w.registry.After = func(request string) error {
		cancel()
		return ctx.Err()
	}
	_, err := Run(ctx, w.options())
	assert.Equal(t, fault.CodeInterrupted, fault.ExitCode(err))
	assert.Zero(t, w.endpoint.Asked)
	assert.Empty(t, w.forge.Told)
}

func TestIssueOfAHostileManifest(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	m := ordered("a")
	m.Image = "x` @everyone <b>"
	w.order.Merge("commit", m)
	w.endpoint.Serves = digest("c")
	o := w.options()
	o.Registries = nil
	_, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.NotNil(t, w.forge.Open)
	assert.NotContains(t, w.forge.Open.Body, "everyone")
}

// A plan says what would be set, sets nothing, and tells nobody.
func TestPlan(t *testing.T) {
	t.Parallel()
	w := newWorld("a")
	o := w.options()
	o.Plan = true
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, OutOfSync, r.State)
	assert.Equal(t, []AliasResult{{Pointer: Pointer{alias, ordered("a").Image}}}, r.Registries)
	assert.Equal(t, []string{"`" + alias + "` points to nothing and would be set to `" + ordered("a").Image + "`"}, r.Problems)
	assert.Zero(t, w.registry.Writes)
	assert.Empty(t, w.forge.Told)
	assert.Empty(t, w.forge.Issues)

	o.Plan = false
	_, err = Run(t.Context(), o)
	require.NoError(t, err)
	o.Plan = true
	r, err = Run(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, InSync, r.State, "nothing would be set")
}
