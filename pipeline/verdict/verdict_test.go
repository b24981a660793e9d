package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestWorst(t *testing.T) {
	t.Parallel()
	assert.Equal(t, verdict.Inconclusive, verdict.Worst(), "where nothing was judged, nothing passed")
	assert.Equal(t, verdict.Pass, verdict.Worst(verdict.Pass, verdict.Pass))
	assert.Equal(t, verdict.Inconclusive, verdict.Worst(verdict.Pass, verdict.Inconclusive))
	assert.Equal(t, verdict.Fail, verdict.Worst(verdict.Inconclusive, verdict.Fail, verdict.Pass))
	assert.Equal(t, verdict.Fail, verdict.Worst(verdict.Pass, "passed"), "an unknown verdict is never a PASS")
	assert.Equal(t, verdict.Fail, verdict.Worst(verdict.Pass, ""))
}

func TestWorstIgnoresOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(rapid.SampledFrom([]verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive}), 1, 6).Draw(t, "verdicts")
		shuffled := rapid.Permutation(vs).Draw(t, "shuffled")
		assert.Equal(t, verdict.Worst(vs...), verdict.Worst(shuffled...))
	})
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 0, verdict.Pass.ExitCode())
	assert.Equal(t, 1, verdict.Fail.ExitCode())
	assert.Equal(t, 3, verdict.Inconclusive.ExitCode())
	assert.Equal(t, 1, verdict.Verdict("").ExitCode())
}
