package brokenserver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main is the server as a program, with the arguments of model-server:
// [--addr A] [--name N] BUNDLE. It returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("brokenserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:0", "address to listen on")
	name := flags.String("name", Model, "name of the model")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	s, err := Open(flags.Arg(0), *name)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if s.fault == EndsAtStart {
		fmt.Fprintln(stderr, "this server ends at its start")
		return 3
	}
	return s.serve(*addr, stdout, stderr)
}

func (s *Server) serve(addr string, stdout, stderr io.Writer) int {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 4
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	server := &http.Server{Handler: s}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	fmt.Fprintf(stdout, "ready http://%s model=%s\n", l.Addr(), s.name)
	for {
		select {
		case err := <-failed:
			fmt.Fprintln(stderr, err)
			return 4
		case <-asked:
		}
		switch s.fault {
		case IgnoresSIGTERM:
			continue
		case DropsInFlight:
			return 0
		}
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		err := server.Shutdown(ctx)
		cancel()
		switch {
		case s.fault == ExitsNonZero:
			return 7
		case errors.Is(err, context.DeadlineExceeded):
			return 4
		}
		return 0
	}
}
