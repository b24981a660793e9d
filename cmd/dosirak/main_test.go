package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A closed terminal ends a run as Ctrl-C does; else the trainers would go on
// without it.
func TestClosedTerminalInterrupts(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("run under nohup")
	}
	ctx, stop := interruptible(t.Context())
	defer stop()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	<-ctx.Done()
}
