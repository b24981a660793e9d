package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/doctor"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

var probed = []string{"contents: read", "contents: write", "pull-requests: write", "statuses: write", "issues: read", "deployments: write"}

// A permission is told from a lacking one, and asking changes nothing, on a
// bad day too.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := server(t)
	may := func(token string) (granted []string) {
		g := connect(t, s, token).Doctor()
		for _, permission := range probed {
			access, err := g.Access(t.Context(), permission)
			require.NoError(t, err)
			require.NotEqual(t, doctor.Unclear, access)
			if access == doctor.Granted {
				granted = append(granted, permission)
			}
		}
		return granted
	}
	assert.Equal(t, probed, may(s.Actions()))
	assert.Empty(t, may(s.Token(githubtest.Installation, githubtest.Bot)))
	assert.Equal(t, []string{"contents: read", "statuses: write"}, may(s.Token(githubtest.Personal, "ada", "contents=read", "statuses=write")))
	s.ActionsMayOpen = false
	assert.Equal(t, probed, may(s.Actions()), "the setting is another matter")

	assert.Empty(t, s.Pulls())
	assert.Empty(t, s.Deployments())
	assert.Empty(t, s.Issues())
	assert.Empty(t, s.Statuses(s.Branch("main")))
	access, err := connect(t, s, s.Actions()).Doctor().Access(t.Context(), "packages: write")
	require.NoError(t, err)
	assert.Equal(t, doctor.Unclear, access)
}

func TestDoctorReads(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Labels = []string{"bug", "model", "dosirak/propose-again"}
	s.Required = []string{"dosirak/flights-delay/production", "build"}
	s.Legacy = []string{"build", "lint", "test"}
	s.Secrets = []string{"A", "B", "C"}
	s.Runners = []githubtest.Runner{{Name: "r1", Online: true, Labels: []string{"self-hosted"}}, {Name: "r2"}, {Name: "r3"}}
	s.Protected = "dosirak/"
	s.Push("dosirakat", "a branch with a name that begins alike", map[string]string{"x": "y"})
	admin := s.Token(githubtest.Personal, "ada", "contents=write", "pull_requests=write", "issues=write", "administration=read", "secrets=read")
	g := connect(t, s, admin).Doctor()

	repository, err := g.Repository(t.Context())
	require.NoError(t, err)
	assert.Equal(t, doctor.Repository{Name: "acme/flights", DefaultBranch: "main"}, repository)
	token, err := g.Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, doctor.Token{Login: "ada"}, token)
	labels, err := g.Labels(t.Context())
	require.NoError(t, err)
	assert.Equal(t, s.Labels, labels, "over all pages")
	required, err := g.Required(t.Context(), "main")
	require.NoError(t, err)
	assert.Equal(t, []doctor.Required{{Context: "dosirak/flights-delay/production"}, {Context: "build"}, {Context: "lint"}, {Context: "test"}}, required)
	rules, err := g.Rules(t.Context(), branch)
	require.NoError(t, err)
	assert.Contains(t, rules, doctor.Rule{Type: "creation"})
	secrets, err := g.Secrets(t.Context())
	require.NoError(t, err)
	assert.Equal(t, s.Secrets, secrets)
	runners, err := g.Runners(t.Context())
	require.NoError(t, err)
	assert.Equal(t, doctor.Runner{Online: true, Labels: []string{"self-hosted"}}, runners[0])
	assert.Len(t, runners, 3)
	for name, want := range map[string]bool{"main": true, "dosirak": false, "dosirakat": true, "none": false} {
		exists, err := g.Exists(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, want, exists, name)
	}
	s.ActionsMayOpen = false
	open, err := g.ActionsMayOpen(t.Context())
	require.NoError(t, err)
	assert.False(t, open)
}

// What GITHUB_TOKEN may not read is said, and is no failure; whether it may
// open pull requests GitHub tells it all the same.
func TestDoctorMayNotLook(t *testing.T) {
	t.Parallel()
	s := server(t)
	g := connect(t, s, s.Actions()).Doctor()
	token, err := g.Token(t.Context())
	require.NoError(t, err)
	assert.True(t, token.Actions)
	_, err = g.Secrets(t.Context())
	require.ErrorIs(t, err, doctor.ErrMayNotLook)
	_, err = g.Runners(t.Context())
	require.ErrorIs(t, err, doctor.ErrMayNotLook)
	_, err = g.ActionsMayOpen(t.Context())
	require.ErrorIs(t, err, doctor.ErrMayNotLook)
	s.ActionsMayOpen = false
	open, err := g.ActionsMayOpen(t.Context())
	require.NoError(t, err)
	assert.False(t, open)

	s.Private = true
	_, err = connect(t, s, s.Token(githubtest.Personal, "eve")).Doctor().Repository(t.Context())
	require.ErrorContains(t, err, "404")
	assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
}
