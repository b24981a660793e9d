package github_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/internal/githubtest"
	"github.com/dosirak-ml/dosirak/pipeline/promote"
)

// TestMain lets rapid run fewer lives than it would, unless told otherwise: a
// life is some hundred calls.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "30")
	}
	os.Exit(m.Run())
}

// reference is a promotion as the documentation tells it, without commits,
// calls or races.
type reference struct {
	base   string // the bundle that the base branch holds
	branch *leaf
	pulls  []*question // oldest first
}

// leaf is the tip of the promotion branch.
type leaf struct {
	bundle string
	human  bool // somebody else's commit is on it
	merged bool // it is all in the base
}

type question struct {
	tip      *leaf // as it was when the pull request was closed or merged
	state    promote.State
	byUs     bool // closed by us
	labelled bool
}

func (r *reference) open() *question {
	for _, q := range r.pulls {
		if q.state == promote.Open {
			return q
		}
	}
	return nil
}

func (r *reference) live() *leaf {
	if r.branch == nil || r.branch.merged {
		return nil
	}
	return r.branch
}

func (r *reference) declined(bundle string) bool {
	for _, q := range slices.Backward(r.pulls) {
		if q.state != promote.Merged && !q.tip.human && q.tip.bundle == bundle {
			return q.state == promote.Closed && !q.byUs && !q.labelled
		}
	}
	return false
}

func (r *reference) propose(bundle string) promote.Operation {
	live, open := r.live(), r.open()
	switch {
	case live != nil && live.human:
		return promote.Stopped
	case r.declined(bundle):
		if open != nil {
			r.withdraw()
		}
		return promote.Declined
	case live != nil && live.bundle == bundle && open != nil:
		return promote.Unchanged
	case live != nil && live.bundle == bundle:
		r.pulls = append(r.pulls, &question{tip: live, state: promote.Open})
		return promote.Created
	case r.base == bundle && live == nil && open == nil:
		return promote.Unchanged
	case r.base == bundle:
		return r.withdraw()
	}
	r.branch = &leaf{bundle: bundle}
	if open != nil {
		open.tip = r.branch
		return promote.Updated
	}
	r.pulls = append(r.pulls, &question{tip: r.branch, state: promote.Open})
	return promote.Created
}

func (r *reference) withdraw() promote.Operation {
	live, open := r.live(), r.open()
	if live != nil && live.human {
		return promote.Stopped
	}
	if open == nil {
		if live == nil {
			return promote.Unchanged
		}
		for _, q := range slices.Backward(r.pulls) {
			if q.state == promote.Closed && q.tip == live {
				if !q.byUs {
					return promote.Unchanged
				}
				break
			}
		}
	}
	if open != nil {
		open.state, open.byUs = promote.Closed, true
	}
	r.branch = nil
	return promote.Withdrawn
}

