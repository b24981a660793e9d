package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
	"github.com/dosirak-ml/dosirak/pipeline/adopt"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

func newAdoptCommand() *cobra.Command {
	var project projectFlags
	var where forgeFlag
	var o adopt.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "adopt MODEL|BUNDLE",
		Short: "Propose the first manifest, of the model that is in production today",
		Long: `adopt makes a bundle of a model file (or takes a bundle as it is) and proposes
one commit with the bundle's files and the environment's first manifest, so that
the next change has a baseline. Nothing is claimed about the model: the manifest
says INCONCLUSIVE and names no evidence. The work tree and the current branch are
not touched; again, it changes nothing.`,
		Example: `  dosirak adopt model.onnx --environment production
  dosirak adopt bundles/84144ddc --image ghcr.io/acme/flights-delay@sha256:...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			o.Source = args[0]
			host, err := where.open(p)
			if err != nil {
				return err
			}
			o.Forge, o.Head = host.forge, host.head
			o.Seal = func(ctx context.Context, model, out string) (string, error) {
				made, err := pipeline.Seal(ctx, p, model, out)
				if err != nil {
					return "", err
				}
				return made.Dir, nil
			}
			if o.WorkDir, err = os.MkdirTemp("", "dosirak-adopt-"); err != nil {
				return fault.Environment(fmt.Errorf("making a temporary folder: %w", err))
			}
			defer os.RemoveAll(o.WorkDir)
			a, err := adopt.Run(cmd.Context(), p, o)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), a)
			} else {
				err = showProposed(cmd.OutOrStdout(), a.Proposal, a.Outcome)
			}
			return proposed(a.Outcome, err)
		},
	}
	project.add(cmd)
	where.add(cmd)
	cmd.Flags().StringVar(&o.Environment, "environment", "", "the environment (default: the first of promote.environments)")
	cmd.Flags().StringVar(&o.Image, "image", "", "the image that runs today, repository@digest")
	cmd.Flags().BoolVar(&o.Plan, "plan", false, "print the proposal and write nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
