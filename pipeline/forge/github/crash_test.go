package github_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/forge/github"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// deed is something that is interrupted and done again.
type deed struct {
	prepare func(t *testing.T, s *githubtest.Server, f *github.Forge)
	do      func(ctx context.Context, s *githubtest.Server, f *github.Forge) error
	holds   func(t *testing.T, s *githubtest.Server) // however often it was done
}

func onlyOne(t *testing.T, s *githubtest.Server, c string) {
	t.Helper()
	proposes(t, s, c)
	assert.Len(t, s.Pulls(), 1, "exactly one pull request was ever opened")
	assert.Empty(t, s.Branch("dosirak/draft/flights-delay/production"))
}

func commentsOf(s *githubtest.Server, number int) (bodies []string) {
	for _, c := range s.Comments(number) {
		bodies = append(bodies, c.Body)
	}
	return bodies
}

var deeds = map[string]deed{
	"propose": {
		prepare: func(*testing.T, *githubtest.Server, *github.Forge) {},
		do: func(ctx context.Context, _ *githubtest.Server, f *github.Forge) error {
			_, err := promote.Propose(ctx, f, proposal(fatal{}, "a"))
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) { onlyOne(t, s, "a") },
	},
	"replace": {
		prepare: func(t *testing.T, s *githubtest.Server, f *github.Forge) { propose(t, f, "a") },
		do: func(ctx context.Context, _ *githubtest.Server, f *github.Forge) error {
			_, err := promote.Propose(ctx, f, proposal(fatal{}, "b"))
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) { onlyOne(t, s, "b") },
	},
	"withdraw": {
		prepare: func(t *testing.T, s *githubtest.Server, f *github.Forge) { propose(t, f, "a") },
		do: func(ctx context.Context, _ *githubtest.Server, f *github.Forge) error {
			_, err := promote.Withdraw(ctx, f, branch, "main", "it fails")
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) {
			assert.Empty(t, s.OpenPulls())
			assert.Empty(t, s.Branch(branch))
			assert.Len(t, commentsOf(s, 1), 1)
		},
	},
	"stop": {
		prepare: func(t *testing.T, s *githubtest.Server, f *github.Forge) {
			propose(t, f, "a")
			s.Push(branch, "by hand", map[string]string{"by": "hand\n"})
		},
		do: func(ctx context.Context, _ *githubtest.Server, f *github.Forge) error {
			_, err := promote.Propose(ctx, f, proposal(fatal{}, "b"))
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) {
			assert.Equal(t, "hand", s.File(branch, "by"))
			assert.Len(t, s.OpenPulls(), 1)
			assert.Len(t, commentsOf(s, 1), 1)
		},
	},
	"comment": {
		prepare: func(_ *testing.T, s *githubtest.Server, _ *github.Forge) { change(s) },
		do: func(ctx context.Context, s *githubtest.Server, f *github.Forge) error {
			_, err := f.Comment(ctx, 1, comment("PASS", s.Branch(feature)))
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) { assert.Len(t, commentsOf(s, 1), 1) },
	},
	"comment again": {
		prepare: func(t *testing.T, s *githubtest.Server, f *github.Forge) {
			number, commit := change(s)
			_, err := f.Comment(t.Context(), number, comment("PASS", commit))
			require.NoError(t, err)
		},
		do: func(ctx context.Context, s *githubtest.Server, f *github.Forge) error {
			_, err := f.Comment(ctx, 1, comment("FAIL", s.Branch(feature)))
			return err
		},
		holds: func(t *testing.T, s *githubtest.Server) {
			bodies := commentsOf(s, 1)
			if assert.Len(t, bodies, 2, "the comment and one notice") {
				assert.Contains(t, bodies[0], "**FAIL**")
			}
		},
	},
}

