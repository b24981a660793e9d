// Command dosirak takes a machine-learning model from a notebook to production
// and keeps it honest there. See README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/dosirak-ml/dosirak/cmd/dosirak/progress"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func main() {
	ctx, stop := interruptible(context.Background(), func() {
		progress.Restore(os.Stderr)
		fmt.Fprintln(os.Stderr, "dosirak: ended at once")
		os.Exit(fault.CodeInterrupted)
	})
	code := execute(ctx, newRootCommand(), os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// interruptible ends with Ctrl-C, a polite kill, or the terminal that is
// closed: what was started is to end too. The second of these calls atOnce, for
// what does not end by itself. Under nohup a closed terminal is ignored and
// stays so.
func interruptible(parent context.Context, atOnce func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	received, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(received, signals...)
	go func() {
		for _, react := range []func(){cancel, atOnce} {
			select {
			case <-received:
				react()
			case <-ended:
				return
			}
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(received)
		close(ended)
		cancel()
	})
}
