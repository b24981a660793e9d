package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
)

func newSealCommand() *cobra.Command {
	var project projectFlags
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "seal MODEL",
		Short: "Seal a model file into a bundle: weights, signature, golden answers, digest",
		Long: `seal makes a bundle of a model file (or the folder of an MLflow model), with
golden examples from the project's evaluation data. The same model sealed on
another day in another folder has the same digest.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			s, err := pipeline.Seal(cmd.Context(), p, args[0], out)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"digest": s.Digest, "dir": s.Dir, "signature": s.Signature})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", s.Digest, s.Dir)
			return err
		},
	}
	project.add(cmd)
	cmd.Flags().StringVar(&out, "out", "bundles", "the folder that gets the bundle, in a folder named by its digest")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
