package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
)

// newFetchCommand brings the data that are not in Git.
func newFetchCommand() *cobra.Command {
	var project projectFlags
	var update, asJSON bool
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Bring the data that are not in Git, and hold them against dosirak.lock",
		Long: `fetch runs the command data.fetch where a file of data.train or data.eval is not
there or not what dosirak.lock names, and holds the result against the lock. The
first fetch writes the lock: commit it. run, train, seal and evaluate do the same
by themselves.

With --update the command runs whatever is there, and dosirak.lock names what
it brought: the way to new data. Evaluation data that changed is a changed exam.`,
		Example: `  dosirak fetch
  dosirak fetch --update && git add dosirak.lock`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			if p.Config.Data.Fetch == "" {
				return fault.Usage(errors.New("the config has no data.fetch: there is nothing to bring; name there the command that brings data.train and data.eval"))
			}
			kept, err := store.Open(p.Dir, store.Options{Now: time.Now})
			if err != nil {
				return err
			}
			r, err := pipeline.Fetch(cmd.Context(), p, kept, update, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) })
			if err = errors.Join(err, kept.Close()); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, r)
			}
			for _, f := range r.Data {
				if _, err := fmt.Fprintf(out, "%s  sha256:%s  %s\n", f.Path, f.Digest, size(f.Size)); err != nil {
					return err
				}
			}
			if r.Written {
				_, err = fmt.Fprintf(out, "%s was written: commit it\n", config.LockFile)
			}
			return err
		},
	}
	project.add(cmd)
	cmd.Flags().BoolVar(&update, "update", false, "run data.fetch, and accept what it brings")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
