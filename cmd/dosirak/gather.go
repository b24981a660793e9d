package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/handoff"
)

func newGatherCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "gather FOLDER...",
		Short: "Join replicates that were trained on several machines",
		Long: `gather joins folders that dosirak train --seed N --out FOLDER wrote into one,
which dosirak run --trained judges. The folders are read as data that anybody
may have written: names, sizes and digests are checked, and nothing in them runs.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := handoff.Gather(args, out); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), out)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "training", "the folder that gets all replicates")
	return cmd
}
