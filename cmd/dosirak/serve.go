package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/model-server/inference"
	"github.com/dosirak-ml/dosirak/model-server/server"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func newServeCommand() *cobra.Command {
	o := server.Options{}
	var addr, level string
	cmd := &cobra.Command{
		Use:   "serve MODEL|BUNDLE",
		Short: "Serve a model file or a bundle",
		Long: `Serve a model file or a sealed bundle over the Open Inference Protocol (V2),
with the server that the image has. A bundle is verified and must give its
golden answers. When it is ready, one line on stdout says where:

  ready http://127.0.0.1:8080 model=flights-delay engine=native bundle=sha256:...

SIGTERM and Ctrl-C drain: requests in flight are answered, then it ends with 0.`,
		Example: `  dosirak serve model.onnx
  curl -d '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}' \
    http://127.0.0.1:8080/v2/models/model/infer`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Logger, err = server.Logger(cmd.ErrOrStderr(), level); err != nil {
				return fault.Usage(err)
			}
			if err := refused(args[0]); err != nil {
				return err
			}
			o.Release = releaseVersion()
			return serveFault(server.Run(cmd.Context(), args[0], addr, o, cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes a free one")
	flags.StringVar(&o.Name, "name", "", "`name` of the model in URLs (default: the bundle's, or the file's)")
	flags.IntVar(&o.Limits.Rows, "max-rows", inference.DefaultMaxRows, "rows of a request at most")
	flags.DurationVar(&o.DrainDelay, "drain-delay", server.DefaultDrainDelay, "when asked to end, take requests for this `time` while not ready")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", server.DefaultDrainTimeout, "`time` that requests in flight then have to finish")
	flags.StringVar(&level, "log-level", "warn", "debug (a line for each request), info, warn or error")
	return cmd
}

// refused says what a file is that is no model which can be served, and the
// way out: the small server does not know other formats by name.
func refused(path string) error {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return nil // a bundle, or an error that the server words
	}
	var known *bundle.RefusedError
	if _, err := bundle.SniffFormat(path); errors.As(err, &known) {
		return fault.ModelUnreadable.Usage(fmt.Errorf("serving the model: %w", err))
	}
	return nil
}

// serveFault gives an error of the server the kind that its exit code means.
func serveFault(err error) error {
	switch server.ExitCode(err) {
	case server.ExitDrained:
		return nil
	case server.ExitSelfTest:
		return fault.AnswersDiffer.Failed(err)
	case server.ExitEnvironment:
		return fault.Environment(err)
	}
	return fault.ModelUnreadable.Usage(err)
}
