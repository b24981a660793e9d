package server

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/engine"
)

// Every format has an engine, and no engine is without its format.
func TestFormatsHaveEngines(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, f := range bundle.Formats {
		assert.NotNil(t, engines[f.Name], f.Name)
		assert.Equal(t, f.Extension, filepath.Ext(f.File), f.Name)
		assert.NotNil(t, f.Probe, f.Name)
		assert.NotNil(t, f.Compare, f.Name)
		for _, text := range []string{f.Name, f.Title, f.File, f.Platform} {
			assert.NotEmpty(t, text, f.Name)
			assert.Empty(t, seen[text], "%s has %q too", f.Name, text)
		}
		seen[f.Name], seen[f.File], seen[f.Platform] = f.Name, f.Name, f.Name
	}
	assert.Len(t, engines, len(bundle.Formats))
}

// The budget reaches the engine.
func TestBudgetReachesTheEngine(t *testing.T) {
	t.Parallel()
	var limit *engine.LimitError
	_, err := Open(t.Context(), filepath.Join("testdata", "linear.onnx"), Options{Budget: engine.Budget{Operations: 1}})
	require.ErrorAs(t, err, &limit)
	assert.Equal(t, ExitUsage, ExitCode(err))
}

// Asked to end while a model is loading, the server ends, without an error.
func TestRunEndsWhileLoading(t *testing.T) {
	t.Parallel()
	loading := make(chan struct{})
	o := Options{Load: func(ctx context.Context, _ []byte, _ engine.Budget) (engine.Engine, error) {
		close(loading)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Minute):
			return &fake{}, nil
		}
	}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, filepath.Join("testdata", "linear.onnx"), "127.0.0.1:0", o, t.Output()) }()
	<-loading
	stop()
	assert.NoError(t, <-ended)
}
