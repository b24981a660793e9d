package exam_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/exam"
)

func TestParseMargin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]exam.Margin{
		"0":      {},
		"0.01":   {Value: 0.01},
		"2%":     {Value: 0.02, Relative: true},
		" 0.5 %": {Value: 0.005, Relative: true},
		"7%":     {Value: 0.07, Relative: true},
	} {
		got, err := exam.ParseMargin(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := exam.ParseMargin(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again, text)
	}
	for _, text := range []string{"", "-0.01", "-2%", "100%", "250%", "NaN", "Inf", "a little", "1e999", "%"} {
		_, err := exam.ParseMargin(text)
		assert.Error(t, err, "%q", text)
	}
}

func TestCanonicalRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := exam.Exam{
			Schema: exam.Schema, Task: exam.Binary, Confidence: rapid.Float64Range(0.6, 0.999).Draw(t, "confidence"),
			Data:    exam.Data{Eval: "sha256:x", Label: rapid.String().Draw(t, "label"), Positive: "1"},
			Metrics: []exam.Metric{{Name: "accuracy", Direction: exam.Higher, Margin: &exam.Margin{Value: float64(rapid.IntRange(0, 99).Draw(t, "percent")) / 100, Relative: true}}},
			Slices:  []exam.Slice{{Name: "x", Column: rapid.String().Draw(t, "column"), Mode: exam.Alarm, Metric: "accuracy"}},
			Seeds:   rapid.SliceOfN(rapid.Int64(), 1, 5).Draw(t, "seeds"), When: exam.NotWorse,
		}
		parsed, err := exam.Parse(e.Canonical())
		require.NoError(t, err)
		assert.Equal(t, string(e.Canonical()), string(parsed.Canonical()))
		assert.Equal(t, e.Digest(), parsed.Digest())
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", `{"schema":"dosirak/exam/v2"}`, `{"schema":"dosirak/exam/v1","leniency":1}`} {
		_, err := exam.Parse([]byte(text))
		assert.ErrorContains(t, err, "parsing the exam", text)
	}
}
