package github_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
)

// With GitHub's usual headers on every answer, a token's few calls are not
// taken for none, and what is said to be used up is waited for, not asked for.
func TestQuotaIsRespected(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"same clock": 0, "our clock is behind": -3 * time.Hour, "our clock is ahead": 3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			s.Behaviour = githubtest.Behaviour{PageSize: 100, Quota: 4}
			var said []string
			f := connect(t, s, s.Actions(), func(o *github.Options) {
				o.Now = func() time.Time { return s.Clock().Add(ahead) }
				o.Say = func(text string) { said = append(said, text) }
			})
			propose(t, f, "a")
			proposes(t, s, "a")
			assert.Zero(t, s.TooMany(), "calls beyond the quota")
			assert.NotEmpty(t, said)
		})
	}
}

// GraphQL refuses with status 200, before any effect: each call is repeated.
func TestGraphQLLimitsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, limit := range []githubtest.Limit{githubtest.Primary, githubtest.Secondary, githubtest.Overdue} {
		s := server(t)
		s.Behaviour = githubtest.Calm()
		for _, operation := range []string{"pullRequests", "updateRefs"} {
			s.FailNext(operation, githubtest.Fault{Limit: limit})
		}
		propose(t, connect(t, s, s.Actions()), "a")
		proposes(t, s, "a")
	}
}

func TestQuotaThatIsFarFromFull(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.Behaviour = githubtest.Calm()
	f := connect(t, s, s.Actions(), func(o *github.Options) { o.Now = s.Clock })
	for range 1000 {
		if _, err := f.Base(t.Context(), "main"); err != nil {
			break
		}
	}
	before := len(s.Calls())
	_, err := f.Base(t.Context(), "main")
	require.ErrorContains(t, err, "used up its calls until")
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err))
	assert.Len(t, s.Calls(), before)
	assert.Zero(t, s.TooMany())
	s.Pass(time.Hour)
	_, err = f.Base(t.Context(), "main")
	require.NoError(t, err, "an hour later")
}
