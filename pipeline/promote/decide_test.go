package promote

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	d := decision()
	d.Manifest.Bundle = digest("c")
	other, err := Plan(d, formatJSON)
	require.NoError(t, err)

	ours := &Head{Commit: "1", Messages: []string{p.Message}}
	theirs := &Head{Commit: "2", Messages: []string{other.Message}}
	pull := func(state State, of Proposal, closer Identity, labels ...string) PullRequest {
		return PullRequest{Number: 7, Address: "pull/7", State: state, Commit: "1", Message: of.Message, Body: of.Body, Closer: closer, Labels: labels}
	}
	for _, tt := range []struct {
		name string
		s    situation
		want course
	}{
		{"nothing there", situation{hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"nothing there, no pull requests", situation{}, course{operation: Created, commit: true}},
		{"merged", situation{head: &Head{Commit: "1", Merged: true}, hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"squashed", situation{head: theirs, pulls: []PullRequest{{State: Merged, Commit: "2"}}, hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"proposed", situation{head: ours, pulls: []PullRequest{pull(Open, p, "")}, hosted: true}, course{operation: Unchanged}},
		{"proposed, no pull requests", situation{head: ours}, course{operation: Unchanged}},
		{"died before the pull request", situation{head: ours, hosted: true}, course{operation: Created, announce: true}},
		{"died before the text", situation{head: ours, pulls: []PullRequest{pull(Open, other, "")}, hosted: true}, course{operation: Updated, text: true}},
		{"another of ours", situation{head: theirs, pulls: []PullRequest{pull(Open, other, "")}, hosted: true}, course{operation: Updated, commit: true, text: true}},
		{"another of ours, no pull requests", situation{head: theirs}, course{operation: Updated, commit: true}},
		{"a human's commit", situation{head: &Head{Messages: []string{"mine", p.Message}}, pulls: []PullRequest{pull(Open, p, "")}, hosted: true}, course{operation: Stopped}},
		{"rewritten", situation{head: &Head{Messages: []string{p.Message}, Foreign: "a commit that somebody rewrote"}}, course{operation: Stopped}},
		{"declined", situation{head: ours, pulls: []PullRequest{pull(Closed, p, Others)}, hosted: true}, course{operation: Declined}},
		{"declined, past a newer one", situation{pulls: []PullRequest{pull(Closed, other, Us), pull(Closed, p, Others)}, hosted: true}, course{operation: Declined}},
		{"declined, labelled", situation{pulls: []PullRequest{pull(Closed, p, Others, "x", Again)}, hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"withdrawn by us", situation{pulls: []PullRequest{pull(Closed, p, Us), pull(Closed, p, Others)}, hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"another declined", situation{pulls: []PullRequest{pull(Closed, other, Others)}, hosted: true}, course{operation: Created, commit: true, announce: true}},
		{"declined while another is open", situation{head: theirs, pulls: []PullRequest{pull(Open, other, ""), pull(Closed, p, Others)}, hosted: true}, course{operation: Declined, withdraw: "the newest candidate of main is the one that was declined in pull/7"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := decide(p, tt.s)
			assert.Equal(t, tt.want.operation == Stopped || tt.want.operation == Declined || tt.want.operation == Unchanged || tt.want.text && !tt.want.commit, got.reason != "", "a reason where nothing new is proposed")
			got.reason = ""
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestLostRaces(t *testing.T) {
	t.Parallel()
	p, err := Plan(decision(), formatJSON)
	require.NoError(t, err)
	fake := &Fake{BaseCommit: "base", MoveErr: ErrMoved}
	_, err = Propose(t.Context(), fake, p)
	require.ErrorIs(t, err, ErrMoved)
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err), "trying again may help")

	fake.Current = &Head{Commit: "1", Messages: []string{p.Message}}
	_, err = Withdraw(t.Context(), fake, p.Branch, p.Base, "it fails")
	require.ErrorIs(t, err, ErrMoved)

	fake.MoveErr = errors.New("no")
	_, err = Withdraw(t.Context(), fake, p.Branch, p.Base, "it fails")
	require.ErrorContains(t, err, "withdrawing the promotion: no")

	fake.MoveErr = nil
	out, err := Withdraw(t.Context(), fake, p.Branch, p.Base, "it fails")
	require.NoError(t, err)
	assert.Equal(t, Outcome{Operation: Withdrawn, Branch: p.Branch, Commit: "1", Reason: "it fails"}, out)
}
