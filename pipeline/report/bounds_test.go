package report

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestBoundVerdict(t *testing.T) {
	t.Parallel()
	p := func(v float64) *float64 { return &v }
	between := func(low, high float64) *Interval { return &Interval{Low: &low, High: &high} }
	for name, tt := range map[string]struct {
		metric Metric
		want   verdict.Verdict
	}{
		"no bound":                    {Metric{Verdict: verdict.Fail}, ""},
		"not judged":                  {Metric{Floor: p(1)}, ""},
		"margin missed, floor kept":   {Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.5), Value: between(0.6, 0.7)}, verdict.Pass},
		"margin unclear, floor met":   {Metric{Verdict: verdict.Inconclusive, Margin: "0.01", Baseline: p(1), Floor: p(0.6), Value: between(0.6, 0.7)}, verdict.Pass},
		"floor missed":                {Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.8), Value: between(0.6, 0.7)}, verdict.Fail},
		"margin missed, floor across": {Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.65), Value: between(0.6, 0.7)}, verdict.Inconclusive},
		"ceiling missed, floor kept":  {Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.5), Ceiling: p(0.55), Value: between(0.6, 0.7)}, verdict.Fail},
		"ceiling missed, floor across": {
			Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.65), Ceiling: p(0.55), Value: between(0.6, 0.7)}, verdict.Fail,
		},
		"ceiling kept":          {Metric{Verdict: verdict.Fail, Margin: "2%", Baseline: p(1), Ceiling: p(0.7), Value: between(0.6, 0.7)}, verdict.Pass},
		"no value":              {Metric{Verdict: verdict.Fail, Margin: "0.01", Baseline: p(1), Floor: p(0.5)}, verdict.Inconclusive},
		"nothing but the floor": {Metric{Verdict: verdict.Inconclusive, Floor: p(0.5), Value: between(0.6, 0.7)}, verdict.Inconclusive},
	} {
		assert.Equal(t, tt.want, tt.metric.BoundVerdict(), name)
	}
}

func TestProposalTaken(t *testing.T) {
	t.Parallel()
	steps := []Step{{Text: "Propose", Command: "dosirak promote 1"}, {Text: "Look", Command: "dosirak explain 1 f1"}}
	assert.Equal(t, steps, Proposal{}.Taken(steps))
	assert.Equal(t, []Step{steps[1], {Text: "This model is proposed; to promote it, merge its branch", Command: "git merge dosirak/promote/m/e"}}, Proposal{Branch: "dosirak/promote/m/e"}.Taken(steps))
	assert.Equal(t, []Step{steps[1], {Text: "This model is proposed; to promote it, merge https://x/pull/1"}}, Proposal{Branch: "b", Address: "https://x/pull/1"}.Taken(steps))
	for _, s := range (Proposal{Branch: "a b; rm"}).Taken(nil) {
		assert.Empty(t, s.Command, "what needs quotes is no command")
	}
}
