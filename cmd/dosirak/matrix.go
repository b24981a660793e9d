package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func newMatrixCommand() *cobra.Command {
	var project projectFlags
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Print the seeds as a matrix for one job a replicate",
		Long: `matrix prints one line of JSON for a workflow's strategy.matrix: an entry for each
seed of the config. A job for each runs dosirak train --seed N --out FOLDER, and
dosirak gather joins them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := project.load(cmd)
			if err != nil {
				return err
			}
			// https://docs.github.com/actions, "Running variations of jobs": a matrix
			// is an object of lists.
			line, err := json.Marshal(map[string][]int64{"seed": p.Config.Train.Seeds})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(line))
			return err
		},
	}
	project.add(cmd)
	return cmd
}
