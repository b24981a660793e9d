package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func TestServe(t *testing.T) {
	t.Parallel()
	linear := filepath.Join("..", "..", "model-server", "server", "testdata", "linear.onnx")
	pickle := filepath.Join(t.TempDir(), "model.pkl")
	require.NoError(t, os.WriteFile(pickle, []byte("\x80\x04}."), 0o600))
	for name, c := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"asked to end": {[]string{"--addr", "127.0.0.1:0", linear}, 0, "model=linear engine=native bundle=none", ""},
		"pickle":       {[]string{pickle}, fault.CodeUsage, "", "Write ONNX instead"},
		"missing":      {[]string{"none.onnx"}, fault.CodeUsage, "", "none.onnx: no such file"},
		"no bundle":    {[]string{t.TempDir()}, fault.CodeUsage, "", "no bundle.json"},
		"level":        {[]string{"--log-level", "loud", linear}, fault.CodeUsage, "", "is none of debug"},
		"no address":   {[]string{"--addr", "127.0.0.1:99999", linear}, fault.CodeEnvironment, "", "choose another address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			stdout, stderr := endsWhenReady{stop: stop}, bytes.Buffer{}
			command := newServeCommand()
			command.SilenceErrors, command.SilenceUsage = true, true
			code := execute(ctx, command, c.args, &stdout, &stderr)
			assert.Equal(t, c.code, code, "%s", stderr.String())
			assert.Contains(t, stdout.String(), c.stdout)
			assert.Contains(t, stderr.String(), c.stderr)
		})
	}
}

// endsWhenReady keeps what is written, and stops what says that it is ready.
type endsWhenReady struct {
	bytes.Buffer
	stop func()
}

func (e *endsWhenReady) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("ready ")) {
		e.stop()
	}
	return e.Buffer.Write(b)
}
