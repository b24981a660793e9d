package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline"
)

func newEvaluateCommand() *cobra.Command {
	var project projectFlags
	var table, out string
	cmd := &cobra.Command{
		Use:   "evaluate MODEL|BUNDLE",
		Short: "Let a model answer the evaluation rows through the server that ships",
		Long: `evaluate serves a model file or a bundle in this process, asks it every row of
the project's evaluation data (or of --data), and writes a predictions file that
dosirak metrics and dosirak compare read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			set, err := pipeline.Evaluate(cmd.Context(), p, args[0], table, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rows\n", out, set.N)
			return err
		},
	}
	project.add(cmd)
	cmd.Flags().StringVar(&table, "data", "", "the table (default: the config's data.eval)")
	cmd.Flags().StringVar(&out, "out", "predictions.csv", "the predictions file")
	return cmd
}