func init() {
	// Status and comment as the action posts them: found, told, commented.
	post := func(ctx context.Context, s *githubtest.Server, f *github.Forge, verdict string) error {
		commit := s.Branch(feature)
		found, err := f.FindPull(ctx, "acme/flights", feature, commit)
		if err != nil {
			return err
		}
		if _, err := f.SetStatus(ctx, github.Status{Model: "flights-delay", Environment: "production", Commit: commit, State: github.Success, Description: verdict}); err != nil {
			return err
		}
		_, err = f.Comment(ctx, found.Number, comment(verdict, commit))
		return err
	}
	deeds["status and comment"] = deed{
		prepare: func(_ *testing.T, s *githubtest.Server, _ *github.Forge) { change(s) },
		do: func(ctx context.Context, s *githubtest.Server, f *github.Forge) error {
			return post(ctx, s, f, "PASS")
		},
		holds: func(t *testing.T, s *githubtest.Server) {
			assert.Len(t, commentsOf(s, 1), 1)
			assert.Equal(t, "success", s.Statuses(s.Branch(feature))["dosirak/flights-delay/production"].State)
		},
	}
}

// fatal lets helpers be used where there is no test at hand.
type fatal struct{}

func (fatal) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (fatal) FailNow()                          { panic("failed") }

// TestCrashMatrix interrupts every deed at every single call, before and after
// its effect: by the death of the process, by one cut connection, by one 502.
// Done again by a new process, it ends as if nothing had happened.
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for name, d := range deeds {
		for kindName, kind := range map[string]githubtest.Kind{"installation": githubtest.Installation, "personal": githubtest.Personal} {
			t.Run(name+"/"+kindName, func(t *testing.T) {
				t.Parallel()
				set := func(t *testing.T) (*githubtest.Server, string) {
					s := server(t)
					s.Behaviour = githubtest.Calm()
					token := s.Token(kind, "robot", "contents=write", "pull_requests=write", "statuses=write")
					d.prepare(t, s, connect(t, s, token))
					return s, token
				}
				s, token := set(t)
				before := len(s.Calls())
				require.NoError(t, d.do(t.Context(), s, connect(t, s, token)))
				d.holds(t, s)
				calls := operations(s.Calls()[before:])

				for n, operation := range calls {
					for label, f := range map[string]githubtest.Fault{
						"killed before": {When: githubtest.Before, Dead: true}, "killed after": {When: githubtest.After, Dead: true},
						"cut before": {When: githubtest.Before}, "cut after": {When: githubtest.After},
						"502 before": {When: githubtest.Before, Status: 502}, "502 after": {When: githubtest.After, Status: 502},
						"half an answer": {When: githubtest.After, Cut: true},
						"primary limit":  {When: githubtest.Before, Limit: githubtest.Primary}, "secondary limit": {When: githubtest.Before, Limit: githubtest.Secondary},
						"primary limit, reset in the past": {When: githubtest.Before, Limit: githubtest.Overdue},
					} {
						if f.Status != 0 && kind == githubtest.Personal {
							continue // to the caller the same as a cut connection
						}
						t.Run(fmt.Sprintf("%d %s/%s", n+1, operation, label), func(t *testing.T) {
							s, token := set(t)
							s.FailCall(n+1, f)
							err := d.do(t.Context(), s, connect(t, s, token))
							assert.Equal(t, f.Dead, s.Revive(), "the fault came about")
							if f.Dead {
								require.Error(t, err)
							} else {
								require.NoError(t, err, "one failed call is nothing")
								d.holds(t, s)
							}
							require.NoError(t, d.do(t.Context(), s, connect(t, s, token)))
							d.holds(t, s)
						})
					}
				}
			})
		}
	}
}

// A human who pushes after the process died keeps what was pushed.
func TestCrashThenHuman(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"propose", "replace", "withdraw"} {
		d := deeds[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				s := server(t)
				s.Behaviour = githubtest.Calm()
				token := s.Actions()
				d.prepare(t, s, connect(t, s, token))
				s.FailCall(n, githubtest.Fault{When: githubtest.After, Dead: true})
				err := d.do(t.Context(), s, connect(t, s, token))
				if !s.Revive() {
					require.NoError(t, err)
					assert.Greater(t, n, 5)
					return
				}
				if s.Branch(branch) == "" {
					continue
				}
				commit := s.Push(branch, "by hand", map[string]string{"by": "hand\n"})
				require.NoError(t, d.do(t.Context(), s, connect(t, s, token)))
				assert.Equal(t, commit, s.Branch(branch), "killed after call %d", n)
			}
		})
	}
}
