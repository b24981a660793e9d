package github_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/manifest"
	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

// environment is an environment on GitHub whose endpoint serves one bundle.
type environment struct {
	serves string // "a"
	is     string // what Git says
}

func (e environment) Address() string { return "https://models.example.org" }

func (e environment) Ask(_ context.Context, m manifest.Manifest) (reconcile.Observation, error) {
	if m.Bundle == digest(e.serves) {
		return reconcile.Observation{State: reconcile.InSync, Detail: "it serves the bundle"}, nil
	}
	return reconcile.Observation{State: reconcile.OutOfSync, Detail: "it serves the bundle " + digest(e.serves)}, nil
}

func (e environment) run(ctx context.Context, s *githubtest.Server, f *github.Forge) (reconcile.Result, error) {
	order := &reconcile.FakeDesired{}
	order.Merge(s.Branch("main"), &manifest.Manifest{Model: "flights-delay", Environment: "production", Bundle: digest(e.is), Image: "ghcr.io/acme/flights@" + digest(e.is)})
	return reconcile.Run(ctx, reconcile.Options{
		Model: "flights-delay", Environment: "production", Production: true,
		Desired: order, Endpoint: e, Deployments: f, Issues: f,
	})
}

func openIssues(s *githubtest.Server) (open []githubtest.Issue) {
	for _, i := range s.Issues() {
		if i.State == "open" {
			open = append(open, i)
		}
	}
	return open
}

func TestDeploymentAndIssue(t *testing.T) {
	t.Parallel()
	s := server(t)
	f := connect(t, s, s.Actions())
	tell := func(e environment) reconcile.Result {
		t.Helper()
		r, err := e.run(t.Context(), s, f)
		require.NoError(t, err)
		require.Empty(t, r.Warnings)
		return r
	}
	r := tell(environment{"a", "a"})
	assert.Equal(t, reconcile.Opened, r.Deployment.Operation)
	assert.Nil(t, r.Issue)
	require.Len(t, s.Deployments(), 1)
	d := s.Deployments()[0]
	assert.Equal(t, "flights-delay/production", d.Environment)
	assert.Equal(t, []githubtest.DeploymentStatus{{State: "success", Description: "it serves the bundle", Address: "https://models.example.org"}}, d.Statuses)

	// A commit that leaves the manifest alone is no deployment.
	s.Push("main", "something else", map[string]string{"README.md": "x\n"})
	r = tell(environment{"a", "a"})
	assert.Equal(t, reconcile.Unchanged, r.Deployment.Operation)
	require.Len(t, s.Deployments(), 1)
	assert.Len(t, s.Deployments()[0].Statuses, 1)

	// A promotion that was not followed: one deployment, one issue, however
	// often it is looked at.
	for range 3 {
		r = tell(environment{"a", "b"})
	}
	assert.Equal(t, reconcile.Unchanged, r.Issue.Operation)
	require.Len(t, s.Deployments(), 2)
	require.Len(t, s.Deployments()[1].Statuses, 1)
	assert.Equal(t, "failure", s.Deployments()[1].Statuses[0].State)
	require.Len(t, openIssues(s), 1)
	assert.Equal(t, "flights-delay is out of sync in production", openIssues(s)[0].Title)
	assert.Contains(t, openIssues(s)[0].Body, digest("a"))

	// Another finding updates it; in sync closes it; out of sync again opens one.
	r = tell(environment{"c", "b"})
	assert.Equal(t, reconcile.Updated, r.Issue.Operation)
	require.Len(t, openIssues(s), 1)
	assert.Contains(t, openIssues(s)[0].Body, digest("c"))
	r = tell(environment{"b", "b"})
	assert.Equal(t, reconcile.Closed, r.Issue.Operation)
	assert.Empty(t, openIssues(s))
	assert.Contains(t, s.Issues()[0].Body, "In sync again")
	r = tell(environment{"b", "b"})
	assert.Nil(t, r.Issue)
	r = tell(environment{"c", "b"})
	assert.Equal(t, reconcile.Opened, r.Issue.Operation)

	// A human closes it: the same finding does not come back, another does.
	s.CloseIssue(openIssues(s)[0].Number)
	r = tell(environment{"c", "b"})
	assert.Equal(t, reconcile.Declined, r.Issue.Operation)
	assert.Empty(t, openIssues(s))
	r = tell(environment{"d", "b"})
	assert.Equal(t, reconcile.Opened, r.Issue.Operation)
}

// Somebody else's issue with our marker is nobody's.
func TestIssueOfOthers(t *testing.T) {
	t.Parallel()
	s := server(t)
	mallory := connect(t, s, s.Token(githubtest.Personal, "mallory", "issues=write"))
	forged := reconcile.Issue{Model: "flights-delay", Environment: "production", Title: "all is well", Body: "x"}
	_, err := mallory.Raise(t.Context(), forged)
	require.NoError(t, err)
	r, err := environment{"a", "b"}.run(t.Context(), s, connect(t, s, s.Actions()))
	require.NoError(t, err)
	assert.Equal(t, reconcile.Opened, r.Issue.Operation)
	assert.Len(t, openIssues(s), 2)
}

