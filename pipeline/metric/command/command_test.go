package command

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), `pre "dictions' $(touch x).csv`)
	require.NoError(t, os.WriteFile(path, []byte("id\na\nb\nc\n"), 0o600))
	for _, c := range []struct {
		name, command string
		want          []float64
		fails         string
	}{
		{"per row", `tail -n +2 {predictions} | awk '{print NR/2}'`, []float64{0.5, 1, 1.5}, ""},
		{"by variable", `wc -l < "$DOSIRAK_PREDICTIONS"`, []float64{4}, ""},
		{"too few", "echo 1 2", nil, "printed 2 numbers; it must print 3"},
		{"no number", "echo x", nil, `printed "x" as number 1`},
		{"nothing", "true", nil, "printed 0 numbers"},
		{"fails", "echo oops >&2; exit 3", nil, "exit status 3: oops"},
		{"endless", "yes 1", nil, "printed more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Run(t.Context(), "", "m", c.command, path, 3)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	got, err := Measure(t.Context(), "", "m", "cat {predictions}", 2, func(path string) error { return os.WriteFile(path, []byte("1 2"), 0o600) })
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2}, got)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, "", "m", "sleep 10", path, 3)
	require.ErrorIs(t, err, context.Canceled)
}
