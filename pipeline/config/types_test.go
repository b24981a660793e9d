package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"30m": 30 * time.Minute, "20ms": 20 * time.Millisecond, "1h30m": 90 * time.Minute, "2h": 2 * time.Hour, "1m30s": 90 * time.Second, "1.5ms": 1500 * time.Microsecond} {
		var d config.Duration
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, d.Std())
		assert.Equal(t, text, d.String())
	}
	for text, want := range map[string]float64{"200/s": 200, "600/m": 10, "36000/h": 10, "0.5/s": 0.5} {
		var r config.Rate
		require.NoError(t, r.UnmarshalText([]byte(text)), text)
		assert.InDelta(t, want, float64(r), 1e-12)
	}
	for text, want := range map[string]int64{"50MB": 50_000_000, "256MiB": 256 << 20, "1 GB": 1_000_000_000, "10B": 10, "1.5kB": 1500, "64KB": 64_000} {
		var s config.Size
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, int64(s))
	}
	assert.Equal(t, "50MB", config.Size(50_000_000).String())
	assert.Equal(t, "256MiB", config.Size(256<<20).String())
	assert.Equal(t, "1537B", config.Size(1537).String())
}

// The text of a value is read back as the value.
func TestTypesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := config.Duration(rapid.Int64Range(1, int64(720*time.Hour)).Draw(t, "duration"))
		var d2 config.Duration
		text, _ := d.MarshalText()
		require.NoError(t, d2.UnmarshalText(text))
		require.Equal(t, d, d2)

		s := config.Size(rapid.Int64Range(1, 1<<50).Draw(t, "size"))
		var s2 config.Size
		text, _ = s.MarshalText()
		require.NoError(t, s2.UnmarshalText(text))
		require.Equal(t, s, s2)

		r := config.Rate(rapid.Float64Range(1e-3, 1e6).Draw(t, "rate"))
		var r2 config.Rate
		text, _ = r.MarshalText()
		require.NoError(t, r2.UnmarshalText(text))
		require.Equal(t, r, r2)
	})
}

func TestModeBlocks(t *testing.T) {
	t.Parallel()
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive} {
		assert.Equal(t, v != verdict.Pass, config.Gate.Blocks(v), v)
		assert.False(t, config.Advise.Blocks(v), v)
	}
}