// A token that may not tell does not change what was found.
func TestReconcileWithoutPermission(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour = githubtest.Calm()
	f := connect(t, s, s.Token(githubtest.Installation, githubtest.Bot, "contents=read"))
	r, err := environment{"a", "b"}.run(t.Context(), s, f)
	require.NoError(t, err)
	assert.Equal(t, reconcile.OutOfSync, r.State)
	said := strings.Join(r.Warnings, "\n")
	assert.Contains(t, said, "deployments: read")
	assert.Contains(t, said, "issues: read")
}

// Killed at any call, before or after its effect, and run again: one
// deployment, one open issue, the right status; an alias is not concerned.
func TestReconcileCrashMatrix(t *testing.T) {
	t.Parallel()
	for name, e := range map[string][2]environment{
		"out of sync": {{"a", "a"}, {"a", "b"}}, "another finding": {{"a", "b"}, {"c", "b"}}, "in sync again": {{"a", "b"}, {"b", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range []githubtest.Fault{
				{When: githubtest.Before, Dead: true}, {When: githubtest.After, Dead: true},
				{When: githubtest.Before}, {When: githubtest.After}, {When: githubtest.Before, Status: 502}, {When: githubtest.After, Status: 502},
			} {
				for n := 1; ; n++ {
					s := server(t)
					s.Behaviour = githubtest.Calm()
					token := s.Actions()
					_, err := e[0].run(t.Context(), s, connect(t, s, token))
					require.NoError(t, err)
					before := len(s.Calls())
					s.FailCall(n, fault)
					r, err := e[1].run(t.Context(), s, connect(t, s, token))
					require.NoError(t, err, "what cannot be told is a warning")
					came := len(s.Calls()) >= before+n
					died := s.Revive()
					if !came {
						require.Greater(t, n, 4)
						break
					}
					if died {
						assert.NotEmpty(t, r.Warnings)
					} else {
						assert.Empty(t, r.Warnings, "one failed call is nothing: %+v", fault)
					}
					for range 2 {
						_, err = e[1].run(t.Context(), s, connect(t, s, token))
						require.NoError(t, err)
					}
					at := fmt.Sprintf("call %d, %+v", n, fault)
					state, issues := "failure", 1
					if e[1].serves == e[1].is {
						state, issues = "success", 0
					}
					assert.Len(t, openIssues(s), issues, at)
					bundles := map[any]int{}
					for _, d := range s.Deployments() {
						bundles[fmt.Sprint(d.Payload)]++
					}
					for bundle, count := range bundles {
						assert.Equal(t, 1, count, "%s: %v", at, bundle)
					}
					last := s.Deployments()[len(s.Deployments())-1]
					require.NotEmpty(t, last.Statuses, at)
					assert.Equal(t, state, last.Statuses[len(last.Statuses)-1].State, at)
				}
			}
		})
	}
}

// An unchanged environment costs few calls.
func TestReconcileCalls(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour = githubtest.Calm()
	token := s.Actions()
	for _, most := range []int{8, 4} {
		before := len(s.Calls())
		_, err := environment{"a", "a"}.run(t.Context(), s, connect(t, s, token))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(s.Calls())-before, most, "%v", operations(s.Calls()[before:]))
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("weights ", 200_000)
	s := githubtest.New(t, map[string]string{"p/deploy/production.yaml": "a: b\n", "p/deploy/bundles/a/bundle.json": "{}\n", "p/deploy/bundles/a/deep/model.onnx": large})
	commit := s.Branch("main")
	f := connect(t, s, s.Actions(), func(o *github.Options) { o.Folder = "p/" })
	text, err := f.File(t.Context(), commit, "deploy/production.yaml")
	require.NoError(t, err)
	assert.Equal(t, "a: b\n", string(text))
	names, err := f.Files(t.Context(), commit, "deploy/bundles/a")
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"deploy/bundles/a/bundle.json", "deploy/bundles/a/deep/model.onnx"}, names)
	text, err = f.File(t.Context(), commit, "deploy/bundles/a/deep/model.onnx")
	require.NoError(t, err)
	assert.Equal(t, large, string(text), "beyond 1 MB too")

	_, err = f.File(t.Context(), commit, "deploy/staging.yaml")
	assert.True(t, errors.Is(err, fs.ErrNotExist))
	names, err = f.Files(t.Context(), commit, "deploy/none")
	require.NoError(t, err)
	assert.Empty(t, names)
	_, err = f.File(t.Context(), commit, "deploy")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	s.Behaviour = githubtest.Calm()
	_, err = connect(t, s, s.Token(githubtest.Installation, githubtest.Bot, "issues=read")).File(t.Context(), commit, "deploy/production.yaml")
	assert.ErrorContains(t, err, "contents: read")
}
