package github_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// bad is a bad input, the exit code and what the message must say.
type bad struct {
	prepare func(t *testing.T, s *githubtest.Server) (token string)
	do      func(t *testing.T, s *githubtest.Server, f *github.Forge) error
	code    int
	says    []string
}

func proposing(t *testing.T, _ *githubtest.Server, f *github.Forge) error {
	_, err := promote.Propose(t.Context(), f, proposal(t, "a"))
	return err
}

func commenting(t *testing.T, s *githubtest.Server, f *github.Forge) error {
	number, commit := change(s)
	_, err := f.Comment(t.Context(), number, comment("PASS", commit))
	return err
}

func settingStatus(t *testing.T, s *githubtest.Server, f *github.Forge) error {
	_, err := f.SetStatus(t.Context(), github.Status{Model: "m", Environment: "e", Commit: s.Branch("main"), State: github.Success})
	return err
}

func holding(permissions ...string) func(*testing.T, *githubtest.Server) string {
	return func(_ *testing.T, s *githubtest.Server) string {
		return s.Token(githubtest.Installation, githubtest.Bot, permissions...)
	}
}

var refusals = map[string]bad{
	"a token that GitHub does not know": {
		prepare: func(*testing.T, *githubtest.Server) string { return "ghs_expired" },
		do:      proposing, code: fault.CodeUsage, says: []string{"does not accept the token"},
	},
	"may not read": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			s.Private = true
			return s.Token(githubtest.Installation, githubtest.Bot)
		},
		do: proposing, code: fault.CodeUsage, says: []string{"reading acme/flights", "may not see it", "contents: read"},
	},
	"may not write contents": {
		prepare: holding("contents=read", "pull_requests=write"),
		do:      proposing, code: fault.CodeUsage, says: []string{"contents: write", "permissions", "read and write"},
	},
	"a user's token may not write contents": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			return s.Token(githubtest.Personal, "ada", "contents=read", "pull_requests=write")
		},
		do: proposing, code: fault.CodeUsage, says: []string{"contents: write", "fine-grained token"},
	},
	"may not read pull requests": {
		prepare: holding("contents=write"),
		do:      proposing, code: fault.CodeUsage, says: []string{"pull-requests: read"},
	},
	"may not open pull requests": {
		prepare: holding("contents=write", "pull_requests=read"),
		do:      proposing, code: fault.CodeUsage, says: []string{"opening the pull request", "pull-requests: write"},
	},
	"GitHub Actions may not open pull requests": {
		prepare: func(_ *testing.T, s *githubtest.Server) string { s.ActionsMayOpen = false; return s.Actions() },
		do:      proposing, code: fault.CodeUsage, says: []string{"Settings, Actions, General"},
	},
	"may not comment": {
		prepare: holding("contents=read", "pull_requests=read"),
		do:      commenting, code: fault.CodeUsage, says: []string{"commenting on #1", "pull-requests: write"},
	},
	"may not set statuses": {
		prepare: holding("contents=read", "statuses=read"),
		do:      settingStatus, code: fault.CodeUsage, says: []string{"dosirak/m/e", "statuses: write"},
	},
	"no base branch": {
		prepare: func(_ *testing.T, s *githubtest.Server) string { return s.Actions() },
		do: func(t *testing.T, _ *githubtest.Server, f *github.Forge) error {
			p := proposal(t, "a")
			p.Base = "trunk"
			_, err := promote.Propose(t.Context(), f, p)
			return err
		},
		code: fault.CodeUsage, says: []string{`base branch "trunk" does not exist`, "promote.base"},
	},
	"a protected dosirak/**": {
		prepare: func(_ *testing.T, s *githubtest.Server) string { s.Protected = "dosirak/"; return s.Actions() },
		do:      proposing, code: fault.CodeUsage, says: []string{"a rule of the repository closes " + branch, "Settings, Rules"},
	},
	"a protected dosirak/**, for a user's token": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			s.Protected = "dosirak/"
			return s.Token(githubtest.Personal, "ada", "contents=write", "pull_requests=write")
		},
		do: proposing, code: fault.CodeUsage, says: []string{"a rule of the repository closes", "Settings, Rules"},
	},
	"a branch named dosirak": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			s.SetBranch("dosirak", s.Branch("main"))
			return s.Actions()
		},
		do: proposing, code: fault.CodeUsage, says: []string{"a branch named dosirak", "leaves no room", "rename it"},
	},
	"a pull request that is not there": {
		prepare: func(_ *testing.T, s *githubtest.Server) string { return s.Actions() },
		do: func(t *testing.T, s *githubtest.Server, f *github.Forge) error {
			_, err := f.Comment(t.Context(), 77, comment("PASS", s.Branch("main")))
			return err
		},
		code: fault.CodeUsage, says: []string{"commenting on #77", "404"},
	},
	"GitHub is down": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			for range 5 {
				s.FailNext("repos/get-branch", githubtest.Fault{Status: http.StatusServiceUnavailable})
			}
			return s.Actions()
		},
		do: proposing, code: fault.CodeEnvironment, says: []string{"GitHub answered 503", "run again"},
	},
	"GitHub cannot be reached": {
		prepare: func(_ *testing.T, s *githubtest.Server) string {
			for range 5 {
				s.FailNext("repos/get-branch", githubtest.Fault{})
			}
			return s.Actions()
		},
		do: proposing, code: fault.CodeEnvironment, says: []string{"could not be reached"},
	},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			s.Behaviour = githubtest.Calm()
			f := connect(t, s, tt.prepare(t, s))
			err := tt.do(t, s, f)
			require.Error(t, err)
			assert.Equal(t, tt.code, fault.ExitCode(err))
			for _, text := range tt.says {
				assert.Contains(t, err.Error(), text)
			}
			assert.NotContains(t, err.Error(), "ghs_", "no token in a message")
			assert.Empty(t, s.OpenPulls()[min(len(s.OpenPulls()), 1):], "nothing half done")
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options github.Options
		says    string
	}{
		"no token":        {github.Options{Repository: "a/b"}, "set GITHUB_TOKEN"},
		"no repository":   {github.Options{Token: "x"}, "set GITHUB_REPOSITORY"},
		"a path too many": {github.Options{Token: "x", Repository: "a/b/c"}, "not owner/name"},
		"no address":      {github.Options{Token: "x", Repository: "a/b", API: "github.com"}, "set GITHUB_API_URL"},
	} {
		_, err := github.New(tt.options)
		require.ErrorContains(t, err, tt.says, name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), name)
	}
}