// TestLifeAgainstReference lets humans and dosirak act in any order on a bad
// day, and compares every outcome with the reference.
func TestLifeAgainstReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := githubtest.New(t, map[string]string{"train.sh": "true\n"})
		kind := rapid.SampledFrom([]githubtest.Kind{githubtest.Installation, githubtest.Personal}).Draw(rt, "kind")
		token := s.Token(kind, "robot", "contents=write", "pull_requests=write")
		r := &reference{}
		bundle := rapid.SampledFrom([]string{"a", "b", "c"})
		pull := func(rt *rapid.T, states ...promote.State) (int, *question) {
			var numbers []int
			for i, q := range r.pulls {
				if slices.Contains(states, q.state) {
					numbers = append(numbers, i+1)
				}
			}
			if len(numbers) == 0 {
				rt.Skip("no such pull request")
			}
			n := rapid.SampledFrom(numbers).Draw(rt, "number")
			return n, r.pulls[n-1]
		}
		// A run that does not see a pull request of a second ago leaves its
		// withdrawal to the next run.
		settle := s.Settle
		humans := 0
		rt.Repeat(map[string]func(*rapid.T){
			"propose": func(rt *rapid.T) {
				c := bundle.Draw(rt, "bundle")
				if r.declined(c) {
					settle()
				}
				out, err := promote.Propose(t.Context(), connect(t, s, token), proposal(t, c))
				require.NoError(rt, err)
				require.Equal(rt, r.propose(c), out.Operation, "%s: %s", c, out.Reason)
			},
			"propose again": func(rt *rapid.T) {
				c := bundle.Draw(rt, "bundle")
				if r.declined(c) {
					settle()
				}
				out, err := promote.Propose(t.Context(), connect(t, s, token), proposal(t, c))
				require.NoError(rt, err)
				require.Equal(rt, r.propose(c), out.Operation)
				before := s.Branch(branch)
				if out.Operation == promote.Withdrawn {
					return
				}
				out, err = promote.Propose(t.Context(), connect(t, s, token), proposal(t, c))
				require.NoError(rt, err)
				require.Equal(rt, r.propose(c), out.Operation)
				require.Equal(rt, before, s.Branch(branch), "twice changes nothing")
			},
			"withdraw": func(rt *rapid.T) {
				settle()
				out, err := promote.Withdraw(t.Context(), connect(t, s, token), branch, "main", "it fails")
				require.NoError(rt, err)
				require.Equal(rt, r.withdraw(), out.Operation, out.Reason)
			},
			"a human pushes": func(rt *rapid.T) {
				if r.branch == nil {
					rt.Skip("no branch")
				}
				humans++
				s.Push(branch, "by hand", map[string]string{"by": string(rune('a' + humans))})
				tip := &leaf{bundle: r.branch.bundle, human: true}
				if open := r.open(); open != nil && open.tip == r.branch {
					open.tip = tip
				}
				r.branch = tip
			},
			"a human closes": func(rt *rapid.T) {
				n, q := pull(rt, promote.Open)
				s.Close(n)
				q.state, q.byUs = promote.Closed, false
			},
			"a human reopens": func(rt *rapid.T) {
				n, q := pull(rt, promote.Closed)
				possible := r.open() == nil && r.branch == q.tip
				require.Equal(rt, possible, s.Reopen(n))
				if possible {
					q.state = promote.Open
				}
			},
			"a human labels": func(rt *rapid.T) {
				n, q := pull(rt, promote.Closed)
				s.Label(n, promote.Again)
				q.labelled = true
			},
			"a human merges": func(rt *rapid.T) {
				n, q := pull(rt, promote.Open)
				s.Merge(n, rapid.Bool().Draw(rt, "squash"))
				q.state, q.tip.merged = promote.Merged, true
				r.base = q.tip.bundle
			},
			"a human deletes the branch": func(rt *rapid.T) {
				if r.branch == nil {
					rt.Skip("no branch")
				}
				s.SetBranch(branch, "")
				if open := r.open(); open != nil {
					open.state, open.byUs = promote.Closed, false
				}
				r.branch = nil
			},
			"the base moves on": func(*rapid.T) {
				humans++
				s.Push("main", "work", map[string]string{"notes": string(rune('a' + humans))})
			},
			"": func(rt *rapid.T) {
				open := s.OpenPulls()
				if want := r.open(); want == nil {
					require.Empty(rt, open)
				} else {
					require.Len(rt, open, 1)
					require.Contains(rt, open[0].Body, digest(want.tip.bundle))
					require.Equal(rt, s.Branch(branch), open[0].Commit)
				}
				require.Equal(rt, r.branch != nil, s.Branch(branch) != "")
				if r.branch != nil && r.branch.human {
					require.NotEmpty(rt, s.File(branch, "by"), "the human's commit is still there")
				}
				for i, p := range s.Pulls() {
					require.Equal(rt, string(r.pulls[i].state), p.State, "#%d", i+1)
				}
			},
		})
	})
}
