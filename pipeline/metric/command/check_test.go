package command

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "metrics"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "metrics", "own.sh"), []byte("#!/bin/sh\necho 1\n"), 0o755))
	for command, says := range map[string]string{
		"sh metrics/own.sh {predictions}":           "",
		"metrics/own.sh {predictions}":              "",
		"SEED=1 sh metrics/own.sh":                  "",
		"test -f {predictions}":                     "",
		"sh -c metrics/gone.sh":                     "",
		"cat {predictions} | no-such-program":       "", // a shell's business
		"sh metrics/gone.sh {predictions}":          "metrics/gone.sh, which is not in the project's folder",
		"metrics/gone.sh":                           "metrics/gone.sh, which is not there",
		"no-such-program-anywhere {predictions}":    "no-such-program-anywhere, which is not there",
		"SEED=1 no-such-program-anywhere x {other}": "",
	} {
		err := Check(t.Context(), dir, "own", command)
		if says == "" {
			assert.NoError(t, err, command)
			continue
		}
		assert.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "metric own")
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err))
	}
}
