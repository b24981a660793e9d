package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
)

// Two runs at the same time, and lists that show for a while nothing of what
// the run before has made: one notice, one deployment, one issue.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	for _, stale := range []int{0, 1, 2, 3} {
		s := server(t)
		s.Behaviour = githubtest.Behaviour{PageSize: 100, Stale: stale}
		number, commit := change(s)
		tell := func(verdict string) {
			_, err := connect(t, s, s.Actions()).Comment(t.Context(), number, comment(verdict, commit))
			assert.NoError(t, err)
		}
		tell("PASS")
		s.Settle()
		s.Interfere("issues/create-comment", func() { tell("FAIL") })
		tell("FAIL")
		s.Settle()
		assert.Len(t, s.Comments(number), 2, "the comment and one notice")
		tell("FAIL")
		assert.Len(t, s.Comments(number), 2)
	}
	for _, operation := range []string{"repos/create-deployment", "issues/create", "repos/create-deployment-status"} {
		for _, stale := range []int{0, 1, 2, 3} {
			s := server(t)
			s.Behaviour = githubtest.Behaviour{PageSize: 100, Stale: stale}
			e := environment{"a", "b"}
			run := func() {
				r, err := e.run(t.Context(), s, connect(t, s, s.Actions()))
				assert.NoError(t, err)
				assert.Empty(t, r.Warnings)
			}
			s.Interfere(operation, run)
			run()
			run()
			assert.Len(t, openIssues(s), 1, "%s, %d", operation, stale)
			require.Len(t, s.Deployments(), 1, "%s, %d", operation, stale)
			statuses := s.Deployments()[0].Statuses
			require.NotEmpty(t, statuses)
			assert.Equal(t, "failure", statuses[len(statuses)-1].State)
		}
	}
}
