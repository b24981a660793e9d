// Command model-server serves one model over the Open Inference Protocol. It
// is the program in the serving image.
//
//	model-server [flags] MODEL|BUNDLE
//
// MODEL is a model file, BUNDLE the folder of a sealed one. When it is ready it
// prints one line to stdout, "ready http://HOST:PORT model=NAME engine=NAME
// bundle=DIGEST"; its log goes to stderr as JSON. SIGTERM or SIGINT drains: it
// turns unready, finishes what is in flight, ends.
//
// Exit codes: 0 drained; 1 the model does not give its golden answers; 2 bad
// usage, or a model that is missing, damaged or not served here; 4 the address
// cannot be had, or requests were cut off while draining.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/dosirak-ml/dosirak/model-server/inference"
	"github.com/dosirak-ml/dosirak/model-server/server"
)

// version is set by the release build with -ldflags -X main.version=v1.2.3.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `usage: model-server [flags] MODEL|BUNDLE

Serves a model file or a sealed bundle over the Open Inference Protocol (V2).

`

const exits = `
Exit codes: 0 drained after SIGTERM; 1 the model does not give its golden
answers; 2 bad usage or model; 4 no such address, or requests were cut off.
`

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("model-server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprint(stderr, exits)
	}
	o := server.Options{Release: version}
	addr := flags.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&o.Name, "name", "", "`name` of the model in URLs; default: the bundle's, or the file's")
	flags.IntVar(&o.Limits.Rows, "max-rows", inference.DefaultMaxRows, "rows of a request at most")
	flags.Int64Var(&o.Limits.Body, "max-body", 64<<20, "bytes of a request at most")
	flags.DurationVar(&o.DrainDelay, "drain-delay", server.DefaultDrainDelay, "after SIGTERM, take requests for this `time` while not ready")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", server.DefaultDrainTimeout, "`time` that requests in flight then have to finish")
	level := flags.String("log-level", "info", "debug (a line for each request), info, warn or error")
	showVersion := flags.Bool("version", false, "print the version and end")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return server.ExitDrained
	case err != nil:
		return server.ExitUsage
	case *showVersion:
		fmt.Fprintln(stdout, "model-server", version)
		return server.ExitDrained
	case flags.NArg() != 1:
		fmt.Fprintf(stderr, "model-server: give one model file or bundle, not %d; flags come before it\n", flags.NArg())
		return server.ExitUsage
	case o.Limits.Rows < 1 || o.Limits.Body < 1 || o.DrainDelay < 0 || o.DrainTimeout <= 0:
		fmt.Fprintln(stderr, "model-server: limits and times must be positive")
		return server.ExitUsage
	}
	logger, err := server.Logger(stderr, *level)
	if err == nil {
		o.Logger = logger
		err = server.Run(ctx, flags.Arg(0), *addr, o, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "model-server: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return server.ExitCode(err)
}