// What happens to a pull request in the middle of a run.
func TestInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before string
		human  func(s *githubtest.Server)
		want   promote.Operation
		open   int
	}{
		"closed":         {"pulls/update", func(s *githubtest.Server) { s.Close(1) }, promote.Declined, 0},
		"branch deleted": {"updateRefs", func(s *githubtest.Server) { s.SetBranch(branch, "") }, promote.Created, 1},
		"merged":         {"updateRefs", func(s *githubtest.Server) { s.Merge(1, false) }, promote.Created, 1},
		"force-pushed":   {"updateRefs", func(s *githubtest.Server) { s.Amend(branch, map[string]string{"x": "y"}) }, promote.Stopped, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			f := connect(t, s, s.Actions())
			propose(t, f, "a")
			s.Settle()
			s.Interfere(tt.before, func() { tt.human(s) })
			out := propose(t, f, "b")
			t.Logf("%+v", out)
			assert.Equal(t, tt.want, out.Operation)
			assert.Len(t, s.OpenPulls(), tt.open)
		})
	}
}

func TestLabelsAndReviewersOnlyWarn(t *testing.T) {
	t.Parallel()
	s := server(t)
	s.FailNext("issues/add-labels", githubtest.Fault{Status: http.StatusForbidden})
	f := connect(t, s, s.Actions(), func(o *github.Options) { o.Labels, o.Reviewers = []string{"model"}, []string{"nobody"} })
	out := propose(t, f, "a")
	assert.Equal(t, promote.Created, out.Operation)
	require.Len(t, out.Warnings, 2)
	assert.Contains(t, out.Warnings[0], "labelling #1")
	assert.Contains(t, out.Warnings[1], "not a collaborator")
}
